"""A disk that was full while a task ran: one sentence, whatever Spark or Python made of it."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
from typing import TYPE_CHECKING, Final

from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.runner.context import Outcome

SENTENCE: Final = "a disk was full while the task ran"
_ADVICE: Final = "make room on it, and repair this run; what was written before is whole"
_FULL: Final = re.compile(
    "|".join(re.escape(os.strerror(one)) for one in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
)
"""As the system says it, to Java and to Python alike."""


def told(outcome: Outcome) -> Outcome:
    """Return the outcome of a task for whom a disk was full, with that for its error."""
    if outcome.result_state != "FAILED" or not _is_of_it(outcome):
        return outcome
    return dataclasses.replace(
        outcome,
        error=str(LaketopError(SENTENCE, hint=_ADVICE)),
        reason=f"{SENTENCE}; {_ADVICE}",
    )


def _is_of_it(outcome: Outcome) -> bool:
    """Tell whether the error, or what the JVM says has caused it, is a full disk."""
    lines = [outcome.error or "", *(outcome.error_trace or "").splitlines()]
    causes = [line for line in lines[1:] if line.lstrip().startswith("Caused by: ")]
    return any(_FULL.search(line) for line in (lines[0], *causes))
