"""Grants, which follow the resource that they are on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from laketop.workspace.deployment.api import told_at
from laketop.workspace.deployment.kind import Body, Kind

OBJECTS = {
    "catalogs": "catalog",
    "schemas": "schema",
    "volumes": "volume",
    "registered_models": "function",
}
"""The words of the grants API for the types that have grants; models are functions there."""


class Grants(Kind):
    """What is granted on one resource; the id is `schema/main.flights`.

    A body is `{"grants": [{principal, privileges}]}`. The bundle has the whole word: what others
    granted on the same object is drift, and goes with the next deployment.
    """

    def create(self, body: Body) -> str:
        """Grant what `body` says."""
        id_ = str(body["object"])
        self.update(id_, body, self.read(id_) or {})
        return id_

    def read(self, id_: str) -> Body | None:
        """Return what is granted on the object itself, None if it is gone."""
        told = told_at(self.api, f"/api/2.1/unity-catalog/permissions/{id_}")
        if told is None:
            return None
        return {"object": id_, "grants": _sorted(told.get("privilege_assignments") or ())}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Grant what is missing and revoke what is too much."""
        wanted, held = _by_principal(body), _by_principal(now)
        changes = []
        for principal in sorted({*wanted, *held}):
            add = sorted(wanted.get(principal, set()) - held.get(principal, set()))
            remove = sorted(held.get(principal, set()) - wanted.get(principal, set()))
            if "ALL_PRIVILEGES" in remove:
                # Its revocation takes the single privileges too.
                add = sorted(wanted.get(principal, set()))
            if add or remove:
                changes.append({"principal": principal, "add": add, "remove": remove})
        if changes:
            path = f"/api/2.1/unity-catalog/permissions/{id_}"
            self.api.do("PATCH", path, body={"changes": changes})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - no data
        """Revoke all of it; fine if the object is gone."""
        now = self.read(id_)
        if now is not None:
            self.update(id_, {"grants": []}, now)

    def find(self, body: Body) -> str | None:  # noqa: ARG002 - every object may have some
        """Return None: grants are given, not made."""
        return None


def body_of(type_: str, full_name: str, entries: tuple[Body, ...]) -> dict[str, Any]:
    """Return the body of the grants on a resource."""
    return {"object": f"{OBJECTS[type_]}/{full_name}", "grants": _sorted(entries)}


def _sorted(entries: Iterable[Body]) -> list[Body]:
    made = ({"principal": e["principal"], "privileges": _privileges(e)} for e in entries)
    return sorted(made, key=lambda entry: str(entry["principal"]))


def _privileges(entry: Body) -> list[str]:
    return sorted({str(one).upper().replace(" ", "_") for one in entry.get("privileges") or ()})


def _by_principal(body: Body) -> dict[str, set[str]]:
    return {str(e["principal"]): set(_privileges(e)) for e in body.get("grants") or ()}
