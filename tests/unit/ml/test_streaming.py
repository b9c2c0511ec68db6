"""Streams that are started again, and those that are not."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.errors import PySparkException

from laketop.ml import start_stream


class Writer:
    """Starts a stream once it has failed with each of the messages."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)

    def start(self) -> str:
        if self.messages:
            raise PySparkException(self.messages.pop(0))
        return "query"


LATE = "Python worker failed to connect back."


def test_a_python_that_was_late_is_asked_again() -> None:
    writer: Any = Writer(LATE, "[CANNOT_OPEN_SOCKET] timed out")
    assert str(start_stream(writer)) == "query"


def test_the_last_attempt_and_any_other_error_are_raised() -> None:
    late: Any = Writer(LATE, LATE)
    with pytest.raises(PySparkException, match="connect back"):
        start_stream(late, attempts=2)
    other: Any = Writer("no such table")
    with pytest.raises(PySparkException, match="no such table"):
        start_stream(other)
