"""No feature knows the future: the construction that does is caught, and told by what it gains."""

# ruff: noqa: S608  the names are the test's own
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from flights import features, model
from flights.train import training_rows
from laketop.ml import auc, leaks

if TYPE_CHECKING:
    from conftest import Ran
    from pyspark.sql import DataFrame, SparkSession

    from flights.parameters import Parameters


def leaking(spark: SparkSession, run: Parameters) -> DataFrame:
    """Return delays by *scheduled* hour: what everybody writes first."""
    return leaking_delays(spark.table(run.table("flights")))


def leaking_delays(flights: DataFrame) -> DataFrame:
    return flights.sparkSession.sql(
        f"""
        WITH hourly AS (
          SELECT origin, time_hour, sum(dep_delay) AS delay, count(dep_delay) AS flights,
                 max({features.DEPARTED_AT}) AS last_at
          FROM {{flights}} WHERE dep_delay IS NOT NULL GROUP BY ALL
        ), shown AS (
          SELECT *, explode(sequence(time_hour + INTERVAL 1 HOUR, time_hour + INTERVAL 4 HOUR,
                                     INTERVAL 1 HOUR)) AS known_at
          FROM hourly
        )
        SELECT origin, known_at, sum(delay) / sum(flights) AS recent_delay,
               max(last_at) AS last_departure_at
        FROM shown GROUP BY origin, known_at
        """,
        flights=flights,
    )


def test_delays_by_departure_hold_nothing_that_was_not_known(ran: Ran, spark: SparkSession) -> None:
    features.check_leaks(spark.table(ran.parameters.table("delay_features")))


def test_delays_by_scheduled_hour_are_caught(ran: Ran, spark: SparkSession) -> None:
    with pytest.raises(features.Leak, match="include a flight that departed at"):
        features.check_leaks(leaking(spark, ran.parameters))


def test_the_future_changes_nothing(ran: Ran, spark: SparkSession) -> None:
    """Without the delays after a moment no feature known by then may be another."""
    (found,) = (
        x
        for x in features.replayed(spark, ran.parameters, "2013-02")
        if x.feature == "recent_delay"
    )
    assert (found.measured, found.leaking) == (0, False)
    assert found.rows > 1000


def test_the_future_changes_the_leaking_delays(ran: Ran, spark: SparkSession) -> None:
    """Found without the column that tells which departure was the newest."""
    found = leaks.replay(
        lambda flights: leaking_delays(flights).drop("last_departure_at"),
        spark.table(ran.parameters.table("flights")).where("month = 2"),
        known=features.DEPARTED_AT,
        keys=["origin"],
        time="known_at",
        cutoffs=[datetime(2013, 2, 15, 21, tzinfo=UTC)],
        hidden=["dep_delay"],
    )
    assert leaks.leaking(found) == ("recent_delay",)


def test_an_auc_that_reaches_the_leaking_one_would_be_a_leak(ran: Ran, spark: SparkSession) -> None:
    """The leak is worth a gain that no live system has; the published figures are without it."""
    rows = _labelled(spark, ran.parameters)
    honest, leaky = _monthly_auc(rows), _monthly_auc(_leaking_rows(spark, ran.parameters, rows))
    assert 0.6 < honest < leaky - 0.003


def test_what_features_tell_fades_with_time_and_is_not_gone(ran: Ran, spark: SparkSession) -> None:
    rows = training_rows(spark, replace(ran.parameters, first_month="2013-03"))
    hour = timedelta(hours=1)
    evidence = leaks.find(spark, rows, cutoff="known_at", lag=hour, planned=["time_hour"])
    assert leaks.leaking(evidence) == ()
    left = {x.feature: x.measured for x in evidence if x.check == "vanishes_when_lagged"}
    assert left.keys() == {*features.WEATHER, *features.DELAY}
    assert 0.5 < left["recent_delay"] < 1


def test_what_is_trained_anew_is_better_on_the_month_after(ran: Ran, spark: SparkSession) -> None:
    """June is unlike January to March: by all of New York the gain is .029."""
    rows = _labelled(spark, ran.parameters)
    june = rows[rows["month"] == "2013-06"]
    areas = {
        through: auc(
            june[features.LABEL].to_numpy(),
            model.fitted(rows[rows["month"] <= through], features.LABEL).predict(
                june[list(features.INPUTS)]
            ),
        )
        for through in ("2013-03", "2013-05")
    }
    assert areas["2013-05"] > areas["2013-03"] + 0.01


def _labelled(spark: SparkSession, run: Parameters) -> pd.DataFrame:
    months = replace(run, retrain_through=run.last_month)
    # Before the columns of the context, among them the month, are taken away.
    return training_rows(spark, months).whole.toPandas()


def _leaking_rows(spark: SparkSession, run: Parameters, rows: pd.DataFrame) -> pd.DataFrame:
    delays = leaking(spark, run).select("origin", "known_at", "recent_delay").toPandas()
    return pd.merge_asof(
        rows.drop(columns=["recent_delay"]).sort_values("known_at"),
        delays.sort_values("known_at"),
        on="known_at",
        by="origin",
        tolerance=pd.Timedelta("59min"),
    )


def _monthly_auc(rows: pd.DataFrame) -> float:
    fitted = model.fitted(rows[rows["month"] <= "2013-03"], features.LABEL)
    areas = [
        auc(part[features.LABEL].to_numpy(), fitted.predict(part[list(features.INPUTS)]))
        for month, part in rows.groupby("month")
        if str(month) > "2013-03"
    ]
    return sum(areas) / len(areas)


def test_the_evidence_of_each_evaluated_version_stands_in_a_table(
    ran: Ran, spark: SparkSession
) -> None:
    kept = spark.table(ran.parameters.table("leak_evidence")).collect()
    evaluated = spark.table(ran.parameters.table("model_evaluations")).collect()
    assert {(row["run"], row["version"], row["data"]) for row in kept} == {
        (row["run"], row["version"], row["rows"]) for row in evaluated
    }
    assert {"after_cutoff", "split_by_time"} <= {row["check"] for row in kept}
    assert not any(row["leaking"] for row in kept)
