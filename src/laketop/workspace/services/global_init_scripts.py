"""Global init scripts: kept in their order, and run on no cluster, for there is none."""

from __future__ import annotations

import secrets
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.compute import GlobalInitScriptDetailsWithContent

from laketop.workspace import wire
from laketop.workspace.kept import Kept, Record
from laketop.workspace.service import Service, route

_LARGEST = 64 * 1024
"""Of a script, in bytes. Source: databricks-sdk, `compute.GlobalInitScriptsAPI`."""


class GlobalInitScripts(Service):
    """Scripts as objects, disabled: one that is enabled would have to run.

    Source: databricks-sdk, `compute.GlobalInitScriptsAPI`.
    """

    @property
    def _kept(self) -> Kept:
        table = self.table("scripts")
        return Kept(table, "Global init script", GlobalInitScriptDetailsWithContent)

    @route("POST /api/2.0/global-init-scripts")
    def create(
        self, name: str, script: str, position: int | None = None, enabled: bool = False
    ) -> dict[str, str]:
        """Keep a script at a place in the order, at the end unless one is named."""
        self.workspace.require_admin()
        script_id, user, now = secrets.token_hex(8).upper(), self.workspace.user, self._now()
        made = {
            "script_id": script_id,
            **_checked(name, script, enabled=enabled),
            "created_by": user,
            "created_at": now,
            "updated_by": user,
            "updated_at": now,
        }
        self._place(made, len(self._kept.all()) if position is None else position)
        return {"script_id": script_id}

    @route("GET /api/2.0/global-init-scripts/{script_id}")
    def get(self, script_id: str) -> Record:
        """Return a script with its text, which is base64."""
        self.workspace.require_admin()
        return self._kept.existing(script_id)

    @route("GET /api/2.0/global-init-scripts")
    def list(self) -> dict[str, Any]:
        """Return the scripts in their order, without their texts."""
        self.workspace.require_admin()
        shown = [{k: v for k, v in one.items() if k != "script"} for one in self._ordered()]
        return {"scripts": shown}

    @route("PATCH /api/2.0/global-init-scripts/{script_id}")
    def update(
        self,
        script_id: str,
        name: str,
        script: str,
        *,
        position: int | None = None,
        enabled: bool = False,
    ) -> None:
        """Replace a script; it keeps its place unless another is named."""
        self.workspace.require_admin()
        kept = self._kept.existing(script_id)
        kept |= _checked(name, script, enabled=enabled)
        kept |= {"updated_by": self.workspace.user, "updated_at": self._now()}
        self._place(kept, kept["position"] if position is None else position)

    @route("DELETE /api/2.0/global-init-scripts/{script_id}")
    def delete(self, script_id: str) -> None:
        """Forget a script; those after it move up."""
        self.workspace.require_admin()
        self._kept.remove(script_id)
        self._number(self._ordered())

    def _place(self, script: Record, position: int) -> None:
        if position < 0:
            raise InvalidParameterValue(f"The position {position} is below 0.")
        others: Any = [o for o in self._ordered() if o["script_id"] != script["script_id"]]
        others.insert(position, script)
        self._number(others)

    def _number(self, scripts: Any) -> None:
        for position, script in enumerate(scripts):
            self._kept.put(script["script_id"], {**script, "position": position})

    def _ordered(self) -> Any:
        return sorted(self._kept.all(), key=lambda one: int(one["position"]))

    def _now(self) -> int:
        return self.workspace.now_ms()


def _checked(name: str, script: str, *, enabled: bool) -> Record:
    if enabled:
        raise NotServed("laketop runs no global init scripts: they are kept disabled.")
    if not name:
        raise InvalidParameterValue("Missing required field: name")
    size = len(wire.bytes_of("script", script))
    if not 0 < size <= _LARGEST:
        raise InvalidParameterValue(f"The script has {size} bytes, not from 1 to {_LARGEST}.")
    return {"name": name, "script": script, "enabled": False}
