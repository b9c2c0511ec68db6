"""Alerts that are written in a `.dbalert.json` file, as the workspace's own page commits them."""

from __future__ import annotations

import json
from typing import Any

from laketop.bundle import nodes
from laketop.bundle.nodes import DEPTH_LIMIT, Node, node_of
from laketop.bundle.problems import Problems
from laketop.bundle.references import REFERENCE
from laketop.bundle.shapes import shaped

_BESIDE = ("display_name", "warehouse_id", "file_path", "permissions", "lifecycle", "parent_path")
"""What the bundle says itself; all else is the file's. Our own default is `parent_path`."""
_OF_THE_FILE = (
    *("evaluation", "schedule", "custom_summary", "custom_description", "custom_template_format"),
    *("query_text", "parameters", "run_as", "parent_path"),
)
_LINES = {"query_lines": "query_text", "custom_description_lines": "custom_description"}
"""Texts that the file may hold line by line, each of which ends with a new line."""


def written_out(alert: Node, text: str, problems: Problems, path: nodes.Path, *, name: str) -> Node:
    """Return an alert with what its file says, whose text is `text`, in place of `file_path`.

    Errors, as problems: fields in the bundle that are the file's, a text that is no JSON object,
    and references in it. Source: databricks/cli, acceptance tests of alerts, observed.
    """
    file = alert.get("file_path") or alert
    at: nodes.Path = (*path, "file_path")
    for field, value in alert.entries.items():
        if field not in _BESIDE and value.value is not None:
            message = f"{field} stands beside the file_path of an alert"
            problems.error(message, (*path, field), value, f"write it in {name}")
    reference = REFERENCE.search(text)
    if reference is not None:
        message = f"file {name} holds the reference {reference[0]!r}, which nothing fills in"
        problems.error(message, at, file, "write what it says in the bundle to use variables")
        return alert
    fields = _fields(text, file)
    if fields is None:
        problems.error(f"file {name} is no JSON object", at, file)
        return alert
    made = Node({**alert.without("file_path").entries, **fields.entries}, alert.place)
    whole = Node({}).put(path, made).get("resources") or Node({})
    return shaped(whole, "resources", problems, ("resources",)).get(*path[1:]) or alert


def _fields(text: str, file: Node) -> Node | None:
    try:
        told = json.loads(text)
        node = _as_sent(told, file) if isinstance(told, dict) else None
    except (ValueError, RecursionError):
        return None
    return node if node is not None and node.depth <= DEPTH_LIMIT else None


def _as_sent(told: dict[str, Any], file: Node) -> Node:
    joined = {field: _joined(told[lines]) for lines, field in _LINES.items() if told.get(lines)}
    known = {field: told[field] for field in _OF_THE_FILE if told.get(field) is not None}
    return node_of({**known, **joined}, file.place)


def _joined(lines: object) -> object:
    if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
        return "".join(f"{line}\n" for line in lines)
    return lines  # which is no text, as the check of types says
