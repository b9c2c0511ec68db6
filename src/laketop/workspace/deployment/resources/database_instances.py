"""Instances of Postgres: on the local workspace objects that nobody starts."""

from __future__ import annotations

import time
from typing import Any

from laketop.errors import LaketopError
from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, ByName, Kept

_PATH = "/api/2.0/database/instances"
_OWN = ("name", "capacity", "custom_tags", "usage_policy_id", "parent_instance_ref")
_EFFECTIVE = (
    *("enable_pg_native_login", "enable_readable_secondaries", "node_count"),
    *("retention_window_in_days", "stopped"),
)
"""What answers tell under `effective_...` alone, since the workspace has defaults for it."""
_ON_THE_WAY = frozenset({"STARTING", "UPDATING", "FAILING_OVER"})
_PATIENCE = 20 * 60.0
"""Seconds for which the SDK waits as well."""


class DatabaseInstances(ByName):
    """An instance, whose name is its id; deleting it deletes its databases.

    Source: databricks-sdk, `database.DatabaseAPI`.
    """

    immutable = frozenset({"name", "parent_instance_ref"})
    lasting = frozenset(_EFFECTIVE) | {"capacity", "usage_policy_id"}
    holds_data = True

    def create(self, body: Body) -> str:
        """Create it and wait until a catalog can be made of it; its name is its id."""
        sent = {name: body[name] for name in (*_OWN, *_EFFECTIVE) if name in body}
        self.api.do("POST", _PATH, body=sent)
        self._settle(str(body["name"]))
        return str(body["name"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        if told is None:
            return None
        found: dict[str, Any] = {name: told[name] for name in _OWN if told.get(name)}
        effective = {name: told.get(f"effective_{name}") for name in _EFFECTIVE}
        return found | {name: value for name, value in effective.items() if value is not None}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change what differs; tags that the bundle no longer has are emptied."""
        names = [name for name in (*_OWN, *_EFFECTIVE) if name not in self.immutable]
        changed = [name for name in names if name in body and body[name] != now.get(name)]
        if now.get("custom_tags") and "custom_tags" not in body:
            changed.append("custom_tags")
        if not changed:
            return
        sent = {"name": id_, **{name: body[name] for name in changed if name in body}}
        self.api.do("PATCH", f"{_PATH}/{id_}", query={"update_mask": ",".join(changed)}, body=sent)
        self._settle(id_)

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it with its databases; fine if it is gone. Errors: Kept without `purge`."""
        if not purge and self.read(id_) is not None:
            hint = "--purge deletes it with all its databases"
            raise Kept(f"The database instance {id_!r} may hold data.", hint=hint)
        remove(self.api, "DELETE", f"{_PATH}/{id_}")

    def _settle(self, id_: str) -> None:
        until = time.monotonic() + _PATIENCE
        while (told_at(self.api, f"{_PATH}/{id_}") or {}).get("state") in _ON_THE_WAY:
            if time.monotonic() > until:
                raise LaketopError(
                    f"the database instance {id_!r} does not come up",
                    hint="deploy again when the workspace shows it as available",
                )
            time.sleep(5)
