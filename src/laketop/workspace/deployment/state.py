"""What a target's deployment has put on a workspace: `resources.json` under its state path."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any

from laketop.errors import LaketopError
from laketop.workspace.deployment.folders import Folder

_VERSION = 2
_PREFIX = "resources."


@dataclasses.dataclass
class Entry:
    """One resource that was deployed.

    `id` is empty for one whose creation has begun and is not known to have ended. `body` is what
    was sent, `seen` what the workspace told right afterwards: what differs from it later was
    changed by somebody else. `shared` was there before, and stays when the deployment goes.
    """

    id: str
    body: Any
    seen: Any = None
    shared: bool = False


class State:
    """The resources of a deployment by their names, such as "jobs.score".

    The file has the official tools' form: `{state_version, lineage, serial, state}`, each resource
    with `__id__` and `state`. Source: Databricks docs, bundle commands.
    """

    def __init__(self, folder: Folder, path: str) -> None:
        self._folder = folder
        self._file = f"{path}/resources.json"
        self.entries: dict[str, Entry] = {}
        self.made: list[str] = []
        """Catalogs and schemas that were made along the way, `schemas/main.x`; local only."""
        self._serial = 0
        self._lineage = ""
        self._read()

    def look_up(self, name: str) -> Entry | None:
        """Return what is deployed under a name, None for nothing or what only began."""
        entry = self.entries.get(name)
        return entry if entry is not None and entry.id else None

    def save(self) -> None:
        """Write the file, whole or not at all. Errors: LaketopError."""
        self._lineage = self._lineage or str(uuid.uuid4())
        self._serial += 1
        content = {
            "state_version": _VERSION,
            "lineage": self._lineage,
            "serial": self._serial,
            "state": {
                f"{_PREFIX}{name}": {
                    "__id__": entry.id,
                    "state": entry.body,
                    "seen": entry.seen,
                    **({"shared": True} if entry.shared else {}),
                }
                for name, entry in self.entries.items()
            },
            **({"made": self.made} if self.made else {}),
        }
        self._folder.write(self._file, json.dumps(content, indent=1).encode())

    def _read(self) -> None:
        content = self._folder.read(self._file)
        if content is None:
            return
        try:
            told = json.loads(content)
            version = told["state_version"]
            self._serial, self._lineage = int(told["serial"]), str(told["lineage"])
            self.made = [str(name) for name in told.get("made", ())]
            for name, kept in told["state"].items():
                self.entries[name.removeprefix(_PREFIX)] = Entry(
                    str(kept["__id__"]), kept["state"], kept.get("seen"), bool(kept.get("shared"))
                )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LaketopError(
                f"the state of the deployment, {self._file!r}, cannot be read: {error!r}",
                hint="bring back an older copy of it, or delete it and deploy anew",
            ) from error
        if version != _VERSION:
            raise LaketopError(
                f"the state of the deployment, {self._file!r}, is of version {version!r},"
                f" and version {_VERSION} is known here",
                hint="use a newer laketop",
            )
