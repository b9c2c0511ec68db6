"""A process that has imported what most tasks import: `python -m laketop.runner.forkserver FD`.

Each order on the socket FD makes it fork: the child becomes the task's guard, whose child is the
task, ready without a second of importing. A project that has a module of its own with the name
of one imported here starts afresh instead, so every task sees the modules that it would have
seen in a new interpreter.

Source: the idea is that of `multiprocessing.forkserver`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from laketop import shims
from laketop.runner import guard, host
from laketop.runner.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPORTED = (
    "pandas",
    "pyarrow",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.functions",
    "mlflow",
    "mlflow.pyfunc",
    "databricks.sdk",
    "scipy.stats",
    "matplotlib.pyplot",
    "laketop.runner.notebook_session",
)
"""No library that reads how many threads it may use as it loads: user code may yet say so."""
IDLE_SECONDS = 300.0
READY = b"ready"
_LONGEST_ORDER = 1 << 16


def main(arguments: Sequence[str]) -> int:
    """Import, then fork a task for each order, until the workspace ends or nothing is asked."""
    control = socket.socket(fileno=int(arguments[0]))
    if not _import_all(os.getppid()):
        return 0
    gc.freeze()  # the collector would touch, and so copy, every page in every child
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # guards are reaped by the kernel
    control.send(READY)
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            message, files, _, _ = socket.recv_fds(control, _LONGEST_ORDER, 3)
        except (TimeoutError, ConnectionError):
            return 0
        if not message:
            return 0
        if _fork() == 0:
            return _task(json.loads(message), files)
        for file in files:
            os.close(file)


def _import_all(parent: int) -> bool:
    shims.install()
    os.environ.setdefault("MPLBACKEND", "Agg")
    for name in IMPORTED:
        if os.getppid() != parent:  # nobody is left to ask for a task
            return False
        # An interpreter without one of them has nothing to import; the task says so if it minds.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return True


def _fork() -> int:
    # Some libraries keep a thread of their own, and know how to be forked.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _task(order: dict[str, Any], files: Sequence[int]) -> int:
    # In the child: the guard ends here, the task returns its exit code.
    os.setsid()  # Ctrl-C in a terminal reaches the workspace alone, which decides
    for place, file in enumerate(files):
        os.dup2(file, place)
    _close_others()
    os.chdir(order["cwd"])
    os.environ.update(order["environment"])
    if not guard.main(order["limits"]):
        os._exit(0)
    _close_others()
    _forget_the_server()
    argv = order["argv"]
    if _hides_an_import(Request.read(Path(argv[-1]))):
        _start_afresh(argv)
    return host.main(argv[-1:])


def _close_others() -> None:
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _forget_the_server() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    time.tzset()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # Python's own generator does so by itself


def _hides_an_import(request: Request) -> bool:
    # A module of the project, or of its wheels, with the name of one that is loaded here.
    loaded = {name for name in sys.modules if "." not in name}
    return any(
        (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()
        for folder in host.import_folders(request)
        for name in loaded.intersection(_top_names(folder))
    )


def _top_names(folder: Path) -> set[str]:
    with contextlib.suppress(OSError):
        return {path.name.removesuffix(".py") for path in folder.iterdir()}
    return set()


def _start_afresh(argv: list[str]) -> NoReturn:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(argv[0], argv)  # noqa: S606 - a list of arguments, and no shell is the point


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
