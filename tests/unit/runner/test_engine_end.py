from __future__ import annotations

import pytest

from laketop.runner import engine_end
from laketop.runner.context import Outcome

LOST = "pyspark.errors.exceptions.connect.SparkConnectGrpcException: <_MultiThreadedRendezvous"


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        "pyspark.errors.exceptions.connect.SparkException: [INVALID_HANDLE.SESSION_CHANGED] The",
        "pyspark.errors.exceptions.connect.SparkConnectException: [NO_ACTIVE_SESSION] No active",
        "pyspark.errors.exceptions.base.PySparkRuntimeError: [RESPONSE_ALREADY_RECEIVED] OPERATION",
    ],
)
def test_what_sparks_client_lost_is_told_as_the_end_of_the_engine(error: str) -> None:
    lost = Outcome("FAILED", error=error, error_trace="Traceback", values={"n": 1}, exit_code=1)
    told = engine_end.told(lost)
    assert (told.error or "").splitlines() == [
        "the engine ended while the task ran",
        "hint: run the job again, or repair this run",
    ]
    assert told.reason is not None
    assert "\n" not in told.reason
    assert (told.error_trace, told.values, told.exit_code) == ("Traceback", {"n": 1}, 1)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("FAILED", error="ValueError: no rows"),
        Outcome("FAILED", error="pyspark.errors.exceptions.connect.ParseException: [SYNTAX]"),
        Outcome("FAILED"),
        Outcome("SUCCESS"),
        Outcome("CANCELED", error=LOST),
    ],
)
def test_a_task_that_fails_for_a_reason_of_its_own_keeps_it(outcome: Outcome) -> None:
    assert engine_end.told(outcome) == outcome
