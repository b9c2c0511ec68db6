"""What SCIM asks for: filters, patches, pages. Pure: no store, no request."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue

Resource = dict[str, Any]
"""A user, group or service principal as JSON."""
Test = Callable[[Mapping[str, Any]], bool]

MOST_LISTED = 10_000
_CLAUSE = re.compile(
    r"\s*([A-Za-z]\w*(?:\.\w+)?)\s+(?:(pr)|(eq|ne|co|sw|ew)\s+(\"(?:[^\"\\]|\\.)*\"|[^\s\"]+))",
    re.IGNORECASE,
)
_JOIN = re.compile(r"\s+(and|or)(?=\s)", re.IGNORECASE)
_SELECTED = re.compile(r"(\w+)\[(.+)\](?:\.(\w+))?")
_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda held, wanted: held == wanted,
    "co": lambda held, wanted: wanted in held,
    "sw": lambda held, wanted: held.startswith(wanted),
    "ew": lambda held, wanted: held.endswith(wanted),
}


def filter_of(text: str) -> Test:
    """Return the test that a filter is: eq, ne, co, sw, ew, pr, joined by `and` before `or`.

    Texts are compared without regard to case; of several values one is enough.
    Errors: BadRequest for what is no such filter. Source: RFC 7644, 3.4.2.2.
    """
    any_of: list[list[Test]] = [[]]
    at = 0
    while True:
        clause = _CLAUSE.match(text, at)
        if clause is None:
            raise BadRequest(f'The filter {text[:200]!r} is not of the form: attribute eq "value".')
        any_of[-1].append(_clause(*clause.groups()))
        at = clause.end()
        if not text[at:].strip():
            return lambda held: any(all(test(held) for test in tests) for tests in any_of)
        join = _JOIN.match(text, at)
        if join is None:
            raise BadRequest(f"The filter {text[:200]!r} goes on with neither `and` nor `or`.")
        if join[1].lower() == "or":
            any_of.append([])
        at = join.end()


def _clause(attribute: str, present: str | None, operator: str | None, value: str | None) -> Test:
    if present or operator is None or value is None:
        return lambda held: bool(_values(held, attribute))
    wanted = _literal(value).lower()
    if operator.lower() == "ne":
        return lambda held: wanted not in _values(held, attribute)
    compare = _COMPARE[operator.lower()]
    return lambda held: any(compare(one, wanted) for one in _values(held, attribute))


def _literal(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise BadRequest(f"The value {text[:200]} of a filter is no text.") from error


def _values(held: Mapping[str, Any], attribute: str) -> list[str]:
    """Return the values of `name` or `name.part` in small letters; of objects their `value`."""
    name, _, part = attribute.lower().partition(".")
    found = next((value for key, value in held.items() if key.lower() == name), None)
    values = found if isinstance(found, list) else [] if found is None else [found]
    texts: list[str] = []
    for one in values:
        inner = one
        if isinstance(one, dict):
            lower = {key.lower(): value for key, value in one.items()}
            inner = lower.get(part or "value")
        if inner is not None:
            texts.append((json.dumps(inner) if isinstance(inner, bool) else str(inner)).lower())
    return texts


def patched(resource: Resource, operations: Iterable[Any]) -> Resource:
    """Return a resource after the operations of a PATCH, in their order.

    Errors: InvalidParameterValue for an operation that cannot be. Source: RFC 7644, 3.5.2.
    """
    changed = copy.deepcopy(resource)
    for operation in operations:
        if not isinstance(operation, dict):
            raise InvalidParameterValue("An operation of a PATCH is an object.")
        op, path = str(operation.get("op", "")).lower(), operation.get("path")
        if op not in {"add", "remove", "replace"}:
            raise InvalidParameterValue(
                f"The op {operation.get('op')!r} is not add, remove, replace."
            )
        value = operation.get("value")
        if path is not None and not isinstance(path, str):
            raise InvalidParameterValue("The path of an operation is a string.")
        if op != "remove" and value is None:
            raise InvalidParameterValue(f"An operation that is {op} has a value.")
        if path:
            _apply(changed, op, path, value)
        elif op == "remove" or not isinstance(value, dict):
            raise InvalidParameterValue("An operation without a path adds or replaces an object.")
        else:
            for name, inner in value.items():
                _apply(changed, op, name, inner)
    return changed


def _apply(resource: Resource, op: str, path: str, value: Any) -> None:
    selected = _SELECTED.fullmatch(path)
    if selected is not None:
        name, text, _part = selected.groups()
        if op != "remove":
            raise InvalidParameterValue(f"The path {path[:200]!r} can only be removed.")
        test = filter_of(text)
        resource[name] = [one for one in _list(resource, name) if not test(one)]
        return
    name, _, part = path.rpartition(":")[2].partition(".")
    if part:
        inner = resource.get(name)
        resource[name] = dict(inner) if isinstance(inner, dict) else {}
        _set(resource[name], op, part, value)
    else:
        _set(resource, op, name, value)


def _set(held: Resource, op: str, name: str, value: Any) -> None:
    if op == "remove" and not value:
        held.pop(name, None)
    elif op == "remove":
        gone = {_value(one) for one in _as_list(value)}
        held[name] = [one for one in _list(held, name) if _value(one) not in gone]
    elif op == "add" and (isinstance(value, list) or isinstance(held.get(name), list)):
        known = {_value(one) for one in _list(held, name)}
        new = [one for one in _as_list(value) if _value(one) not in known]
        held[name] = [*_list(held, name), *new]
    else:
        held[name] = value


def _list(held: Mapping[str, Any], name: str) -> list[Any]:
    found = held.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _as_list(value: Any) -> list[Any]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in listed):
        raise InvalidParameterValue("A list of SCIM holds objects with a value.")
    return listed


def _value(one: Any) -> str:
    return str(one.get("value"))


def page(
    found: list[Resource], start: int, count: int, shown: Callable[[Resource], Resource]
) -> dict[str, Any]:
    """Return a list response: resources from `start`, of which the first is 1, at most `count`."""
    first = max(start, 1)
    count = min(max(count, 0), MOST_LISTED)
    listed = [shown(one) for one in found[first - 1 : first - 1 + count]]
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(found),
        "startIndex": first,
        "itemsPerPage": len(listed),
        "Resources": listed,
    }


def chosen(attributes: str | None, excluded: str | None) -> Callable[[Resource], Resource]:
    """Return what leaves of a resource the attributes that are asked for; `id` always stays."""
    wanted, unwanted = _names(attributes), _names(excluded)

    def shown(resource: Resource) -> Resource:
        return {
            name: value
            for name, value in resource.items()
            if name in {"id", "schemas"}
            or ((not wanted or name.lower() in wanted) and name.lower() not in unwanted)
        }

    return shown


def _names(text: str | None) -> set[str]:
    return {part.strip().lower().partition(".")[0] for part in (text or "").split(",")} - {""}


def ordered(
    found: Iterable[Resource], sort_by: str | None, sort_order: str | None
) -> list[Resource]:
    """Return resources sorted by an attribute, or as they come."""
    if not sort_by:
        return list(found)
    return sorted(
        found,
        key=lambda one: (_values(one, sort_by) or [""])[0],
        reverse=sort_order == "descending",
    )
