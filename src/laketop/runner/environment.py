"""A whole environment for programs that need nothing of laketop: made by uv, once per content."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from laketop.errors import ConfigError
from laketop.runner.locking import alone
from laketop.runner.overlay import digest_of, uv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laketop.runner.overlay import Wanted

_LONGEST_WORDS: Final = 2_000


def whole_environment(
    wanted: Wanted,
    cache: Path,
    run: Callable[[Sequence[str], Path], int],
    say: Callable[[str], None],
) -> Path:
    """Return the folder of the environment that holds what is wanted, and nothing else.

    `run` and `say` are as those of `overlay`.
    Errors: ConfigError with the resolver's words if it cannot be made, EngineMissing without uv.
    """
    folder = cache / "whole" / digest_of(wanted, {})
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(folder.with_name(f"{folder.name}.lock")):
        if not (folder / "done").exists():
            say(f"installing {', '.join(wanted.requirements)}")
            _make(wanted, folder, run)
            (folder / "done").touch()
    return folder


def _make(wanted: Wanted, folder: Path, run: Callable[[Sequence[str], Path], int]) -> None:
    # In its own place from the start: the programs of an environment know where they are.
    asked, log = folder.with_suffix(".txt"), folder.with_suffix(".log")
    asked.write_text("\n".join(wanted.requirements) + "\n", encoding="utf-8")
    log.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    into = ("--python", str(folder))
    for step in (
        ("venv", "--quiet", "--python", sys.executable, str(folder)),
        ("pip", "install", "--quiet", *into, *wanted.options, "-r", str(asked)),
    ):
        if run((uv(), *step), log):
            words = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
            raise ConfigError(
                f"{', '.join(wanted.requirements)} cannot be installed: {words[:_LONGEST_WORDS]}",
                hint="see the environment or libraries of the task, and whether the index answers",
            )
