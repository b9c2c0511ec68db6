"""One deployment at a time: of a project by a lock of the system, of a target by a file."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from laketop.bundle import Bundle
from laketop.errors import LaketopError
from laketop.workspace.deployment.folders import Folder

_WAIT_SECONDS = 120.0


@contextlib.contextmanager
def alone(state: Path, *, force: bool = False) -> Iterator[None]:
    """Be the only one of this project's deployments: its targets share the files that are built.

    The system lets go of the lock when a process ends, however it ends. `force` does not wait.
    Errors: LaketopError after two minutes.
    """
    folder = state / "deployments"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + _WAIT_SECONDS
    with (folder / "lock").open("w") as lock:
        while not _taken(lock) and not force:
            if time.monotonic() > deadline:
                raise LaketopError(
                    "another deployment of this bundle is under way",
                    hint="wait until it is done, or use --force-lock",
                )
            time.sleep(0.05)
        yield


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def locked(bundle: Bundle, folder: Folder, *, force: bool) -> Iterator[None]:
    """Hold the target's `deploy.lock` while the block runs; in development there is none.

    A lock that a process of this machine left behind, and that is gone, is taken over.
    Errors: LaketopError that says who holds it since when.
    Source: Databricks docs, bundle commands.
    """
    if not bundle.deploying.lock:
        yield
        return
    force = force or bundle.deploying.force_lock
    path = f"{bundle.workspace.state_path}/deploy.lock"
    mine = _mine(bundle.user, force=force)
    content = json.dumps(mine).encode()
    if force:
        folder.write(path, content)
    elif not folder.create(path, content):
        held = _read(folder, path)
        if not _is_left_behind(held):
            raise LaketopError(
                f"the target {bundle.target!r} is locked by {held.get('User', 'somebody')!r}"
                f" since {held.get('AcquisitionTime', 'an unknown time')}",
                hint="wait until that deployment is done, or use --force-lock",
            )
        folder.write(path, content)
    try:
        yield
    finally:
        if _read(folder, path).get("ID") == mine["ID"]:
            folder.remove(path)


def _mine(user: str, *, force: bool) -> dict[str, Any]:
    return {
        "ID": str(uuid.uuid4()),
        "AcquisitionTime": datetime.now(UTC).isoformat(),
        "IsForced": force,
        "User": user,
        "Host": socket.gethostname(),
        "Process": os.getpid(),
        "Started": _started(os.getpid()),
    }


def _read(folder: Folder, path: str) -> dict[str, Any]:
    try:
        told = json.loads(folder.read(path) or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_left_behind(held: dict[str, Any]) -> bool:
    """Return whether the holder was a process of this machine that is no more."""
    process = held.get("Process")
    if held.get("Host") != socket.gethostname() or not isinstance(process, int):
        return False
    return _started(process) != held.get("Started")


def _started(process: int) -> str | None:
    """Return what tells a process from an earlier one of the same number, None if it is gone."""
    try:
        told = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(") ")[2].split()
    except OSError:
        # Where there is no /proc, a number that answers is taken for the same process.
        return str(process) if not Path("/proc/self").exists() and _answers(process) else None
    return None if told[0] == "Z" else told[19]


def _answers(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
