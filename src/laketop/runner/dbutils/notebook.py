"""`dbutils.notebook`: end this notebook, run another one."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from laketop.errors import LaketopError
from laketop.runner.output import pass_on
from laketop.runner.paths import notebook_name
from laketop.runner.request import REQUEST_FILE, RESULT_FILE, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from laketop.runner.dbutils.context import EntryPoint

MAX_DEPTH = 10
"""Notebooks that may run one another, one inside the other."""
_GRACE_SECONDS = 5


class NotebookExit(BaseException):
    """A notebook ended itself with success, with `value`; `except Exception` lets it pass."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class WorkflowException(Exception):
    """A notebook that was run by another one failed, or ran out of time."""


class NotebookControl:
    """`dbutils.notebook` of the notebook that `request` asks for.

    Others run as processes of their own, in `environment`: their state is their own, so is
    their Spark session, and their output goes to the log as it comes.
    """

    def __init__(
        self, request: Request, environment: Mapping[str, str], entry_point: EntryPoint
    ) -> None:
        self.entry_point = entry_point
        self._request = request
        self._environment = environment
        self._numbers = itertools.count(1)

    def getContext(self) -> Any:  # noqa: N802 - the platform's name
        """Return the context, as `entry_point` does."""
        return self.entry_point.getDbutils().notebook().getContext()

    def exit(self, value: Any = "") -> None:
        """End the notebook with success; its value is `str(value)`.

        Errors: NotebookExit always, which is how it ends.
        """
        raise NotebookExit(str(value))

    def run(
        self,
        path: str,
        timeout_seconds: int = 0,
        arguments: Mapping[str, Any] | None = None,
    ) -> str:
        """Run another notebook to its end and return its exit value, "" if it gave none.

        Units: `timeout_seconds` 0 = none.
        Errors: WorkflowException with the error of the other notebook, or at the time limit.
        """
        target = absolute_notebook(path, self._request.path)
        callers = (*self._request.callers, notebook_name(self._request.path))
        if len(callers) > MAX_DEPTH:
            chain = " -> ".join((*callers, notebook_name(target)))
            raise LaketopError(f"notebooks run one another more than {MAX_DEPTH} deep: {chain}")
        directory = self._request.directory / "notebooks" / str(next(self._numbers))
        directory.mkdir(parents=True)
        request = dataclasses.replace(
            self._request,
            kind="notebook",
            path=target,
            file=None,
            arguments=(),
            directory=directory,
            parameters={name: str(value) for name, value in (arguments or {}).items()},
            callers=callers,
        )
        request.write(directory / REQUEST_FILE)
        if not self._finished(directory, timeout_seconds):
            raise WorkflowException(f"notebook {path!r} ran longer than {timeout_seconds} s")
        return _exit_value(path, directory)

    def _finished(self, directory: Path, timeout_seconds: float) -> bool:
        command = [sys.executable, "-P", "-m", "laketop.runner.host", str(directory / REQUEST_FILE)]
        with subprocess.Popen(
            command,
            env=self._environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            process_group=0,
        ) as child:
            pump = threading.Thread(target=pass_on, args=(child,), daemon=True)
            pump.start()
            try:
                child.wait(timeout_seconds or None)
            except subprocess.TimeoutExpired:
                return False
            finally:
                _end(child)
                pump.join()
        return True


def absolute_notebook(path: str, caller: str) -> str:
    """Return the workspace path of a notebook that `caller` names, relative to itself."""
    if path.startswith("/"):
        return path
    return os.path.normpath(os.path.join(os.path.dirname(caller), path))  # noqa: PTH118, PTH120 - a workspace path


def _end(child: subprocess.Popen[bytes]) -> None:
    # Also what a finished notebook has left running, so that its output comes to an end.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
            return


def _exit_value(path: str, directory: Path) -> str:
    try:
        result = json.loads((directory / RESULT_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WorkflowException(f"notebook {path!r} was killed") from None
    if result.get("error") is not None:
        raise WorkflowException(f"notebook {path!r} failed: {result['error']}")
    return str(result.get("exit_value") or "")
