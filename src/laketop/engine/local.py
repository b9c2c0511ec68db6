"""Starts the warm local engine, one Spark Connect server in a JVM, and keeps it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from laketop import durable
from laketop.engine import archive, command, jars, java, workers
from laketop.engine.connect import RemoteEngine
from laketop.engine.runtime import Runtime
from laketop.errors import LaketopError
from laketop.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)

Phase = Literal["stopped", "starting", "serving", "warm", "idle", "failed"]

_STARTS_IN_A_ROW = 4
_LASTED_SECONDS = 60.0
_GRACE_SECONDS = 30.0
_SWEEP_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class EngineState:
    """What the engine is doing: `serving` answers, `warm` has also run its first statements."""

    phase: Phase
    pid: int | None = None
    restarts: int = 0
    message: str = ""

    @property
    def answers(self) -> bool:
        """Whether a session can be opened now."""
        return self.phase in {"serving", "warm"}


class LocalEngine:
    """The engine of one project, supervised: it restarts after a crash and ends with us."""

    def __init__(
        self,
        settings: Settings,
        *,
        token: str,
        port: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.runtime = Runtime.load(settings.runtime)
        self.token = token
        self.port = port or free_port()
        self.catalog = settings.state / "catalog"
        self._say = say
        self._folder = settings.state / "engine"
        self._state = EngineState("stopped")
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def remote(self) -> str:
        """The Spark Connect address, for SPARK_REMOTE.

        The host is spelled localhost: only then does the client send a token without TLS.
        """
        return f"sc://localhost:{self.port}/;token={self.token}"

    @property
    def state(self) -> EngineState:
        """What the engine is doing now."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process that is the engine now, None if there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def log(self) -> Path:
        """The file that holds what the JVM prints."""
        return self._folder / "engine.log"

    def session(self) -> SparkSession:
        """Return a new session, once the engine answers."""
        self.wait()
        return RemoteEngine(self.remote).session()

    def start(self) -> None:
        """Start the engine, if it is not started, and return at once.

        Errors: LaketopError once it has been stopped.
        """
        with self._changed:
            self._begin()

    def _begin(self) -> None:
        if self._stopping.is_set():
            raise LaketopError("the engine has ended with its workspace", hint="`laketop up`")
        if self._thread is not None and self._thread.is_alive() and self._state.phase != "idle":
            return
        self._state = EngineState("starting")
        self._thread = threading.Thread(target=self._supervise, name="engine", daemon=True)
        self._thread.start()

    def wait(self, *, warm: bool = False, timeout_seconds: float = 300.0) -> EngineState:
        """Start the engine where needed, and return once it answers, or is `warm`.

        Errors: LaketopError when it does not come up, with the last words of its log, or is
        stopped.
        """
        self.start()
        wanted = {"warm"} if warm else {"serving", "warm"}
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self._state.phase not in wanted | {"failed"}:
                if self._state.phase in {"idle", "stopped"}:
                    self._begin()
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise LaketopError(
                        f"the engine did not answer within {timeout_seconds:g} seconds",
                        hint=f"its log is {self.log}",
                    )
        if self._state.phase == "failed":
            raise LaketopError(self._state.message, hint=f"the engine's log is {self.log}")
        return self._state

    def stop(self) -> None:
        """End the engine for good and wait until its process is gone."""
        with self._changed:  # whoever still wants it has begun before, or is refused
            self._stopping.set()
        process = self._process
        if process is not None:
            end(process, _GRACE_SECONDS)
        if self._thread is not None:
            self._thread.join()
        self._become(EngineState("stopped"))

    def _become(self, state: EngineState) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _supervise(self) -> None:
        try:
            self._keep()
        except LaketopError as error:
            self._become(EngineState("failed", message=str(error)))
        except Exception as error:
            # Whoever waits for the engine must hear of it, whatever it was.
            log.exception("the engine could not be started")
            said = f"the engine could not be started: {error or type(error).__name__}"
            self._become(EngineState("failed", message=said))

    def _keep(self) -> None:
        jars.require_spark(self.runtime)
        found = java.find(self.settings, self.runtime)
        paths = jars.ensure(self.settings, self.runtime, found, self._say)
        admit(self.catalog, token=self.token, user=self.settings.user, admin=True)
        failures = restarts = 0
        while not self._stopping.is_set():
            if not is_free(self.port):
                raise LaketopError(
                    f"port {self.port} of the engine is in use by another program; `laketop down`"
                    " and `laketop up` give the engine another one"
                )
            began = time.monotonic()
            code = self._run(found, paths, restarts)
            if self._stopping.is_set():
                return
            if code == 0:
                self._become(EngineState("idle", restarts=restarts))
                return
            failures = failures + 1 if time.monotonic() - began < _LASTED_SECONDS else 1
            if failures >= _STARTS_IN_A_ROW:
                raise LaketopError(
                    f"the engine ended {failures} times in a row, the last time with code {code}"
                    f"{self._last_words()}"
                )
            restarts += 1

    def _run(self, found: Path, paths: tuple[Path, ...], restarts: int) -> int:
        """Run the JVM once and return its exit code."""
        for name in ("tmp", "conf"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        workers.write_program(self._folder)
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        kept = archive.of(self.settings.cache, found, paths)
        arguments = command.line(
            self.settings,
            java=found,
            jars=paths,
            folder=self._folder,
            catalog=self.catalog,
            port=self.port,
            ready=ready,
            confs=self.runtime.confs,
            archive=kept.flags(),
        )
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                arguments,
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        self._become(EngineState("starting", pid=process.pid, restarts=restarts))
        if self._stopping.is_set():
            end(process, _GRACE_SECONDS)
        self._follow(process, ready, restarts)
        code = process.wait()
        kept.keep(code)
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)
        return code

    def _follow(self, process: subprocess.Popen[bytes], ready: Path, restarts: int) -> None:
        """Tell of each phase that the JVM reaches, until it is warm or gone."""
        phase = "starting"
        while phase != "warm":
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                now = ready.read_text(encoding="utf-8").strip() if ready.exists() else phase
            else:
                return
            if now != phase and now in {"serving", "warm"}:
                phase = now
                self._become(EngineState(phase, pid=process.pid, restarts=restarts))  # type: ignore[arg-type] # checked the line above

    def _environment(self) -> dict[str, str]:
        own = {
            name: value
            for name, value in self.settings.environment.items()
            if not name.startswith(("SPARK_", "PYSPARK_", "DATABRICKS_", "JAVA_TOOL_OPTIONS"))
        }
        return own | {
            "LC_ALL": "C.UTF-8",  # else the JVM cannot spell names like `größe` as files
            "SPARK_HOME": str(jars.spark_home()),
            "SPARK_CONF_DIR": str(self._folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": str(workers.program(self._folder)),
        }

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines[-200:] if "Exception" in line or "Error" in line]
        return f": {telling[-1].strip()}" if telling else ""


def admit(catalog: Path, *, token: str, user: str, admin: bool) -> None:
    """Let the bearer of `token` into the engine as `user`; only the digest is kept on disk."""
    catalog.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = catalog / "_users.json"
    users = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    digest, entry = hashlib.sha256(token.encode()).hexdigest(), {"user": user, "admin": admin}
    if users.get(digest) == entry:
        return
    users = {key: kept for key, kept in users.items() if kept.get("user") != user}
    users[digest] = entry
    durable.write_json(file, users)


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port of the loopback interface."""
    with socket.socket() as probe:
        # As the engine binds it: ports of connections that have ended count as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def end(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask the process group of `process` to end, and kill what is left when the grace is over."""
    for number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        break
    _sweep(process.pid)


def _sweep(group: int) -> None:
    """Kill what a leader that has ended left in its group: a JVM does not wait for its `rm`."""
    deadline = time.monotonic() + _SWEEP_SECONDS
    # PermissionError is how a Mac calls a group of processes that have ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(group, signal.SIGKILL)
            time.sleep(0.01)
