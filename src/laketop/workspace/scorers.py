"""The processes that score: one for each served version, started, watched, started again."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import logging
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import laketop
from laketop import durable
from laketop.runner.process import run_process

START_SECONDS = 300.0
_GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.02
_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each next start of a scorer that keeps dying."""
_STEADY_SECONDS = 60.0
"""A scorer that ran for so long starts again without a pause when it dies."""

log = logging.getLogger("laketop.workspace")


class ScorerFailed(Exception):
    """A scorer could not be started; says why in one sentence."""


class TooSlow(Exception):
    """The model did not answer in time."""


@dataclasses.dataclass(frozen=True)
class Served:
    """What a scorer loads: a version's files, their digests, and variables for its process.

    `online` is the file in which features are looked up.
    """

    folder: Path
    files: Mapping[str, str]
    variables: Mapping[str, str]
    online: Path


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a scorer answered, as HTTP says it."""

    status: int
    content_type: str
    body: bytes


class Scorer:
    """One scorer process, kept alive until `stop`."""

    def __init__(
        self, served: Served, *, home: Path, log_file: Path, environment: Mapping[str, str]
    ) -> None:
        """Start it in the background; `home` is a folder that is its own."""
        self._served = served
        self._home = home
        self._log_file = log_file
        self._environment = {**environment, **served.variables, "PYTHONPATH": _own_path()}
        self._token = ""
        self._port: int | None = None
        self._failure: str | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name=f"scorer {home.name}")
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """Why it could not be started, None while it runs or may yet."""
        return self._failure

    def wait_until_ready(self, seconds: float = START_SECONDS, *, after: int = 0) -> int:
        """Return the port once it answers there; `after` is a port that it has left.

        Errors: ScorerFailed, also when `seconds` have passed.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._port not in {None, after} or self._failure, timeout=seconds
            )
            if self._failure is not None:
                raise ScorerFailed(self._failure)
            if self._port is None or self._port == after:
                raise ScorerFailed(f"the model was not loaded within {seconds:g} seconds")
            return self._port

    def post(self, body: bytes, content_type: str, *, seconds: float) -> Answer:
        """Return what the model answers; a process that dies meanwhile is asked once more.

        Errors: ScorerFailed if it does not start, or dies twice; TooSlow after `seconds`.
        """
        port = self.wait_until_ready(seconds)
        try:
            return self._asked(port, body, content_type, seconds)
        except (ConnectionError, http.client.HTTPException):
            port = self.wait_until_ready(seconds, after=port)
        try:
            return self._asked(port, body, content_type, seconds)
        except (ConnectionError, http.client.HTTPException) as error:
            raise ScorerFailed("the model's process ends when it is asked this") from error

    def _asked(self, port: int, body: bytes, content_type: str, seconds: float) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        headers = {"authorization": f"Bearer {self._token}", "content-type": content_type}
        with contextlib.closing(connection):
            try:
                connection.request("POST", "/invocations", body, headers)
                answer = connection.getresponse()
                kind = answer.getheader("content-type", "application/json")
                return Answer(answer.status, kind, answer.read())
            except TimeoutError as error:
                raise TooSlow(f"the model did not answer within {seconds:g} seconds") from error

    def stop(self) -> None:
        """End the process and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _keep_alive(self) -> None:
        deaths = 0
        while not self._stopping.wait(_PAUSES[min(deaths, len(_PAUSES) - 1)]):
            began = time.monotonic()
            if not self._run_once() or self._stopping.is_set():
                break
            deaths = 1 if time.monotonic() - began > _STEADY_SECONDS else deaths + 1
            log.warning("the scorer %s ended; it is started again", self._home.name)
        shutil.rmtree(self._home, ignore_errors=True)
        with self._changed:
            self._failure = self._failure or "the model's process was stopped"
            self._changed.notify_all()

    def _run_once(self) -> bool:
        """Run the process to its end; return whether it had come up."""
        self._give_order()
        ended = threading.Event()
        watcher = threading.Thread(
            target=self._listen, args=(ended,), name=f"told by {self._home.name}"
        )
        watcher.start()
        try:
            result = run_process(
                [sys.executable, "-m", "laketop.workspace.scorer", str(self._home)],
                cwd=self._home,
                environment=self._environment,
                log=self._log_file,
                cancelled=self._stopping,
                grace_seconds=_GRACE_SECONDS,
            )
            reason = f"the model's process ended with exit code {result.exit_code} while loading"
        except OSError as error:
            reason = f"the model's process did not start: {error.strerror}"
        finally:
            ended.set()
            watcher.join()
        with self._changed:
            came_up = self._port is not None
            self._port = None
            if not came_up and self._failure is None:
                self._failure = reason
            self._changed.notify_all()
        return came_up

    def _give_order(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(mode=0o700, parents=True)
        self._log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._token = secrets.token_urlsafe(32)
        order = {
            "folder": str(self._served.folder),
            "files": dict(self._served.files),
            "online": str(self._served.online),
            "token": self._token,
        }
        # mkstemp makes it readable by this user alone.
        durable.write(self._home / "order.json", json.dumps(order).encode(), scratch=self._home)

    def _listen(self, ended: threading.Event) -> None:
        told = self._home / "told.json"
        while not told.exists():
            if ended.wait(_POLL_SECONDS) and not told.exists():
                return
        said = json.loads(told.read_text("utf-8"))
        with self._changed:
            self._port, self._failure = said.get("port"), said.get("error")
            self._changed.notify_all()


class Scorers:
    """The scorers of a workspace by key; endpoints that serve the same thing share one."""

    def __init__(self, *, home: Path, logs: Path, environment: Mapping[str, str]) -> None:
        """Keep scorers' folders below `home` and their logs below `logs`."""
        shutil.rmtree(home, ignore_errors=True)
        self._home = home
        self._logs = logs
        self._environment = environment
        self._guard = threading.Lock()
        self._scorers: dict[str, Scorer] = {}
        self._closed = False

    def get(self, key: str, served: Served) -> Scorer:
        """Return the scorer of that key, started where there is none or it had failed."""
        with self._guard:
            if self._closed:
                raise ScorerFailed("the workspace is shutting down")
            found = self._scorers.get(key)
            if found is None or found.failure is not None:
                found = self._scorers[key] = Scorer(
                    served,
                    home=self._home / f"{key}-{secrets.token_hex(4)}",
                    log_file=self.log_file(key),
                    environment=self._environment,
                )
            return found

    def running(self, key: str) -> Scorer | None:
        """Return the scorer of that key if there is one that has not failed."""
        with self._guard:
            found = self._scorers.get(key)
            return None if found is None or found.failure is not None else found

    def log_file(self, key: str) -> Path:
        """Return the file with all that the scorers of that key have printed."""
        return self._logs / f"{key}.log"

    def keep_only(self, keys: Collection[str]) -> None:
        """Stop the scorers of every other key."""
        with self._guard:
            others = [self._scorers.pop(key) for key in list(self._scorers) if key not in keys]
        _stop_all(others)

    def close(self) -> None:
        """Stop every scorer, for good."""
        with self._guard:
            self._closed = True
        self.keep_only(())


def clean(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that a scorer may inherit: where programs are, never who the user is."""
    for name, value in environment.items():
        if name in _INHERITED or name.startswith("LC_"):
            yield name, value


_INHERITED = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} | {
    f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
}


def _stop_all(scorers: Collection[Scorer]) -> None:
    stopping = [threading.Thread(target=scorer.stop) for scorer in scorers]
    for thread in stopping:
        thread.start()
    for thread in stopping:
        thread.join()


def _own_path() -> str:
    # However laketop is installed here, the scorer finds the same one.
    return str(Path(laketop.__file__).parents[1])
