"""A disk that was full while a task ran: one sentence, whatever Spark or Python made of it."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import shutil
from typing import TYPE_CHECKING, Final

from laketop.errors import LaketopError
from laketop.runner.request import RESULT_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from laketop.runner.context import Outcome

SENTENCE: Final = "a disk was full while the task ran"
_ADVICE: Final = "make room on it, and repair this run; what was written before is whole"
ROOM: Final = 2**20
_FULL: Final = re.compile(
    "|".join(re.escape(os.strerror(one)) for one in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
)
"""As the system says it, to Java and to Python alike."""


def told(outcome: Outcome, directory: Path, *, room: int = ROOM) -> Outcome:
    """Return the outcome of a task for whom a disk was full, with that for its error.

    `directory` is the task's own, where it may have found no room to say why it failed: less
    than `room` bytes are none.
    """
    if outcome.result_state != "FAILED":
        return outcome
    says = is_told(outcome.error or "", outcome.error_trace or "")
    is_silent = not outcome.error or _left_nothing(outcome, directory)
    if not says and not (is_silent and _free(directory) < room):
        return outcome
    return dataclasses.replace(
        outcome,
        error=str(LaketopError(SENTENCE, hint=_ADVICE)),
        reason=f"{SENTENCE}; {_ADVICE}",
    )


def _left_nothing(outcome: Outcome, directory: Path) -> bool:
    """Tell whether a process ended that should have written how, and has not."""
    return outcome.exit_code is not None and not (directory / RESULT_FILE).exists()


def _free(directory: Path) -> int:
    try:
        return shutil.disk_usage(directory).free
    except OSError:  # a folder that could not be made tells nothing of its disk
        return ROOM


def is_told(error: str, trace: str = "") -> bool:
    """Tell whether an error, or what the JVM says has caused it, is a full disk."""
    causes = [line for line in trace.splitlines() if line.lstrip().startswith("Caused by: ")]
    return any(_FULL.search(line) for line in (error, *causes))
