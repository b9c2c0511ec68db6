"""Objects that are kept as they were sent: checked against the SDK's dataclass of their kind."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

from laketop.workspace.pages import page_of
from laketop.workspace.shapes import shaped
from laketop.workspace.store import Table

Record = dict[str, Any]


class Kept:
    """One kind of object, each under its key; every method is inside a transaction.

    `shape` is the dataclass of the SDK that an answer is; `kind` is what sentences call it.
    Objects of Unity Catalog have a `code`, of which their error codes are made.
    """

    def __init__(self, table: Table, kind: str, shape: type, *, code: str = "") -> None:
        self._table = table
        self._kind = kind
        self._shape = shape
        self._code = code

    def checked(self, sent: Mapping[str, Any], *, without: Collection[str] = ()) -> Record:
        """Return the fields that the dataclass has, but those of `without`.

        Errors: InvalidParameterValue for a value of another type, or a missing field.
        """
        return fields_of(self._shape, sent, without=without)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def existing(self, key: str) -> Record:
        """Return an object. Errors: ResourceDoesNotExist, in Unity Catalog NotFound."""
        found: Record | None = self._table.get(key)
        if found is None:
            said = f"{self._kind} '{key[:200]}' does not exist."
            if self._code:
                raise NotFound(said, error_code=f"{self._code}_DOES_NOT_EXIST")
            raise ResourceDoesNotExist(said)
        return found

    def all(self) -> list[Record]:
        """Return every object, by key."""
        return list(self._table.values())

    def check_free(self, key: str) -> None:
        """Refuse a key that is taken. Errors: ResourceAlreadyExists, or BadRequest."""
        if key in self._table:
            said = f"{self._kind} '{key[:200]}' already exists"
            if self._code:
                raise BadRequest(said, error_code=f"{self._code}_ALREADY_EXISTS")
            raise ResourceAlreadyExists(f"{said}.")

    def add(self, key: str, record: Record) -> Record:
        """Keep a new object and return it. Errors: as `check_free`."""
        self.check_free(key)
        self._table[key] = record
        return record

    def put(self, key: str, record: Record, *, before: str | None = None) -> Record:
        """Keep a changed object, and forget it under the key that it had `before`."""
        if before is not None and before != key:
            self.check_free(key)
            del self._table[before]
        self._table[key] = record
        return record

    def remove(self, key: str) -> Record:
        """Forget an object and return it; errors as `existing`."""
        found = self.existing(key)
        del self._table[key]
        return found

    def page(
        self,
        field: str,
        size: int,
        page_token: str | None,
        shows: Callable[[Record], bool] = lambda _record: True,
    ) -> dict[str, Any]:
        """Return a page, in `field`, of what `shows` lets through, and the token of the next.

        Errors: InvalidParameterValue for a negative size; 0 leaves it to us.
        """
        found = {key: one for key, one in self._table.items() if shows(one)}
        keys, more = page_of(list(found), size, page_token)
        return {field: [found[key] for key in keys], **more}


def fields_of(shape: type, sent: Mapping[str, Any], *, without: Collection[str] = ()) -> Record:
    """Return those of the fields sent that `shape` has, but those of `without`.

    Errors: InvalidParameterValue for a value of another type, or a missing field.
    """
    known = {field.name for field in dataclasses.fields(shape)} - set(without)
    return {
        name: value
        for name, value in shaped(shape, dict(sent)).items()
        if name in known and value is not None
    }


def masked(
    old: Record, sent: Mapping[str, Any], mask: str, *, shape: type, fixed: Collection[str]
) -> Record:
    """Return `old` with the fields of `sent` that `mask` names by commas; `*` names what is sent.

    A dotted name reaches into an object. What is named and not sent is emptied.
    Errors: InvalidParameterValue for an empty mask, or a field that `shape` has not or is `fixed`.
    """
    known = {field.name for field in dataclasses.fields(shape)}
    paths = [path for path in mask.split(",") if path]
    if paths == ["*"]:
        paths = [name for name in sent if name in known and name not in fixed]
    elif not paths:
        raise InvalidParameterValue("The update_mask names no field.")
    changed = {**old}
    for path in paths:
        first, _, rest = path.partition(".")
        if first not in known or first in fixed:
            raise InvalidParameterValue(f"The update_mask names {path[:200]!r}, no such field.")
        changed[first] = _inside(changed.get(first), sent.get(first), rest)
    return {name: value for name, value in changed.items() if value is not None}


def check_mask(mask: str, field: str) -> None:
    """Refuse a mask that names anything but `field`. Errors: InvalidParameterValue."""
    if mask not in {field, "*"}:
        raise InvalidParameterValue(f"The update_mask {mask[:200]!r} is not {field}.")


def _inside(old: Any, new: Any, path: str) -> Any:
    if not path:
        return new
    first, _, rest = path.partition(".")
    before = old if isinstance(old, dict) else {}
    value = new.get(first) if isinstance(new, dict) else None
    return {**before, first: _inside(before.get(first), value, rest)}


def iso(now_ms: int) -> str:
    """Return a moment as answers tell it: UTC, to the millisecond."""
    at = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
