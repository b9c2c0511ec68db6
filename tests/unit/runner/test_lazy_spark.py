"""Spark on demand: nothing is opened before it is used; what is not over Connect is refused."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from typing import Any

import pytest

from laketop.errors import EngineMissing, Refused
from laketop.runner import lazy_spark
from laketop.runner.lazy_spark import SC, LazySpark, SparkOnDemand, open_where_one_is_needed


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


def test_pyspark_is_given_the_session_where_it_needs_one_and_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Session:
        """Stands for the class of sessions over Connect, which has none yet."""

        there: Any = None

        @classmethod
        def getActiveSession(cls) -> Any:  # noqa: N802 - PySpark's name
            return cls.there

        _get_default_session = getActiveSession

        @classmethod
        def active(cls) -> Any:
            if cls.there is None:
                raise LookupError("no session")
            return cls.there

    def opened() -> Any:
        Session.there = "the session"
        return Session.there

    module = types.ModuleType("pyspark.sql.connect.session")
    module.SparkSession = Session  # type: ignore[attr-defined]  # what the real one has
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
    monkeypatch.setattr(lazy_spark, "_open", opened)
    open_where_one_is_needed(SparkOnDemand())
    assert Session.active() == "the session"
    Session.there = None
    with pytest.raises(LookupError):  # it was stopped
        Session.active()
