"""Objects of Databricks SQL that are kept as they were sent: queries and alerts."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist

from laketop.workspace.kept import fields_of, iso, masked
from laketop.workspace.service import Service
from laketop.workspace.store import Store

_MOST_LISTED = 100
_SET_BY_US = ("id", "create_time", "update_time", "lifecycle_state", "owner_user_name")


class Saved:
    """One kind of them; every method is inside a transaction."""

    def __init__(self, store: Store, kind: str, shape: type) -> None:
        self._table = store.table(f"saved {kind}")
        self._trash = store.table(f"trashed {kind}")
        self._kind = kind
        self._shape = shape

    def create(self, sent: Mapping[str, Any], *, owner: str, now_ms: int) -> dict[str, Any]:
        """Keep a new object and return it."""
        when = iso(now_ms)
        own = fields_of(self._shape, sent, without=_SET_BY_US)
        known = {"id": str(uuid.uuid4()), "create_time": when, "update_time": when}
        kept = {**own, **known, "lifecycle_state": "ACTIVE", "owner_user_name": owner}
        self._table[kept["id"]] = kept
        return kept

    def get(self, name: str) -> dict[str, Any]:
        """Return an object.

        Errors: ResourceDoesNotExist.
        """
        try:
            found: dict[str, Any] = self._table[name]
        except KeyError:
            raise ResourceDoesNotExist(f"The {self._kind} {name} does not exist.") from None
        return found

    def page(
        self, page_size: int, page_token: str | None, sees: Callable[[str], bool]
    ) -> dict[str, Any]:
        """Return a page of `results` that `sees` lets through, and the token of the next.

        Errors: InvalidParameterValue for a page size out of range.
        """
        if not 1 <= page_size <= _MOST_LISTED:
            raise InvalidParameterValue(f"page_size is not from 1 to {_MOST_LISTED}.")
        names = [name for name in self._table if name > (page_token or "") and sees(name)]
        shown = names[:page_size]
        more = {"next_page_token": shown[-1]} if len(names) > page_size else {}
        return {"results": [self._table[name] for name in shown], **more}

    def update(
        self, name: str, sent: Mapping[str, Any], mask: str, *, now_ms: int
    ) -> dict[str, Any]:
        """Change the fields that `mask` names by commas, `*` for all that are sent; return it."""
        own = fields_of(self._shape, sent, without=_SET_BY_US)
        new = masked(self.get(name), own, mask, shape=self._shape, fixed=_SET_BY_US)
        self._table[name] = {**new, "update_time": iso(now_ms)}
        return self.get(name)

    def all(self) -> list[dict[str, Any]]:
        """Return every object."""
        return list(self._table.values())

    def give(self, name: str, owner: str) -> None:
        """Let another user own an object; errors as `get`."""
        self._table[name] = {**self.get(name), "owner_user_name": owner}

    def note(self, name: str, found: Mapping[str, Any]) -> None:
        """Keep what was found of an object, which is no change of it; nothing if it is gone."""
        if name in self._table:
            self._table[name] = {**self._table[name], **found}

    def delete(self, name: str) -> None:
        """Put an object into the trash, where nobody but `restore` finds it; errors as `get`."""
        self._trash[name] = self.get(name)
        del self._table[name]

    def restore(self, name: str) -> None:
        """Take an object out of the trash. Errors: ResourceDoesNotExist."""
        if name not in self._trash:
            raise ResourceDoesNotExist(f"The {self._kind} {name} is not in the trash.")
        self._table[name] = self._trash.pop(name)

    def trashed(self, name: str) -> dict[str, Any] | None:
        """Return an object of the trash, None if it is not there."""
        found: dict[str, Any] | None = self._trash.get(name)
        return found


class SavedService(Service):
    """The service of one kind of them, and who may do what with each."""

    kind: ClassVar[str]
    """As sentences name it."""
    shape: ClassVar[type]
    """The dataclass of the SDK that an answer is."""
    objects: ClassVar[str]
    """As permissions name it."""

    @functools.cached_property
    def _saved(self) -> Saved:
        return Saved(self.store, self.kind, self.shape)

    def existing(self, name: str) -> dict[str, Any]:
        """Return an object whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        return self._saved.get(name)

    def seen(self) -> list[dict[str, Any]]:
        """Return every object that the caller may see."""
        return [one for one in self._saved.all() if self._sees(one["id"])]

    def give(self, name: str, owner: str) -> None:
        """Let another user own an object, whoever asks. Errors: ResourceDoesNotExist."""
        self._saved.give(name, owner)

    def _require(self, name: str, level: str) -> None:
        self._saved.get(name)
        self.workspace.permissions.require(self.objects, name, level)

    def _sees(self, name: str) -> bool:
        return bool(self.workspace.permissions.allows(self.objects, name, "CAN_VIEW"))
