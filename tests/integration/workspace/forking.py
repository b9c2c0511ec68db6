"""Starts `forking_server.py`, whose children tests kill."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from laketop.workspace.workspace import Workspace


@contextlib.contextmanager
def forking_server(root: Path, rounds: int, *modules: str) -> Iterator[subprocess.Popen[str]]:
    """Yield the process that serves the workspace of `root` in one child after the other.

    Modules that it has imported before its first child are imported by none.
    """
    script = Path(__file__).with_name("forking_server.py")
    source = Path(inspect.getfile(Workspace)).parents[2]
    with subprocess.Popen(
        [sys.executable, str(script), str(root), str(rounds), *modules],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        start_new_session=True,
    ) as server:
        try:
            yield server
        except BaseException:
            os.killpg(server.pid, signal.SIGKILL)  # it would wait for its child, and we for it
            raise
