"""Hands out Spark Connect sessions, wherever Spark is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CALLER = "x-laketop-caller"
"""The header by which a session says on whose behalf it speaks."""


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


def called(remote: str, caller: str) -> str:
    """Return the address by which sessions say on whose behalf they speak, for lineage.

    `caller` is `JOB:<job>:<run>:<task run>`. Source: a Connect client sends the parameters of its
    address that it does not know as headers.
    """
    begun = remote if "/;" in remote else f"{remote.rstrip('/')}/"
    return f"{begun};{CALLER}={caller}"
