"""What a cluster policy's definition says of a cluster. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue

Rules = Mapping[str, Mapping[str, Any]]
"""A rule for each attribute, which is a path such as `spark_conf.spark.speculation`."""

_TYPES = ("fixed", "forbidden", "allowlist", "blocklist", "regex", "range", "unlimited")
_VIRTUAL = ("cluster_type", "dbus_per_hour", "instance_pool_id")
_FREE_KEYS = ("spark_conf", "spark_env_vars", "custom_tags")
"""Maps whose keys hold dots themselves."""


def rules_of(definition: str) -> Rules:
    """Return the rules of a definition.

    Errors: InvalidParameterValue for what is no definition.
    Source: the cluster policy reference of Databricks' documentation.
    """
    try:
        found = json.loads(definition)
    except ValueError as error:
        raise InvalidParameterValue("The policy's definition is not JSON.") from error
    if not isinstance(found, dict):
        raise InvalidParameterValue("The policy's definition is not an object.")
    for path, rule in found.items():
        if not isinstance(rule, dict) or rule.get("type") not in _TYPES:
            raise InvalidParameterValue(
                f"The rule of {path[:100]!r} has none of the types {', '.join(_TYPES)}."
            )
        _check(path, rule)
    return found


def _check(path: str, rule: Mapping[str, Any]) -> None:
    kind = rule["type"]
    if kind == "fixed" and "value" not in rule:
        raise InvalidParameterValue(f"The fixed rule of {path[:100]!r} has no value.")
    if kind in {"allowlist", "blocklist"} and not isinstance(rule.get("values"), list):
        raise InvalidParameterValue(f"The {kind} of {path[:100]!r} has no values.")
    if kind == "range" and not any(_is_number(rule.get(end)) for end in ("minValue", "maxValue")):
        raise InvalidParameterValue(f"The range of {path[:100]!r} has no minValue or maxValue.")
    if kind == "regex":
        try:
            re.compile(str(rule["pattern"]))
        except (KeyError, re.error) as error:
            raise InvalidParameterValue(f"The regex of {path[:100]!r} has no pattern.") from error


def violations(rules: Rules, cluster: Mapping[str, Any]) -> dict[str, str]:
    """Return what of a cluster is not as the rules say, by the attribute's path.

    An attribute that is missing breaks a rule unless it is optional, unlimited, forbidden, or
    has a default; rules with `*` in their path hold for every element of a list.
    """
    wrong: dict[str, str] = {}
    for path, rule in rules.items():
        if path in _VIRTUAL[:2]:
            continue
        values = _values(cluster, path)
        told = _broken(rule, values, is_many="*" in path)
        if told:
            wrong[path] = told
    return wrong


def _broken(rule: Mapping[str, Any], values: list[Any], *, is_many: bool) -> str:
    kind = rule["type"]
    if kind == "forbidden":
        return "the value must not be set" if values else ""
    if not values:
        free = is_many or rule.get("isOptional") or kind in {"unlimited", "fixed", "blocklist"}
        return "" if free or "defaultValue" in rule else "the value must be present"
    return next((told for told in (_told(rule, value) for value in values) if told), "")


def _told(rule: Mapping[str, Any], value: Any) -> str:
    match rule["type"]:
        case "fixed":
            return "" if _same(value, rule["value"]) else f"the value must be {rule['value']}"
        case "allowlist":
            ok = any(_same(value, one) for one in rule["values"])
            return "" if ok else f"the value must be one of {rule['values']}"
        case "blocklist":
            bad = any(_same(value, one) for one in rule["values"])
            return f"the value must not be one of {rule['values']}" if bad else ""
        case "regex":
            ok = re.fullmatch(str(rule["pattern"]), str(value)) is not None
            return "" if ok else f"the value must match {rule['pattern']}"
        case "range":
            return _out_of_range(rule, value)
    return ""


def _out_of_range(rule: Mapping[str, Any], value: Any) -> str:
    if not _is_number(value):
        return "the value must be a number"
    low, high = rule.get("minValue"), rule.get("maxValue")
    if _is_number(low) and value < low:
        return f"the value must be at least {low}"
    if _is_number(high) and value > high:
        return f"the value must be at most {high}"
    return ""


def _values(cluster: Mapping[str, Any], path: str) -> list[Any]:
    first, _, rest = path.partition(".")
    if first in _FREE_KEYS:
        held = cluster.get(first)
        found = held.get(rest) if isinstance(held, Mapping) else None
        return [] if found is None else [found]
    open_: list[Any] = [cluster]
    for name in path.split("."):
        inner: list[Any] = []
        for one in open_:
            if isinstance(one, list):
                inner += (
                    one
                    if name == "*"
                    else one[int(name) : int(name) + 1]
                    if name.isdecimal()
                    else []
                )
            elif isinstance(one, Mapping) and one.get(name) is not None:
                inner.append(one[name])
        open_ = inner
    return open_


def _nth(values: list[Any], text: str) -> list[Any]:
    return values[int(text) :][:1] if text.isdecimal() and len(text) < 6 else []


def _same(value: Any, wanted: Any) -> bool:
    return bool(value == wanted) or _text(value) == _text(wanted)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
