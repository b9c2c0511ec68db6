"""The routes that a Databricks workspace has, read from the installed SDK."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import itertools
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from databricks.sdk.version import __version__ as sdk_version

_NAMELESS = re.compile(r" /api/[0-9.]+/\{\}")
"""Paths that are a name of a resource alone, and would match whatever is asked for."""
_SENT = re.compile(r'_api\.do\(\s*"([A-Z]+)",\s*f"([^"]+)"')
_RESOURCE = re.compile(r"\{(name|parent)\}")
_HOLE = re.compile(r"\{[^}]*\}")
_FORM = re.compile(r"[a-z][a-z_-]*(?:/(?:\{[^}/]+\}(?:\.\{[^}/]+\})*|[a-z_-]+))+")
"""How a resource is named: "collection/{id}", again for what lies in it."""


@functools.cache
def known_routes() -> dict[str, list[str]]:
    """Return the routes of each API group as `"METHOD /path"`, holes written `{}`, sorted.

    Source: every API method of the SDK has one `self._api.do("METHOD", f"/path..")`; the group
    is the file's name. Routes of accounts are left out, and those
    that begin with a hole.
    """
    found: dict[str, set[str]] = {}
    for file in _files():
        for pattern in _patterns(file.read_text(encoding="utf-8")):
            if "/accounts/" not in pattern and not _NAMELESS.search(pattern):
                found.setdefault(file.stem, set()).add(pattern)
    return {group: sorted(patterns) for group, patterns in found.items()}


def _files() -> list[Path]:
    spec = importlib.util.find_spec("databricks.sdk.service")
    places = spec.submodule_search_locations if spec is not None else None
    return sorted(Path(next(iter(places or []))).glob("*.py"))


def _patterns(source: str) -> Iterator[str]:
    # Most of a file is dataclasses; parsing only the classes that send halves the time.
    classes = re.split(r"^(?=class )", source, flags=re.MULTILINE)
    sending = [text for text in classes if "_api.do(" in text]
    for node in itertools.chain.from_iterable(ast.walk(ast.parse(text)) for text in sending):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "do":
            method, path = (_literal(argument) for argument in [*node.args, None, None][:2])
            if method and path:
                yield f"{method} {path}"


def _literal(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) or "{}" for part in node.values)
    return None


def resource_routes() -> list[str]:
    """Return the routes whose hole is a resource's name of several segments, holes written `{}`.

    Source: what the SDK's methods say of the parameter that fills the hole, `name` or `parent`:
    "projects/{project_id}/branches/{branch_id}" and the like.
    """
    found = set()
    for file in _files():
        source = file.read_text(encoding="utf-8")
        for text in re.split(r"^    def ", source, flags=re.MULTILINE):
            for method, path in _SENT.findall(text):
                found |= {f"{method} {each}" for each in _spelled(path, text)}
    return sorted(each for each in found if "/accounts/" not in each)


def _spelled(path: str, text: str) -> Iterator[str]:
    hole = _RESOURCE.search(path)
    if hole is None:
        return
    told = re.search(rf'^ +:param {hole[1]}: (?s:(.*?))^ +(?::|""")', text, re.MULTILINE)
    for name in _FORM.findall(told[1]) if told else ():
        if "{" in name:
            yield _HOLE.sub("{}", path.replace(hole[0], name, 1))


class KnownRoutes:
    """The known routes, read when first asked for; kept in `cache` for the next process."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / f"sdk-paths-{sdk_version}.json"
        self._reading = threading.Lock()
        self._expressions: list[re.Pattern[str]] | None = None

    def __contains__(self, pattern: object) -> bool:
        """Tell whether a `"METHOD /raw/path"` exists at Databricks."""
        with self._reading:
            if self._expressions is None:
                self._expressions = [_expression(each) for each in self._read()]
        return any(each.fullmatch(str(pattern)) for each in self._expressions)

    def _read(self) -> list[str]:
        try:
            kept: list[str] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            kept = [*itertools.chain.from_iterable(known_routes().values()), *resource_routes()]
            # A cache that cannot be written costs the next process a second, nothing else.
            with contextlib.suppress(OSError):
                self._keep(kept)
        return kept

    def _keep(self, routes: list[str]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._file.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(routes, stream)
        Path(name).replace(self._file)


def _expression(pattern: str) -> re.Pattern[str]:
    # The Files API puts whole paths, slashes and all, into its hole.
    hole = ".+" if "/fs/" in pattern else "[^/]+"
    return re.compile(hole.join(re.escape(part) for part in pattern.split("{}")))
