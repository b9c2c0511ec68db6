"""Tasks that start with their imports done: the fork servers of a workspace, and asking them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from laketop.runner.forkserver import READY
from laketop.runner.process import limits_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.process import Order

MOST: Final = 2
"""Fork servers at a time, each of one interpreter and one environment."""
_CAN_FORK: Final = sys.platform == "linux"  # elsewhere system libraries do not survive a fork
_OF_ONE_TASK: Final = ("SPARK_REMOTE",)
"""Variables that tell each task something else, as which run it calls the engine; none of what a
server imports reads them."""


class ForkServers:
    """Starts guards of tasks by forking; a `Fork` for `run_process`.

    The first task of an interpreter and environment starts as ever, and has a server imported
    beside it for those that follow; the server ends when it was idle for minutes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: list[_Server] = []

    def __call__(self, order: Order, files: tuple[int, int, int]) -> bool:
        """Fork the guard and the task of `order`; False if no server is ready for it."""
        if not _CAN_FORK:
            return False
        with self._lock:
            server = self._server(order.argv[0], order.environment)
            if server.fork(order, files):
                return True
            if server.has_ended():
                self._servers.remove(server)
                server.close()
            return False

    def close(self) -> None:
        """End the servers; what they have forked goes on."""
        with self._lock:
            for server in self._servers:
                server.close()
            self._servers.clear()

    def _server(self, python: str, environment: Mapping[str, str]) -> _Server:
        for server in self._servers:
            if server.serves(python, environment):
                self._servers.remove(server)
                break
        else:
            while len(self._servers) >= MOST:
                self._servers.pop(0).close()
            server = _Server(python, environment)
        self._servers.append(server)  # the one that was used last stands last
        return server


class _Server:
    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        self._python = python
        self._environment = _shared(environment)
        self._is_ready = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [python, "-P", "-m", "laketop.runner.forkserver", str(theirs.fileno())],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._control.setblocking(False)

    def serves(self, python: str, environment: Mapping[str, str]) -> bool:
        return python == self._python and _shared(environment) == self._environment

    def fork(self, order: Order, files: tuple[int, int, int]) -> bool:
        message = json.dumps(
            {
                "argv": order.argv,
                "cwd": str(order.cwd),
                "limits": limits_of(order),
                "environment": {
                    name: order.environment[name]
                    for name in _OF_ONE_TASK
                    if name in order.environment
                },
            }
        )
        try:
            self._is_ready = self._is_ready or self._control.recv(len(READY)) == READY
            if self._is_ready:
                socket.send_fds(self._control, [message.encode()], files)
        except OSError:  # it is busy importing, or has ended
            return False
        return self._is_ready

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        # Its socket's end is its own; one that is importing has nothing to finish.
        self._control.close()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
            return
        self._process.kill()
        self._process.wait()


def _shared(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in _OF_ONE_TASK}
