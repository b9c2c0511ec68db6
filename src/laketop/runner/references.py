"""Dynamic value references: `{{job.run_id}}` in the settings of a task.

Source: Databricks docs, dynamic values. Text substitution, no expressions: what a reference stands
for is never read again. A `Scope` holds scopes and values, one level a dot; a value that is text is
put in as it is, any other as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from laketop.errors import ConfigError

NAMESPACES: Final = frozenset({"job", "task", "tasks", "input", "workspace", "backfill"})
"""Where an unknown key is an error; elsewhere a reference that says nothing stays as it is."""

ISO_DATETIME: Final = "%Y-%m-%dT%H:%M:%S"
"""Unverified: whether a zone follows."""
FORMS_OF_A_MOMENT: Final[Mapping[str, Callable[[dt.datetime], str | int | bool]]] = {
    "iso_date": lambda at: at.strftime("%Y-%m-%d"),
    "iso_datetime": lambda at: at.strftime(ISO_DATETIME),
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "timestamp_ms": lambda at: round(at.timestamp() * 1000),
    "iso_weekday": dt.datetime.isoweekday,
    "is_weekday": lambda at: at.isoweekday() <= 5,  # Friday
}
"""What may follow `job.start_time.`; unverified beyond iso_date and iso_datetime."""

_PART: Final = r"(?:[A-Za-z0-9_]+|`[^`{}]+`|\[[A-Za-z0-9_]+\])"
_REFERENCE: Final = re.compile(r"\{\{\s*(" + _PART + r"(?:\." + _PART + r")*)\s*\}\}")
_PARTS: Final = re.compile(_PART)
_NOTHING: Final = object()
_PLAIN: Final = re.compile(r"[A-Za-z0-9_]+")


class Scope(dict[str, Any]):
    """What references lead to at one level. Only one with a value `itself` may end a reference."""

    def __init__(self, content: Mapping[str, Any], *, itself: Any = None) -> None:
        super().__init__(content)
        self.itself = itself


def reference(*parts: str) -> str:
    """Return the reference that leads to `parts`, with backticks where they are needed.

    >>> reference("job", "parameters", "run-date")
    '{{job.parameters.`run-date`}}'

    Errors: ConfigError for a part that cannot be written.
    """
    return "{{" + ".".join(_quoted(part) for part in parts) + "}}"


def has_reference(settings: Any) -> bool:
    """Return whether any string in `settings` may hold a reference."""
    if isinstance(settings, str):
        return "{{" in settings
    if isinstance(settings, Mapping):
        return any(map(has_reference, settings.values()))
    return isinstance(settings, list | tuple) and any(map(has_reference, settings))


def resolve(settings: Any, scope: Scope) -> Any:
    """Return `settings` with the references in its strings replaced, however deep they are.

    >>> resolve({"path": "/runs/{{job.run_id}}"}, Scope({"job": Scope({"run_id": 7})}))
    {'path': '/runs/7'}

    Errors: ConfigError for a known namespace without that key.
    """
    if isinstance(settings, str):
        return _REFERENCE.sub(lambda found: _replacement(found, scope), settings)
    if isinstance(settings, Mapping):
        return {key: resolve(value, scope) for key, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [resolve(value, scope) for value in settings]
    return settings


def values_in(text: str, scope: Scope) -> list[Any]:
    """Return the values, not yet text, that the references in `text` stand for.

    Errors: as `resolve`.
    """
    values = [_value(found, scope) for found in _REFERENCE.finditer(text)]
    return [value for value in values if value is not _NOTHING]


def text_of(value: Any) -> str:
    """Return what a value is in text: itself if it is text, else its JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def moment(epoch_ms: int) -> Scope:
    """Return what may follow `job.start_time.`: one moment in eleven forms, all UTC."""
    at = dt.datetime.fromtimestamp(epoch_ms / 1000, dt.UTC)
    return Scope({name: form(at) for name, form in FORMS_OF_A_MOMENT.items()})


def _replacement(found: re.Match[str], scope: Scope) -> str:
    value = _value(found, scope)
    return found[0] if value is _NOTHING else text_of(value)


def _value(found: re.Match[str], scope: Scope) -> Any:
    parts = [part[1:-1] if part[0] in "`[" else part for part in _PARTS.findall(found[1])]
    value: Any = scope
    for depth, part in enumerate(parts):
        if not isinstance(value, Scope) or part not in value:
            return _nothing(found[0], parts, depth, value)
        value = value[part]
    if not isinstance(value, Scope):
        return value
    return _nothing(found[0], parts, len(parts), value) if value.itself is None else value.itself


def _nothing(text: str, parts: list[str], depth: int, value: Any) -> object:
    if parts[0] not in NAMESPACES:
        return _NOTHING
    place = ".".join(parts[:depth])
    known = ", ".join(sorted(value)) if isinstance(value, Scope) else ""
    hint = f"after {place!r} there can be {known}" if place and known else None
    raise ConfigError(f"the reference {text!r} leads to nothing", hint=hint)


def _quoted(part: str) -> str:
    if _PLAIN.fullmatch(part):
        return part
    if not part or set(part) & set("`{}"):
        raise ConfigError(f"{part!r} cannot be part of a reference", hint="leave out ` { and }")
    return f"`{part}`"
