"""Sessions share the code that Spark generates, and have classes of their own nevertheless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.engines import RUNTIME

from laketop.engine.connect import RemoteEngine

JAR = Path(__file__).parents[3] / "fixtures" / "jars" / "example.jar"
MOST_SESSIONS = 20
"""The warm-up of the engine compiles as well, while nobody else uses it."""


@pytest.fixture
def session(spark_remote: str) -> Iterator[SparkSession]:
    found = RemoteEngine(spark_remote).session()
    yield found
    found.stop()


def compiling_nanoseconds(session: SparkSession) -> int:
    """Return how long the engine has compiled generated code since it started."""
    generator = "org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator"
    ((told,),) = session.sql(f"SELECT java_method('{generator}', 'compileTime')").collect()
    return int(told)


def aggregated(session: SparkSession) -> dict[int, float]:
    rows = session.range(1000, numPartitions=2).selectExpr("id % 7 AS k", "sqrt(id) AS v")
    return dict(rows.groupBy("k").avg("v").orderBy("k").collect())


def found_by_tasks(session: SparkSession) -> set[str | None]:
    """Return what tasks of a session find by the name of the jar's class, as Spark's code does."""
    find = (
        "try_reflect('org.apache.spark.util.Utils', 'classForName', 'example.Twice', true, false)"
    )
    rows = session.range(4, numPartitions=2).selectExpr(f"{find} AS found")
    return {row["found"] for row in rows.collect()}


@pytest.mark.xfail(
    RUNTIME == "17.3-LTS", reason="Spark 4.0 has a loader of classes for each session"
)
def test_what_one_session_has_compiled_the_next_runs(spark_remote: str) -> None:
    compiled = []
    for _ in range(MOST_SESSIONS):
        session = RemoteEngine(spark_remote).session()
        before = compiling_nanoseconds(session)
        assert len(aggregated(session)) == 7
        compiled.append(compiling_nanoseconds(session) - before)
        session.stop()
        if compiled[-1] == 0:
            break
    assert compiled[-1] == 0, f"each session compiled anew: {compiled}"


def test_a_jar_of_a_session_is_used_by_its_tasks_and_by_no_other_session(
    session: SparkSession, spark_remote: str
) -> None:
    session.addArtifact(str(JAR))
    session.udf.registerJavaFunction("twice", "example.Twice", "bigint")
    rows = session.range(4, numPartitions=2).selectExpr("twice(id) AS doubled")
    assert [row["doubled"] for row in rows.collect()] == [0, 2, 4, 6]
    assert found_by_tasks(session) == {"class example.Twice"}

    other = RemoteEngine(spark_remote).session()
    assert found_by_tasks(other) == {None}
    with pytest.raises(Exception, match=r"example\.Twice"):
        other.udf.registerJavaFunction("twice", "example.Twice", "bigint")
    other.stop()
