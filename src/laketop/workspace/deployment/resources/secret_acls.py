"""Permissions of secret scopes, which have an API and words of their own."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/secrets/acls"
_PRINCIPALS = ("user_name", "group_name", "service_principal_name")


class SecretAcls(Kind):
    """Who may do what with one secret scope, whose name is the id.

    A body is `{"scope": .., "permissions": [{principal, permission}]}`. The bundle has the whole
    word: what others were given is drift, and goes with the next deployment.
    """

    def create(self, body: Body) -> str:
        """Give what `body` says."""
        scope = str(body["scope"])
        self.update(scope, body, self.read(scope) or {})
        return scope

    def read(self, id_: str) -> Body | None:
        """Return who may do what, None if the scope is gone."""
        told = told_at(self.api, f"{_PATH}/list", {"scope": id_})
        if told is None:
            return None
        held = {str(item["principal"]): str(item["permission"]) for item in told.get("items") or ()}
        return _body(id_, held)

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Give what differs, and take what the bundle no longer has."""
        wanted, held = _by_principal(body), _by_principal(now)
        for principal, permission in wanted.items():
            if held.get(principal) != permission:
                given = {"scope": id_, "principal": principal, "permission": permission}
                self.api.do("POST", f"{_PATH}/put", body=given)
        for principal in held.keys() - wanted.keys():
            remove(self.api, "POST", f"{_PATH}/delete", {"scope": id_, "principal": principal})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - no data
        """Leave the scope to whoever deploys; fine if it is gone."""
        now = self.read(id_)
        if now is not None:
            me = str(self.api.do("GET", "/api/2.0/preview/scim/v2/Me")["userName"])
            held = _by_principal(now)
            self.update(id_, _body(id_, {me: held[me]} if me in held else {}), now)

    def find(self, body: Body) -> str | None:  # noqa: ARG002 - every scope has some
        """Return None: permissions are given, not made."""
        return None


def body_of(scope: str, entries: tuple[Body, ...]) -> dict[str, Any]:
    """Return the body of the permissions of a scope."""
    held = {
        str(next(entry[name] for name in _PRINCIPALS if entry.get(name))): str(
            entry["permission_level"]
        )
        for entry in entries
    }
    return _body(scope, held)


def _body(scope: str, held: dict[str, str]) -> dict[str, Any]:
    items = [{"principal": who, "permission": held[who]} for who in sorted(held)]
    return {"scope": scope, "permissions": items}


def _by_principal(body: Body) -> dict[str, str]:
    return {str(e["principal"]): str(e["permission"]) for e in body.get("permissions") or ()}
