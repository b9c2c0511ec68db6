"""Execution contexts: each a Python process that keeps its variables from command to command."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from laketop.runner.hosted import child_environment
from laketop.runner.paths import Places
from laketop.runner.request import REQUEST_FILE, Request

_GRACE_SECONDS = 5.0
_AGAIN_SECONDS = 0.2
MOST_COMMANDS = 1000
"""How many commands of a context are remembered."""
MOST_CHARACTERS = 50_000_000
"""How much the results that a context remembers may hold together; the newest one always stays."""


@dataclasses.dataclass
class Command:
    """A command and how it stands, in the API's words."""

    id: str
    language: str
    text: str
    status: str = "Queued"
    results: dict[str, Any] | None = None
    is_cancelled: bool = False
    size: int = 0
    """Characters of the results as they came."""
    ended: threading.Event = dataclasses.field(default_factory=threading.Event)
    """Set once it is handed back, whatever became of it."""

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to come."""
        return self.status not in {"Queued", "Running", "Cancelling"}


class Context:
    """One context: a thread hands its process one command after the other.

    `environment` may wait for the engine; it is asked by that thread.
    """

    def __init__(
        self,
        *,
        owner: str,
        cluster_id: str,
        language: str,
        folder: Path,
        state: Path,
        environment: Callable[[], Mapping[str, str]],
    ) -> None:
        self.id = uuid.uuid4().hex[:19]
        self.owner, self.cluster_id, self.language = owner, cluster_id, language
        self.status = "Pending"
        self.commands: dict[str, Command] = {}
        self._folder = folder / self.id
        self._state = state
        self._environment = environment
        self._waiting: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[str] | None = None
        self._guard = threading.Lock()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name=f"laketop-{self.id}", daemon=True)
        self._thread.start()

    def execute(self, language: str, text: str) -> Command:
        """Take a command on, and return it at once."""
        command = Command(uuid.uuid4().hex, language, text)
        with self._guard:
            ended = [c.id for c in self.commands.values() if c.has_ended]
            for old in ended[: max(0, len(self.commands) - MOST_COMMANDS)]:
                del self.commands[old]
            self.commands[command.id] = command
        self._waiting.put(command)
        return command

    def cancel(self, command: Command) -> None:
        """End a command: one that waits is not run, one that runs is interrupted."""
        with self._guard:
            if command.status == "Queued":
                command.status, command.is_cancelled = "Cancelled", True
            elif command.status == "Running" and self._process is not None:
                command.status, command.is_cancelled = "Cancelling", True
                threading.Thread(target=self._interrupt, args=(command,), daemon=True).start()

    def _interrupt(self, command: Command) -> None:
        # Again and again: the process takes no notice before it has begun with the command.
        while self._process is not None and not command.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            command.ended.wait(_AGAIN_SECONDS)

    def close(self) -> None:
        """End the process and whatever it started."""
        self._is_over = True
        self._waiting.put(None)
        with self._guard:
            process = self._process
        if process is not None:
            _end(process)
        self._thread.join(_GRACE_SECONDS)

    def _run(self) -> None:
        try:
            process = self._begun()
        except Exception as error:  # noqa: BLE001 - whoever waits for the context must hear of it
            self.status = "Error"
            self._fail_all(str(error))
            return
        self.status = "Running"
        if process.stdout is not None:
            process.stdout.readline()  # it takes signals from now on
        while (command := self._waiting.get()) is not None:
            with self._guard:
                if command.is_cancelled:
                    continue
                command.status = "Running"
            self._hand_over(process, command)
            if process.poll() is not None:
                self.status = "Error"
                self._fail_all("The context has ended.")
                return

    def _begun(self) -> subprocess.Popen[str]:
        environment = child_environment(self._environment())
        self._folder.mkdir(parents=True, mode=0o700)
        request = Request(
            kind="notebook",
            path=f"/Users/{self.owner}/{self.id}",
            directory=self._folder,
            places=Places.of_state(self._state),
            job_id=0,
            run_id=0,
            task_run_id=0,
            task_key="",
        )
        file = self._folder / REQUEST_FILE
        request.write(file)
        with self._guard, (self._folder / "output.log").open("ab") as log:
            if self._is_over:
                raise RuntimeError("the context was destroyed")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "laketop.runner.repl", str(file)],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        return self._process

    def _hand_over(self, process: subprocess.Popen[str], command: Command) -> None:
        line = ""
        if process.stdin is not None and process.stdout is not None:
            sent = {"id": command.id, "language": command.language, "command": command.text}
            with contextlib.suppress(OSError):
                process.stdin.write(json.dumps(sent) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
        command.ended.set()
        with self._guard:
            if line:
                command.size = len(line)
                command.results = {k: v for k, v in json.loads(line).items() if k != "id"}
                failed = command.results["resultType"] == "error"
                command.status = "Cancelled" if failed and command.is_cancelled else "Finished"
                forget(self.commands, most=MOST_CHARACTERS)
            else:
                _fail(command, "The process of the context has ended.")
                process.wait()

    def _fail_all(self, why: str) -> None:
        with self._guard:
            for command in self.commands.values():
                if not command.has_ended:
                    _fail(command, why)


def forget(commands: dict[str, Command], *, most: int) -> None:
    """Forget the commands that ended first until the results of the others hold `most` or less.

    The last one that has a result stays, whatever its size.
    """
    held = sum(one.size for one in commands.values())
    for old in [one for one in commands.values() if one.size][:-1]:
        if held <= most:
            return
        del commands[old.id]
        held -= old.size


def _fail(command: Command, why: str) -> None:
    command.status = "Error"
    command.results = {"resultType": "error", "summary": why, "cause": why}


def _end(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
