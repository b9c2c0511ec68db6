"""`laketop --help` and `import laketop`, against a bare Python process."""

from __future__ import annotations

import compileall
import functools
import subprocess
import sys
from pathlib import Path

from benchmarks.ratios import compare, run

import laketop


def main() -> None:
    """Print both ratios."""
    compileall.compile_dir(Path(laketop.__file__).parent, quiet=1)
    bare = [sys.executable, "-c", "pass"]
    for name, command in (
        ("laketop --help ÷ python", [sys.executable, "-m", "laketop.cli", "--help"]),
        ("import laketop ÷ python", [sys.executable, "-c", "import laketop"]),
    ):
        ours = functools.partial(_quiet, command)
        compare(name, ours, functools.partial(_quiet, bare), rounds=15, goal=3)


def _quiet(command: list[str]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    run(main)
