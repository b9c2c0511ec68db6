"""What a task needs of Spark Connect before its own code runs."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from laketop.shims.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import ModuleType

WORKERS_PYTHON = "spark.sql.execution.pyspark.python"
_workers = {"python": sys.executable}
_jars: list[str] = []


def bring_jars(jars: Iterable[Path]) -> None:
    """Let sessions that are opened from now on find the classes of these jars."""
    _jars.extend(map(str, jars))


def run_workers_by(python: str) -> None:
    """Let the UDFs of sessions that are opened from now on run by this program."""
    _workers["python"] = python


def use_this_interpreter() -> None:
    """Let the UDFs of every session that is opened here run on this process's interpreter.

    Without it they run on the server's own, where the libraries of the task are missing. No
    session is opened by this: it acts on those that come.
    """
    after_import("pyspark.sql.connect.session", _wrap_sessions)


def _wrap_sessions(module: ModuleType) -> None:
    session: Any = module.SparkSession
    original = session.__init__
    if getattr(original, "names_interpreter", False):
        return

    @functools.wraps(original)
    def opened(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.conf.set(WORKERS_PYTHON, _workers["python"])
        if _jars:
            self.addArtifacts(*_jars)

    opened.names_interpreter = True  # type: ignore[attr-defined]  # a mark of ours
    session.__init__ = opened
