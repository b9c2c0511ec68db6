"""Python functions leave no process behind when their session is over."""

from __future__ import annotations

import os
import time

from pyspark.sql import functions as F  # noqa: N812
from tests.integration.processes import is_running

from laketop.engine.connect import RemoteEngine

PATIENCE_SECONDS = 300


def test_the_python_of_a_session_ends_with_it_and_that_of_another_goes_on(
    spark_remote: str,
) -> None:
    ends, goes_on = (RemoteEngine(spark_remote).session() for _ in range(2))
    daemon_of = F.udf(lambda _: os.getppid(), "int")
    first, second = (
        session.range(1).select(daemon_of("id")).collect()[0][0] for session in (ends, goes_on)
    )
    assert first != second

    ends.stop()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_running(first):
        assert time.monotonic() < deadline, "its Python goes on"
        time.sleep(0.1)
    assert is_running(second)
    assert goes_on.range(1).select(daemon_of("id")).collect()[0][0] == second
    goes_on.stop()
