"""The program by which Spark runs a task's UDFs, so that they find the libraries of the task."""

from __future__ import annotations

import hashlib
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def workers_python(folders: Sequence[Path], cache: Path, *, state: str = "") -> Path:
    """Return a program that is this interpreter with `folders` at the front of sys.path.

    One for each list of folders, since Spark keeps its workers by the program they run, and one
    for each `state` of those among them whose content changes.
    """
    path = ":".join(map(str, folders))
    digest = hashlib.sha256(f"{sys.executable}:{path}:{state}".encode()).hexdigest()[:32]
    program = cache / "workers" / digest
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    own, python = shlex.quote(path), shlex.quote(sys.executable)
    text = f'#!/bin/sh\nPYTHONPATH={own}${{PYTHONPATH:+:$PYTHONPATH}} exec {python} "$@"\n'
    with tempfile.NamedTemporaryFile("w", dir=program.parent, delete=False) as draft:
        draft.write(text)
    made = Path(draft.name)
    made.chmod(0o700)
    return made.replace(program)
