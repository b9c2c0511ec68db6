"""Finds, starts and stops the workspace of a project, which runs as a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from laketop import durable
from laketop._version import __version__
from laketop.errors import LaketopError
from laketop.settings import FIRST_WORKSPACE, Settings
from laketop.workspace import in_use
from laketop.workspace.port_holder import check_free

_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_ENGINE_SECONDS = 300.0
_LOOK_SECONDS = 1.0
_LOOKS = 20


class RequestFailed(LaketopError):
    """The workspace answered with an error: its HTTP status and its `error_code`."""

    def __init__(self, message: str, *, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclasses.dataclass(frozen=True)
class Contact:
    """How to reach a running workspace, one of those of a project."""

    url: str
    token: str
    spark_remote: str
    pid: int
    version: str
    python: str = ""
    """The interpreter that runs the workspace, and its tasks."""
    workspace: str = FIRST_WORKSPACE
    """Its name; that which the token opens."""

    def within(self, workspace: str, token: str) -> Contact:
        """Return how to reach another workspace of the same process, by a token of it."""
        remote = self.spark_remote.replace(self.token, token)
        return dataclasses.replace(self, workspace=workspace, token=token, spark_remote=remote)

    def environment(self) -> dict[str, str]:
        """Return the variables by which clients find the workspace."""
        return {
            "DATABRICKS_HOST": self.url,
            "DATABRICKS_TOKEN": self.token,
            "MLFLOW_TRACKING_URI": "databricks",
            "MLFLOW_REGISTRY_URI": "databricks-uc",
            "SPARK_REMOTE": self.spark_remote,
        }

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = 60
    ) -> Any:
        """Send a request and return the decoded JSON of the answer.

        Errors: RequestFailed with the message of the workspace; LaketopError when it does not
        answer.
        """
        return json.loads(self.request_raw(method, path, body, seconds=seconds) or b"null")

    def request_raw(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = 60
    ) -> bytes:
        """Send a request and return the bytes of the answer; errors as `request`."""
        call = urllib.request.Request(  # noqa: S310 - the address is the loopback's
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        # Whatever proxy the user has: loopback is never behind it.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(call, timeout=seconds) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise _failed(error) from error
        except (urllib.error.URLError, OSError) as error:
            raise LaketopError(
                f"the workspace at {self.url} does not answer: {error}",
                hint="see `laketop status`, and `laketop up` to start it again",
            ) from error

    def wait_for_engine(self, show: Callable[[str], object] = lambda _: None) -> None:
        """Start the engine unless it runs, and return once it answers; `show` is told of it.

        Errors: LaketopError when it does not come up.
        """
        deadline = time.monotonic() + _ENGINE_SECONDS
        engine = self.request("POST", "/api/laketop/1/engine")
        while time.monotonic() < deadline:
            if engine["phase"] in {"serving", "warm"}:
                return
            if engine["phase"] == "failed":
                message, _, advice = str(engine["message"]).partition("\nhint: ")
                log = f"the engine's log is {engine['log']}"
                raise LaketopError(message, hint=f"{advice}; {log}" if advice else log)
            show(engine["message"] or "starting Spark")
            time.sleep(0.1)
            engine = self.request("GET", "/api/laketop/1/engine")
        raise LaketopError(
            f"the engine did not answer within {_ENGINE_SECONDS:g} seconds",
            hint="`laketop status` shows its log",
        )


def _failed(error: urllib.error.HTTPError) -> RequestFailed:
    text = error.read().decode("utf-8", errors="replace")
    try:
        told = json.loads(text)
        message, code = str(told["message"]), str(told.get("error_code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        message, code = f"the workspace answered {error.code}: {text[:300]}", ""
    return RequestFailed(message, status=error.code, code=code)


def find(settings: Settings) -> Contact | None:
    """Return how to reach the workspace that commands act on, None when none is running.

    Errors: NotFound for a workspace that the project has not.
    """
    name, contact = in_use.chosen(settings), find_first(settings)
    return None if contact is None else _within(settings, contact, name)


def _within(settings: Settings, contact: Contact, name: str) -> Contact:
    if name == FIRST_WORKSPACE:
        return contact
    return contact.within(name, in_use.token(settings, name))


def find_first(settings: Settings) -> Contact | None:
    """Return how to reach the project's first workspace, None when none is running."""
    if not locked(settings):
        return None
    try:
        told = json.loads((settings.state / "workspace.json").read_text(encoding="utf-8"))
        known = {field.name for field in dataclasses.fields(Contact)}
        # What another version wrote may hold more, or less; `start` then replaces it.
        return Contact(**{name: value for name, value in told.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def locked(settings: Settings) -> bool:
    """Return whether a workspace holds the project's state folder."""
    try:
        with (settings.state / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def hold(settings: Settings) -> Iterator[None]:
    """Hold the state folder for as long as the block runs.

    Errors: LaketopError, naming the process, when another workspace holds it.
    """
    file = settings.state / "lock"
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(lock):
            holder = file.read_text(encoding="utf-8").strip() or "another process"
            raise LaketopError(
                f"the workspace of {str(settings.root)!r} is running already, as process {holder}",
                hint="`laketop status` shows it, `laketop down` ends it",
            )
        kept(settings).unlink(missing_ok=True)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
        os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    """Take the lock; whoever only looks at it holds it for an instant, so try for a while."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS / _LOOKS)
        else:
            return True
    return False


def start(settings: Settings) -> Contact:
    """Return how to reach the workspace that commands act on, starting what is not running.

    Errors: LaketopError with the reason when it does not start; NotFound for a workspace that
    the project has not, before anything is started.
    """
    return started(settings)[0]


def started(settings: Settings) -> tuple[Contact, bool]:
    """Return what `start` does, and whether it was this call that started it; errors as there."""
    name = in_use.chosen(settings)
    contact, is_ours = _started_first(settings)
    return _within(settings, contact, name), is_ours


def wait_for_engine(
    settings: Settings,
    contact: Contact,
    *,
    is_ours: bool,
    show: Callable[[str], object] = lambda _: None,
) -> None:
    """Return once the engine answers. Where it does not, a workspace that is ours ends with it.

    So the next command starts anew, with whatever has been mended in its environment.
    Errors: as `Contact.wait_for_engine`.
    """
    try:
        contact.wait_for_engine(show)
    except (LaketopError, KeyboardInterrupt):
        if is_ours and not _is_at_work(settings, contact):
            show("ending the workspace that was starting")
            stop(settings)
        raise


def ready(settings: Settings, show: Callable[[str], object] = lambda _: None) -> Contact:
    """Return what `start` does, once the engine answers; errors as there and `wait_for_engine`."""
    contact, is_ours = started(settings)
    wait_for_engine(settings, contact, is_ours=is_ours, show=show)
    return contact


def _is_at_work(settings: Settings, contact: Contact) -> bool:
    """Tell whether others use what we have started: a run is active, or it was started anew."""
    now = find_first(settings)
    if now is None or now.pid != contact.pid:
        return True
    try:
        told = now.request("GET", "/api/laketop/1/status", seconds=_LOOK_SECONDS)
    except LaketopError:
        return False
    return bool(told.get("active_runs_of_all", told["active_runs"]))


def start_first(settings: Settings) -> Contact:
    """Return how to reach the project's first workspace; errors as `start`.

    Whoever is interrupted meanwhile ends what was starting.
    """
    return _started_first(settings)[0]


def _started_first(settings: Settings) -> tuple[Contact, bool]:
    contact = find_first(settings)
    if contact is not None and not _is_other(contact):
        return contact, False
    if contact is not None:
        _leave(settings, contact)
    if not locked(settings):
        check_free(settings.port)
    prepare(settings)
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as pipe:
        try:
            process = _launch(settings, writer)
        finally:
            os.close(writer)
        try:
            process.wait()
            told = pipe.readline()
            contact = _found_soon(settings)
        except KeyboardInterrupt:
            _abandon(settings, process, pipe)
            raise
    reason = json.loads(told) if told.startswith("{") else {}
    if contact is not None:
        # Of two that start at the same moment, one is told that the other has been faster.
        return contact, bool(reason.get("ready"))
    raise LaketopError(
        reason.get("error", "the workspace did not start"),
        hint=reason.get("hint") or f"its log is {settings.state / 'logs' / 'workspace.log'}",
    )


def _is_other(contact: Contact) -> bool:
    return (contact.version, contact.python) != (__version__, sys.executable)


def _leave(settings: Settings, contact: Contact) -> None:
    """End a workspace that another laketop or another Python started, unless it is at work.

    Errors: LaketopError when a run is active in it.
    """
    told = contact.request("GET", "/api/laketop/1/status")
    active = told.get("active_runs_of_all", told["active_runs"])
    if active:
        raise LaketopError(
            f"the workspace that runs here is that of laketop {contact.version} under"
            f" {contact.python}, and has {active} active runs",
            hint="wait for them, or end it with `laketop down`",
        )
    stop(settings)


def _found_soon(settings: Settings) -> Contact | None:
    """Wait for the workspace that we, or another at the same moment, have started."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        contact = find_first(settings)
        if contact is not None or not locked(settings):
            return contact
        time.sleep(0.05)
    return None


def prepare(settings: Settings) -> None:
    """Make the state folder, private and ignored by git.

    Errors: LaketopError when it cannot be written.
    """
    try:
        for folder in (settings.state, settings.state / "logs"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ignore = settings.state / ".gitignore"
        if not ignore.exists():
            durable.write(ignore, b"*\n")
    except OSError as error:
        raise LaketopError(
            f"the state folder {str(settings.state)!r} cannot be written: {error.strerror}",
            hint="make room, or give yourself the right to write there",
        ) from error


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _launch(settings: Settings, notify: int) -> subprocess.Popen[bytes]:
    """Start the process, which leaves us at once: it is nobody's child that we should wait for.

    What it leaves behind is in a process group that has its number.
    """
    log = settings.state / "logs" / "workspace.log"
    with open(log, "ab", opener=_privately) as out:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "laketop.workspace"),
                *("--root", str(settings.root), "--port", str(settings.port)),
                *("--notify", str(notify)),
                *(("--faults",) if settings.faults else ()),
            ],
            cwd=settings.root,
            env={**settings.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=(notify,),
            start_new_session=True,
        )


def _abandon(settings: Settings, process: subprocess.Popen[bytes], pipe: TextIO) -> None:
    """End the workspace that is starting in the group of a process, and wait until it is gone.

    Errors: LaketopError when it does not end.
    """
    group = process.pid
    known: set[int] = set()

    def is_there() -> bool:
        process.poll()
        holder = _holder_in(settings, group)
        known.update({holder} if holder else ())
        return not _is_closed(pipe) or holder is not None or any(map(_is_there, known))

    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        deadline = time.monotonic() + _STOP_SECONDS
        while is_there() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not is_there():
            process.wait()
            return
    raise LaketopError(
        f"the workspace that was starting, process group {group}, does not end",
        hint=f"kill -9 -{group}",
    )


def _is_closed(pipe: TextIO) -> bool:
    """Return whether nobody is left who could still tell something there."""
    readable, _, _ = select.select([pipe], [], [], 0)
    return bool(readable) and not os.read(pipe.fileno(), 1000)


def _holder_in(settings: Settings, group: int) -> int | None:
    """Return the process of a group that holds the state folder; 0 if it cannot be told yet."""
    if not locked(settings):
        return None
    text = (settings.state / "lock").read_text(encoding="utf-8").strip()
    if not text.isdecimal():
        return 0
    try:
        return int(text) if os.getpgid(int(text)) == group else None
    except ProcessLookupError:
        return None


def stop(settings: Settings) -> bool:
    """End the project's workspace and everything it runs; return whether one was running.

    Errors: LaketopError when it does not end.
    """
    if not locked(settings):
        return False
    pid = _holder(settings)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _STOP_SECONDS
        while (locked(settings) or _is_there(pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not locked(settings):
            return True
    raise LaketopError(f"the workspace, process {pid}, does not end", hint=f"kill -9 {pid}")


def _holder(settings: Settings) -> int:
    """Return the process that holds the state folder; it writes its number once it holds it."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and locked(settings):
        text = (settings.state / "lock").read_text(encoding="utf-8").strip()
        if text.isdecimal() and int(text) > 1:
            return int(text)
        time.sleep(0.02)
    raise LaketopError(
        f"the lock of {str(settings.state)!r} does not say which process holds it",
        hint="try again",
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        # A process that has ended but that nobody waits for is as good as gone.
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2][:1] != "Z"
    except OSError:
        return True


def kept(settings: Settings) -> Path:
    """Return the file that says how to reach the workspace."""
    return settings.state / "workspace.json"
