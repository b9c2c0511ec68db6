"""The end of the engine while a task ran: one sentence, not what Spark's client made of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from laketop.engine.connect import tells_of_an_end
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.runner.context import Outcome

SENTENCE: Final = "the engine ended while the task ran"
_ADVICE: Final = "run the job again, or repair this run"


def told(outcome: Outcome) -> Outcome:
    """Return the outcome of a task during which the engine ended, with that for its error.

    An error that is not one of Spark's client stays: the task has failed for a reason of its own.
    """
    if outcome.result_state != "FAILED" or not tells_of_an_end(outcome.error or ""):
        return outcome
    return dataclasses.replace(
        outcome,
        error=str(LaketopError(SENTENCE, hint=_ADVICE)),
        reason=f"{SENTENCE}; {_ADVICE}",
    )
