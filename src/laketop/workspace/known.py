"""The routes that a Databricks workspace has, read from the installed SDK."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

_NAMELESS = re.compile(r" /api/[0-9.]+/\{\}")
"""Paths that are a name of a resource alone, and would match whatever is asked for."""
_SENT = re.compile(r'_api\.do\(\s*"([A-Z]+)",\s*f?"([^"]+)"')
_RESOURCE = re.compile(r"\{(name|parent)\}")
_HOLE = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")
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
        for method, path in _SENT.findall(file.read_text(encoding="utf-8")):
            pattern = f"{method} {_HOLE.sub('{}', path)}"
            if "/accounts/" not in pattern and not _NAMELESS.search(pattern):
                found.setdefault(file.stem, set()).add(pattern)
    return {group: sorted(patterns) for group, patterns in found.items()}


def _files() -> list[Path]:
    spec = importlib.util.find_spec("databricks.sdk.service")
    places = spec.submodule_search_locations if spec is not None else None
    return sorted(Path(next(iter(places or []))).glob("*.py"))


_FIELD = re.compile(r'\b(?:body|query)\["([^"]+)"\] =')


@functools.cache
def sent_fields() -> dict[str, set[str]]:
    """Return by route, as `known_routes` spells it, the fields that the SDK's methods send to it.

    Source: every method of the SDK fills `body` and `query` by name, or sends a dataclass whole.
    """
    found: dict[str, set[str]] = {}
    for file in _files():
        for text in re.split(r"^    def ", file.read_text(encoding="utf-8"), flags=re.MULTILINE):
            sends = _SENT.findall(text)
            for method, path in sends if len(sends) == 1 else ():
                pattern = f"{method} {_HOLE.sub('{}', path)}"
                found.setdefault(pattern, set()).update(_FIELD.findall(text))
    return found


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


def is_known(pattern: str) -> bool:
    """Tell whether a `"METHOD /raw/path"` exists at Databricks."""
    return any(each.fullmatch(pattern) for each in _expressions())


@functools.cache
def _expressions() -> list[re.Pattern[str]]:
    routes = itertools.chain(*known_routes().values(), resource_routes())
    return [_expression(each) for each in routes]


def _expression(pattern: str) -> re.Pattern[str]:
    # The Files API puts whole paths, slashes and all, into its hole.
    hole = ".+" if "/fs/" in pattern else "[^/]+"
    return re.compile(hole.join(re.escape(part) for part in pattern.split("{}")))
