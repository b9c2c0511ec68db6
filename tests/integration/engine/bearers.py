"""Sessions of the engine for whoever bears a token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pyspark.sql import SparkSession


@contextlib.contextmanager
def bearing(token: str, engine: str) -> Iterator[SparkSession]:
    """Hand out a session of its own, at the address of `engine`, with another token."""
    address = engine.partition(";token=")[0]
    session = SparkSession.builder.remote(f"{address};token={token}").create()
    try:
        yield session
    finally:
        session.stop()
