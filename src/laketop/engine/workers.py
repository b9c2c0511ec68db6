"""The program by which the engine starts Python where no session says which."""

from __future__ import annotations

import importlib.resources
import shlex
import sys
from pathlib import Path

_STREAM_WORKER = "stream_worker.py"
_STREAM_MODULES = "pyspark.sql.connect.streaming.worker.*"


def program(folder: Path) -> Path:
    """Return where the program lies in the engine's `folder`."""
    return folder / "python"


def write_program(folder: Path) -> None:
    """Write the program: this interpreter, which starts the Python of streams as they need it.

    Spark calls it as `python -m MODULE`; the modules of streams go through `stream_worker.py`,
    all others straight to the interpreter.
    """
    python = shlex.quote(sys.executable)
    worker = shlex.quote(str(importlib.resources.files("laketop.engine") / _STREAM_WORKER))
    left = shlex.quote(str(folder / "tmp" / "stream-workers"))
    text = (
        "#!/bin/sh\n"
        f'case "$2" in {_STREAM_MODULES})\n'
        f'  LAKETOP_STREAM_WORKERS={left} exec {python} -P {worker} "$2";;\n'
        f'esac\nexec {python} "$@"\n'
    )
    file = program(folder)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o700)
