"""Parameters of statements: texts of a SQL type."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laketop.errors import LaketopError
from laketop.runner.steady_clock import SteadyClock
from laketop.workspace.clock import MovableClock
from laketop.workspace.statements import KEPT_MS, Order, Statement, argument, expire


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "x", "x"),
        ("BIGINT", "7", 7),
        ("double", "1e3", 1000.0),
        ("DECIMAL(10,2)", "1.50", decimal.Decimal("1.50")),
        ("BOOLEAN", "True", True),
        ("DATE", "2013-01-02", dt.date(2013, 1, 2)),
        ("TIMESTAMP", "2013-01-02T03:04:05Z", dt.datetime(2013, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("INT", None, None),
    ],
)
def test_a_parameter_has_the_value_of_its_type(kind: str, text: str | None, value: Any) -> None:
    assert argument(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"), [("INT", "x"), ("BOOLEAN", "yes"), ("DECIMAL(3,1)", "?"), ("DATE", "1")]
)
def test_a_text_of_another_type_is_named(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not of type") as caught:
        argument(kind, text)
    assert repr(text) in str(caught.value)


def test_a_type_that_no_parameter_may_have_is_named() -> None:
    with pytest.raises(ValueError, match="ARRAY<INT>"):
        argument("ARRAY<INT>", "[1]")


class Refusing:
    """A session of the engine whose every statement ends in an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def addTag(self, tag: str) -> None:  # noqa: N802 - Spark's name
        """Take the tag."""

    def sql(self, *_: object) -> None:
        """Raise the error."""
        raise self.error


class SparkConnectGrpcException(Exception):
    """What Spark's client raises when nobody answers."""


def run(folder: Path, *errors: Exception) -> Statement:
    """Run a statement, whose sessions answer one of the errors each, until it has ended."""
    left = list(errors)

    @contextlib.contextmanager
    def opened() -> Iterator[Any]:
        yield Refusing(left.pop(0))

    order = Order(text="SELECT 1", user="ann", warehouse_id="w")
    statement = Statement("s", order, folder, lambda: 0)
    statement.start(opened)
    assert statement.ended.wait(10)
    assert not left
    return statement


def test_a_statement_during_which_the_engine_ended_says_so(tmp_path: Path) -> None:
    lost = run(tmp_path, SparkConnectGrpcException("<_MultiThreadedRendezvous of RPC"))
    assert lost.error == {
        "error_code": "TEMPORARILY_UNAVAILABLE",
        "message": "the engine ended while the statement ran\nhint: run it again",
    }


def test_a_statement_that_a_new_engine_refuses_runs_in_a_new_session_once(tmp_path: Path) -> None:
    gone = RuntimeError("[INVALID_HANDLE.SESSION_CHANGED] The handle is invalid.")
    told = run(tmp_path, gone, ValueError("the second one")).error
    assert told == {"error_code": "BAD_REQUEST", "message": "the second one"}
    told = run(tmp_path, gone, gone).error
    assert told is not None
    assert told["message"].startswith("the engine ended while the statement ran")


def test_a_result_that_cannot_be_had_is_the_fault_of_the_request(tmp_path: Path) -> None:
    told = run(tmp_path, LaketopError("Inline byte limit exceeded.")).error
    assert told == {"error_code": "BAD_REQUEST", "message": "Inline byte limit exceeded."}


@pytest.mark.parametrize("jump_ms", [-86_400_000, -3_600_000, 3_600_001, 86_400_000])
def test_a_time_of_day_that_is_set_neither_lengthens_a_statement_nor_takes_its_rows(
    tmp_path: Path, jump_ms: int
) -> None:
    wall, awake = [10**12], [5_000]
    clock = MovableClock(lambda: wall[0], lambda: awake[0])

    @contextlib.contextmanager
    def opened() -> Iterator[Any]:
        wall[0] += jump_ms
        clock.move_to(clock() + jump_ms)
        awake[0] += 40
        yield Refusing(ValueError("nothing"))

    order = Order(text="SELECT 1", user="ann", warehouse_id="w")
    statement = Statement("s", order, tmp_path / "s", SteadyClock(clock, clock.steady))
    statement.start(opened)
    assert statement.ended.wait(10)
    assert (statement.start_ms, statement.end_ms) == (10**12, 10**12 + 40)
    awake[0] += KEPT_MS
    assert expire({"s": statement}) == []
    awake[0] += 1
    assert expire({"s": statement}) == ["s"]
    assert statement.state == "CLOSED"
