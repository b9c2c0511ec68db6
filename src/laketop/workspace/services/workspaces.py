"""The workspaces of the project, side by side over one metastore; Databricks has no such routes."""

from __future__ import annotations

import re
import secrets
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
    ResourceConflict,
)

from laketop import durable
from laketop.settings import FIRST_WORKSPACE, workspace_folder
from laketop.workspace.service import Service, route
from laketop.workspace.workspace import Workspace

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LAST = "last"


class Workspaces(Service):
    """The workspaces of one process: the first one, and those that were made beside it.

    Each has records, files, an MLflow database and a clock of its own, all in a folder of its
    own: what is asked of one cannot be answered out of another.
    """

    shared = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._open: dict[str, Workspace] = {FIRST_WORKSPACE: workspace}
        self._making = threading.Lock()
        self._has_begun = False

    def start(self) -> None:
        """Open the workspaces that were made before."""
        with self.store.transaction(write=False):
            kept = dict(self.table("workspaces"))
        for name, told in kept.items():
            self._open[name] = self._opened(name, told)

    def shutdown(self) -> None:
        """Shut the other workspaces down."""
        for one in self._others():
            one.shutdown()

    def begin(self) -> None:
        """Let the schedules and triggers of the other workspaces fire from now on."""
        self._has_begun = True
        for one in self._others():
            one.begin()

    def all(self) -> Mapping[str, Workspace]:
        """Return the workspaces by name, the first one first."""
        return dict(self._open)

    def active_runs(self) -> int:
        """Return how many runs are active, in whichever workspace."""
        return sum(one.laketop.active_runs() for one in self._open.values())

    @route("GET /api/laketop/1/workspaces", write=False)
    def list(self) -> dict[str, Any]:
        """Return name and id of every workspace."""
        return {"workspaces": [_shown(one) for one in self._open.values()]}

    @route("POST /api/laketop/1/workspaces")
    async def create(self, name: str) -> dict[str, Any]:
        """Make a workspace over the same metastore. Errors: ResourceAlreadyExists."""
        self.workspace.require_admin()
        if not _NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"The name {name[:100]!r} of a workspace is not of small letters, digits and"
                " hyphens, at most 63."
            )
        return await anyio.to_thread.run_sync(self._create, name)

    def _create(self, name: str) -> dict[str, Any]:
        with self._making:
            if name in self._open:
                raise ResourceAlreadyExists(f"Workspace '{name}' already exists.")
            self.workspace.workspace_bindings.check_new_workspace()
            folder = workspace_folder(self.workspace.metastore, name)
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed meanwhile
            with self.store.transaction(write=True):
                kept = self.store.table("workspace")
                told = {"ordinal": kept.get(_LAST, 0) + 1}
                kept[_LAST] = told["ordinal"]
                self.workspace.tokens.within(name).revoke_all()  # as above
            made = self._opened(name, told)
            with self.store.transaction(write=True):
                self.table("workspaces")[name] = told
            self._open[name] = made
            if self._has_begun:
                made.begin()
            return _shown(made)

    @route("DELETE /api/laketop/1/workspaces/{name}")
    async def delete(self, name: str) -> None:
        """Delete a workspace in which nothing runs; what the metastore holds stays.

        Errors: NotFound; BadRequest for the first one; ResourceConflict while runs are active.
        """
        self.workspace.require_admin()
        await anyio.to_thread.run_sync(self._delete, name)

    def _delete(self, name: str) -> None:
        with self._making:
            found = self._open.get(name)
            if found is None:
                raise NotFound(f"Workspace '{name[:100]}' does not exist.")
            if found is self.workspace:
                raise BadRequest(
                    f"Workspace '{name}' holds what all share, and stays.",
                    error_code="INVALID_STATE",
                )
            active = found.laketop.active_runs()
            if active:
                raise ResourceConflict(f"Workspace '{name}' has {active} active runs.")
            (found.state / "token").unlink(missing_ok=True)  # by which commands know of it
            with self.store.transaction(write=True):
                found.tokens.revoke_all()
                self.workspace.service_principal_secrets_proxy.forget_workspace(name)
                del self.table("workspaces")[name]
            del self._open[name]
            found.serving_endpoints.payloads.close()
            found.system_tables.hand_over(self.store)
            found.shutdown()
            shutil.rmtree(found.state)
            self.workspace.serving_endpoints.payloads.begin()

    def _opened(self, name: str, told: Mapping[str, Any]) -> Workspace:
        first = self.workspace
        made = Workspace(
            first.settings,
            now_ms=first.now_ms.unmoved(),
            name=name,
            first=first,
            ordinal=told["ordinal"],
        )
        own = _own_token(made.state)
        made.tokens.add(own, made.settings.user)

        def environment() -> Mapping[str, str]:
            given = first.environment_for_tasks()
            token = given.get("DATABRICKS_TOKEN")
            if not token:
                return given
            told = {key: value.replace(token, own) for key, value in given.items()}
            return {**told, "LAKETOP_WORKSPACE": name}

        made.environment_for_tasks = environment
        return made

    def _others(self) -> tuple[Workspace, ...]:
        return tuple(one for one in self._open.values() if one is not self.workspace)


def _own_token(folder: Path) -> str:
    """Return the token of whoever is at the laptop, made with the workspace and kept 0600."""
    file = folder / "token"
    if not file.exists():
        # A file made in the scratch folder is readable by its owner alone.
        made = secrets.token_urlsafe(32).encode("ascii")
        durable.write(file, made, scratch=folder / "uploads")
    return file.read_text(encoding="ascii").strip()


def _shown(workspace: Workspace) -> dict[str, Any]:
    return {
        "workspace_name": workspace.name,
        "workspace_id": int(workspace.workspace_id),
        "is_first": workspace.first is workspace,
    }
