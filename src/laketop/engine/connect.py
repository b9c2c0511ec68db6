"""Hands out Spark Connect sessions, wherever Spark is."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CALLER = "x-laketop-caller"
"""The header by which a session says on whose behalf it speaks."""

_ENDED: Final = re.compile(
    r"\bSparkConnectGrpcException\b"
    r"|\[(INVALID_HANDLE\.|(RESPONSE_ALREADY_RECEIVED|SESSION_NOT_SAME|NO_ACTIVE_SESSION)\])"
)
_REFUSED: Final = "[INVALID_HANDLE.SESSION_"


def tells_of_an_end(error: str) -> bool:
    """Tell whether the client raised it since no engine answers, or one that is another's.

    `error` is the text with the name of the exception's class.
    """
    return _ENDED.search(error) is not None


def tells_of_a_lost_session(error: str) -> bool:
    """Tell whether an engine that has been started anew refused, before it did anything."""
    return _REFUSED in error


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

        _keep_shared_threads()
        # This builder, not Connect's own, also tells pyspark's functions that they speak Connect.
        session = SparkSession.builder.remote(self.remote).create()
        session.conf.set("spark.sql.execution.pyspark.python", sys.executable)
        return session


def _keep_shared_threads() -> None:
    """Let no session that ends take along the threads by which all sessions tell what is read.

    Source: the client of Spark 4.0 ends them with each session that is stopped or collected as
    garbage; another session then fails or waits for ever. Later clients end them when all are idle.
    """
    from pyspark.sql.connect.client import reattach

    shared: Any = reattach.ExecutePlanResponseReattachableIterator
    if hasattr(shared, "shutdown"):
        shared.shutdown = lambda: None


def called(remote: str, caller: str) -> str:
    """Return the address by which sessions say on whose behalf they speak, for lineage.

    `caller` is `JOB:<job>:<run>:<task run>`. Source: a Connect client sends the parameters of its
    address that it does not know as headers.
    """
    begun = remote if "/;" in remote else f"{remote.rstrip('/')}/"
    return f"{begun};{CALLER}={caller}"
