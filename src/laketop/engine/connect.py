"""Hands out Spark Connect sessions, wherever Spark is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Engine(Protocol):
    """Whatever gives a Spark session."""

    def session(self) -> SparkSession:
        """Return a new session of the engine."""


class RemoteEngine:
    """The engine that answers at a Spark Connect address, such as that of SPARK_REMOTE."""

    def __init__(self, remote: str) -> None:
        self.remote = remote

    def session(self) -> SparkSession:
        """Return a new session, whose Python workers run this very interpreter.

        Source: facts of Spark 4.2 - `spark.sql.execution.pyspark.python` of the session
        decides which Python runs its functions.
        """
        from pyspark.sql import SparkSession

        # This builder, not Connect's own, also tells pyspark's functions that they speak Connect.
        session = SparkSession.builder.remote(self.remote).create()
        session.conf.set("spark.sql.execution.pyspark.python", sys.executable)
        return session
