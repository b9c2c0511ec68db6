"""Spark on demand: nothing is opened before it is used; what is not over Connect is refused."""

from __future__ import annotations

import pytest

from laketop.errors import EngineMissing, Refused
from laketop.runner.lazy_spark import SC, LazySpark, SparkOnDemand


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_REMOTE", raising=False)


def test_use_without_an_engine_says_so() -> None:
    spark = LazySpark(SparkOnDemand())

    with pytest.raises(EngineMissing, match="SPARK_REMOTE is not set"):
        spark.sql("select 1")


def test_the_spark_context_is_refused_with_a_sentence() -> None:
    with pytest.raises(Refused, match=r"sc\.parallelize") as caught:
        SC.parallelize([1])
    assert caught.value.hint == "there is no SparkContext over Spark Connect: use `spark`"


def test_looking_at_the_spark_context_is_no_use_of_it() -> None:
    assert "not there over Spark Connect" in repr(SC)
    assert not hasattr(SC, "_repr_html_")
