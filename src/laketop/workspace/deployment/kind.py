"""What the engine asks of a type of resource, and how a plain one of Unity Catalog answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laketop.errors import LaketopError
from laketop.workspace.deployment.api import Api, ApiError, remove, told_at

Body = Mapping[str, Any]


class Kept(LaketopError):
    """Something is not deleted because of what it holds."""


class Kind:
    """One type of resource: how it is created, read, changed and deleted.

    `read` returns what the bundle may set, and nothing that moves by itself: two reads with
    nobody in between are equal.
    """

    immutable: frozenset[str] = frozenset()
    """Fields that only a new resource can have: another value means delete and create."""
    lasting: frozenset[str] = frozenset()
    """Fields that the API does not take away: one that the bundle no longer has stays as it is."""
    holds_data = False
    """Whether deleting one deletes what users put into it, so that they are asked first."""
    shareable = False
    """Whether another target may have made it: the local workspace is one place for all."""

    id_field = ""
    """The field that holds the id in answers of the API, by which references may name it too."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        raise NotImplementedError

    def read(self, id_: str) -> Body | None:
        """Return it as it is now, None if it is gone."""
        raise NotImplementedError

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Make it as `body` says; `now` is what `read` told."""
        raise NotImplementedError

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it; fine if it is gone. Errors: Kept for one that holds data, without `purge`."""
        raise NotImplementedError

    def find(self, body: Body) -> str | None:
        """Return the id of one that is there already and that `body` would create."""
        raise NotImplementedError

    def values(self, id_: str, body: Body) -> dict[str, Any]:  # noqa: ARG002 - for those that have more
        """Return what references may name beside the fields of `body`."""
        return {"id": id_, **({self.id_field: id_} if self.id_field else {})}


class Named(Kind):
    """A resource of Unity Catalog: its id is its full name."""

    path = ""
    """The collection's path below `/api/2.1/unity-catalog/`."""
    levels: tuple[str, ...] = ("name",)
    """The fields that make the full name."""
    fields: tuple[str, ...] = ()
    """What `read` returns, and what the bundle may set."""
    changeable: tuple[str, ...] = ("comment",)
    shareable = True

    def create(self, body: Body) -> str:
        """Create it and return its full name."""
        self.api.do("POST", self._collection, body=body)
        return self.full_name(body)

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        found = told_at(self.api, f"{self._collection}/{id_}")
        if found is None:
            return None
        told = {name: found.get(name) for name in self.fields}
        return {name: value for name, value in told.items() if value not in (None, "", {})}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change what differs; a field that the bundle no longer has is emptied."""
        changed = {
            name: body.get(name, {} if isinstance(now.get(name), dict) else "")
            for name in self.changeable
            if body.get(name) != now.get(name)
        }
        if changed:
            self.api.do("PATCH", f"{self._collection}/{id_}", body=changed)

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it; fine if it is gone."""
        try:
            query = {"force": "true"} if purge else None
            self.api.do("DELETE", f"{self._collection}/{id_}", query=query)
        except ApiError as error:
            if error.is_not_empty:
                hint = "--purge deletes it with all that it holds"
                raise Kept(error.message, hint=hint) from error
            if not error.is_missing:
                raise

    def find(self, body: Body) -> str | None:
        """Return its full name if it is there."""
        name = self.full_name(body)
        return name if self.read(name) is not None else None

    def values(self, id_: str, body: Body) -> dict[str, Any]:  # noqa: ARG002 - as in the class above
        """Return the full name, which is also the id."""
        return {"id": id_, "full_name": id_}

    def full_name(self, body: Body) -> str:
        """Return the full name of what `body` creates."""
        return ".".join(str(body.get(field, "")) for field in self.levels)

    @property
    def _collection(self) -> str:
        return f"/api/2.1/unity-catalog/{self.path}"


class ByName(Kind):
    """A resource whose name is its id."""

    shareable = True

    def find(self, body: Body) -> str | None:
        """Return its name if it is there."""
        return str(body["name"]) if self.read(str(body["name"])) is not None else None


class Unchangeable(ByName):
    """A resource that can only be made and deleted, which deletes no data; its name is its id."""

    path = ""
    """The collection's whole path."""

    def create(self, body: Body) -> str:
        """Create it; its name is its id."""
        self.api.do("POST", self.path, body=body)
        return str(body["name"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        told = told_at(self.api, f"{self.path}/{id_}")
        return None if told is None else {k: told[k] for k in self.immutable if k in told}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Do nothing: what else may differ is of the creation alone.

        Errors: LaketopError for one that is taken over, and is another than the bundle says.
        """
        for name in sorted((self.immutable & body.keys() & now.keys()) - {"name"}):
            if _is_other(now[name], body[name]):
                raise LaketopError(
                    f"{id_!r} is there already, with another {name}: {now[name]!r}",
                    hint="it cannot be changed: delete it, or give the bundle's another name",
                )

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - it holds no data itself
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", f"{self.path}/{id_}")


def _is_other(now: Any, asked: Any) -> bool:
    """Return whether a value is not what was asked for; what the workspace adds does not count."""
    if isinstance(now, Mapping) and isinstance(asked, Mapping):
        return any(name in now and _is_other(now[name], asked[name]) for name in asked)
    return bool(now != asked)
