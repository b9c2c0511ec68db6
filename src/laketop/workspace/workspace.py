"""A workspace: its settings, records, tokens, and the services that share them."""

from __future__ import annotations

import contextvars
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import PermissionDenied

from laketop.errors import LaketopError
from laketop.settings import FIRST_WORKSPACE, Settings, workspace_folder
from laketop.workspace import admissions, audit, principals
from laketop.workspace.audit import Audit
from laketop.workspace.clock import MovableClock
from laketop.workspace.faults import Faults
from laketop.workspace.identity import Tokens
from laketop.workspace.links import Links
from laketop.workspace.principals import Principals
from laketop.workspace.service import Service, service_classes
from laketop.workspace.store import Shared, Store

_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("caller", default=None)
_asked: contextvars.ContextVar[Workspace | None] = contextvars.ContextVar("asked", default=None)

_FOLDERS = ("files", "artifacts", "runs", "uploads", "logs")
_SHARED_FOLDERS = ("catalog", "models", "dbfs")
_IDS_APART = 10**12
"""How far the ids of jobs and runs of two workspaces are apart: one of them has each."""


class Workspace:
    """One workspace of a project; services are its attributes, named as on `WorkspaceClient`.

    The first one also keeps what all of them share: the metastore, users and groups, and the
    digests of tokens. `first` is that one, for a further workspace, whose `ordinal` is its own
    for ever.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        now_ms: MovableClock | None = None,
        name: str = FIRST_WORKSPACE,
        first: Workspace | None = None,
        ordinal: int = 0,
    ) -> None:
        self.settings = settings
        self.name = name
        self.first = first or self
        self.first_id = ordinal * _IDS_APART + 1
        """The smallest id that a job or a run of this workspace has."""
        self.state = workspace_folder(settings.state, name)
        """The folder of everything that the workspace keeps for itself."""
        self.now_ms = now_ms or MovableClock()
        self._host = "http://127.0.0.1"
        self.environment_for_tasks: Callable[[], Mapping[str, str]] = lambda: settings.environment
        """Returns the whole environment of a task's process; set by the process' main."""
        self.faults: Faults | None = None
        """The faults that requests of every workspace here meet; None where none are allowed."""
        self._make_folders()
        self.store = Store(self.state / "laketop.db")
        self._admins: frozenset[str] = frozenset()
        self._admitting = threading.RLock()
        self._lent: dict[str, str] = {}
        self._lending = threading.Lock()
        self.principals = Principals(Shared(first.store) if first else self.store)
        self.tokens: Tokens = (
            first.tokens.within(name, self.now_ms)
            if first
            else Tokens(self.store, now_ms=self.now_ms, changed=self._admit)
        )
        if first is None:
            self._begin_directory()
        self.links = Links()
        self.workspace_id = self._workspace_id()
        admissions.write_metastore(self.metastore / "catalog", self.global_metastore_id)
        self.audit = Audit(self.store, now_ms=self.now_ms, workspace_id=self.workspace_id)
        self.services: dict[str, Service] = {
            name: first.services[name] if first and service.shared else service(self)
            for name, service in service_classes().items()
        }
        self._own = [one for one in self.services.values() if one.workspace is self]
        self._start()

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__.get("services", {}).get(name)
        if found is None:
            raise AttributeError(f"the workspace has no service {name!r}")
        return found

    @property
    def user(self) -> str:
        """The user who sent the request in hand; outside of one, the person at the laptop."""
        return _caller.get() or self.settings.user

    @property
    def asked(self) -> Workspace:
        """The workspace that the request in hand was sent to, for services that all share."""
        return _asked.get() or self

    @property
    def host(self) -> str:
        """The address at which clients reach every workspace; set once the port is known."""
        return self.first._host  # noqa: SLF001 - one of our own

    @host.setter
    def host(self, address: str) -> None:
        self._host = address

    @property
    def metastore(self) -> Path:
        """The folder of what the workspaces share: catalogs, models and dbfs:/."""
        return self.settings.state

    @property
    def metastore_id(self) -> str:
        """The id of the metastore, which is that of the first workspace."""
        return self.first.workspace_id

    @property
    def global_metastore_id(self) -> str:
        """The id of the metastore with its cloud and region, as `current_metastore()` tells it."""
        return f"local:local:{self.metastore_id}"

    @property
    def admins(self) -> frozenset[str]:
        """The names of those who may do everything, in every workspace."""
        return self.first._admins  # noqa: SLF001 - one of our own

    def environment_as(self, user: str) -> Mapping[str, str]:
        """Return the environment of a process that has the rights of a user, and no others.

        Its token is of this process alone: it ends with the workspace.
        Errors: LaketopError for a user who is not there any more.
        """
        environment = self.environment_for_tasks()
        own = environment.get("DATABRICKS_TOKEN")
        if user == self.settings.user or not own:
            return environment
        with self._lending:
            self._require_known(user)
            if self.tokens.user_of(self._lent.get(user, "")) != user:
                self._lent[user] = self.tokens.issue(user, kind="task")
            lent = self._lent[user]
        return {name: value.replace(own, lent) for name, value in environment.items()}

    def spark_remote_as(self, user: str) -> str:
        """Return the engine's address for who has the rights of a user; it may wait for the engine.

        Errors: as `environment_as`.
        """
        return self.environment_as(user)["SPARK_REMOTE"]

    def _require_known(self, user: str) -> None:
        with self.store.reading():
            known = user in principals.RESERVED or self.principals.find(user) is not None
        if not known:
            raise LaketopError(
                f"{user!r} is no principal of this workspace any more",
                hint="set run_as of the job to somebody who is",
            )

    def act_for(self, user: str) -> None:
        """Let what follows in this context be done for `user`."""
        _caller.set(user)
        _asked.set(self)

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything; whoever is at the laptop may."""
        return self.user in self.admins

    def require_admin(self) -> None:
        """Let only admins pass. Errors: PermissionDenied."""
        if not self.is_admin:
            raise PermissionDenied(f"User {self.user} is not an admin of this workspace.")

    def groups_of_caller(self) -> set[str]:
        """Return the names of the groups that the caller is in, through groups too."""
        with self.store.reading():
            return self.principals.groups_of(self.user)

    def principals_changed(self) -> None:
        """Let everything that remembers principals look again; called once they are committed."""
        with self._admitting:
            with self.store.reading():
                self._admins = frozenset(self.principals.admins())
                self.tokens.suspend(self.principals.inactive())
            self._admit()

    def _make_folders(self) -> None:
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in _FOLDERS:
            (self.state / folder).mkdir(mode=0o700, exist_ok=True)
        for folder in _SHARED_FOLDERS:
            (self.metastore / folder).mkdir(mode=0o700, exist_ok=True)
        for left in (self.state / "uploads").iterdir():
            left.unlink()

    def _begin_directory(self) -> None:
        """Open what all workspaces share of users, groups and tokens; of the first one alone."""
        with self.store.transaction(write=True):
            for statement in principals.SCHEMA:
                self.store.execute(statement)
            self.principals.seed(self.settings.user)
        self.tokens.revoke_kind("task")
        self.principals_changed()

    def _admit(self) -> None:
        catalog = self.metastore / "catalog"
        with self._admitting:  # the last to write is the last to have looked
            with self.store.reading():
                members = self.principals.members()
            admissions.write(catalog, self.tokens.open(), admins=self.admins, members=members)

    def shutdown(self) -> None:
        """Stop what is running, wait for it, and close the store; a second call does nothing."""
        for service in reversed(self._own):  # the other workspaces before what they share
            service.shutdown()
        self.store.close()

    def _workspace_id(self) -> str:
        with self.store.transaction(write=True):
            kept = self.store.table("workspace")
            if "id" not in kept:
                kept["id"] = str(random.SystemRandom().randrange(10**15, 10**16))
            return str(kept["id"])

    def _start(self) -> None:
        with self.store.transaction(write=True):
            for statement in (*audit.SCHEMA, *(s for one in self._own for s in one.schema)):
                self.store.execute(statement)
        for service in self._own:
            service.start()

    def begin(self) -> None:
        """Let runs that were cut off go on, and triggers fire: whatever runs need is there."""
        self.jobs.begin()
        self.clock.scheduler.begin()
        self.system_tables.begin()
        if self.first is self:
            self.workspaces.begin()
