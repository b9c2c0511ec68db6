"""Files that a resource is written in: their text becomes part of its body."""

from __future__ import annotations

import json
import os
from pathlib import Path

from laketop.bundle import nodes
from laketop.bundle.alert_files import written_out
from laketop.bundle.nodes import Node, node_of
from laketop.bundle.problems import Problems
from laketop.bundle.syncing import beside

_HOLDERS = {"dashboards": "serialized_dashboard", "genie_spaces": "serialized_space"}
"""The field that takes the text of `file_path`, or a whole tree written in the bundle."""


def with_contents(resources: Node, root: Path, problems: Problems) -> Node:
    """Return the resources with each `file_path` replaced by what is in the file.

    It is a text, but for alerts, whose fields it holds.

    A file that is missing is an error; so is one beside a text.
    Source: Databricks docs, bundle settings.
    """
    for type_, field in _HOLDERS.items():
        for key, resource in (resources.get(type_) or Node({})).entries.items():
            path: nodes.Path = (type_, key)
            made = _with_text(resource, field, root, problems, ("resources", *path))
            resources = resources.put(path, made)
    for key, alert in (resources.get("alerts") or Node({})).entries.items():
        made = _alert(alert, root, problems, ("resources", "alerts", key))
        resources = resources.put(("alerts", key), made)
    return resources


def _alert(alert: Node, root: Path, problems: Problems, path: nodes.Path) -> Node:
    file = alert.get("file_path")
    text = _read(file, root, problems, (*path, "file_path"))
    if file is None or text is None:
        return alert
    return written_out(alert, text, problems, path, name=file.text)


def _with_text(
    resource: Node, field: str, root: Path, problems: Problems, path: nodes.Path
) -> Node:
    inline, file = resource.get(field), resource.get("file_path")
    if inline is not None and file is not None:
        message = f"{path[2]} has both file_path and {field}"
        problems.error(message, (*path, "file_path"), file, "keep one")
        return resource
    if inline is not None and inline.kind in {"map", "sequence"}:
        text = json.dumps(nodes.plain(inline), ensure_ascii=False, separators=(",", ":"))
        return resource.put((field,), Node(text, inline.place))
    text_of_file = _read(file, root, problems, (*path, "file_path"))
    if file is None or text_of_file is None:
        return resource
    return resource.without("file_path").put((field,), node_of(text_of_file, file.place))


def _read(node: Node | None, root: Path, problems: Problems, path: nodes.Path) -> str | None:
    if node is None or not node.text:
        return None
    local = Path(os.path.normpath(beside(node, root) / node.text))
    try:
        return local.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.error(f"file {node.text} not found", path, node)
    except (OSError, UnicodeDecodeError) as error:
        problems.error(f"file {node.text} cannot be read: {error}", path, node)
    return None
