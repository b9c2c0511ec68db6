"""`%pip install` in a notebook: what is missing comes to the front of the task's own sys.path."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from laketop.ml.environments import resolver_environment
from laketop.runner import in_place
from laketop.runner.overlay import Wanted, overlay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def install(requirements: Sequence[str], options: Sequence[str], cache: Path) -> None:
    """Install what is asked for, for this process and the programs that it starts.

    Modules of another version that were imported before are forgotten, so that the next import
    finds the new ones; names that cells hold already are theirs to import again.
    Errors: as `overlay`.
    """
    wanted = Wanted(requirements=requirements, options=options)
    site = overlay(wanted, cache, _run, print)
    folders = [str(folder) for folder in (site, *in_place.folders(site))]
    sys.path[:0] = folders
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *([others] if others else [])])
    importlib.invalidate_caches()
    for folder in folders:
        _forget_modules(folder)
    print(f"installed: {', '.join(requirements)}")


def _run(argv: Sequence[str], output: Path) -> int:
    with output.open("ab") as log:
        return subprocess.run(
            argv,
            env=resolver_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


def _forget_modules(folder: str) -> None:
    tops = {
        name.removesuffix(".py").partition(".")[0]
        for name in os.listdir(folder)  # noqa: PTH208 - names are all that is asked for
        if not name.endswith(".dist-info")
    }
    for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
        del sys.modules[name]
