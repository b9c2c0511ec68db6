# ruff: noqa: S608  the names are the tests' own
"""Bob, who is no admin, and a box of everything that he may be denied."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession
from tests.integration.engine.bearers import BOB, bearing, principal

from laketop.workspace.daemon import Contact


@pytest.fixture(scope="module")
def bobs_token(workspace: Contact) -> Iterator[str]:
    """Return the token of bob, who is in `readers` by way of `inner`, and no admin."""
    with principal(workspace, BOB, "inner", "readers") as token:
        yield token


@pytest.fixture(scope="module")
def bobs(bobs_token: str, laketop_engine: str) -> Iterator[SparkSession]:
    """Return a session of bob's."""
    with bearing(bobs_token, laketop_engine) as session:
        yield session


@pytest.fixture
def box(spark: SparkSession) -> Iterator[str]:
    """Return a schema of the admin's in a catalog of its own, with a table, a view, a function."""
    catalog = f"deny_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE CATALOG {catalog}",
        f"CREATE SCHEMA {catalog}.s",
        f"CREATE TABLE {catalog}.s.t AS SELECT 1 AS a",
        f"CREATE VIEW {catalog}.s.v AS SELECT a + 1 AS b FROM {catalog}.s.t",
        f"CREATE FUNCTION {catalog}.s.f(x INT) RETURNS INT RETURN x + 1",
        f"CREATE FUNCTION {catalog}.s.g(x INT) RETURNS INT RETURN x * 10",
        f"CREATE VOLUME {catalog}.s.files",
    ):
        spark.sql(statement)
    yield f"{catalog}.s"
    spark.sql(f"DROP CATALOG {catalog} CASCADE")
