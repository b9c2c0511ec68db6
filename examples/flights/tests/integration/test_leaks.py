"""No feature knows the future: the construction that does is caught, and told by what it gains."""

# ruff: noqa: S608  the names are the test's own
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from flights import features, model
from flights.train import training_rows
from laketop.ml import auc

if TYPE_CHECKING:
    from conftest import Ran
    from pyspark.sql import DataFrame, SparkSession

    from flights.parameters import Parameters


def leaking(spark: SparkSession, run: Parameters) -> DataFrame:
    """Return delays by *scheduled* hour: what everybody writes first."""
    return spark.sql(f"""
        WITH hourly AS (
          SELECT origin, time_hour, sum(dep_delay) AS delay, count(dep_delay) AS flights,
                 max(time_hour + make_interval(0, 0, 0, 0, 0, CAST(minute + dep_delay AS INT)))
                   AS last_at
          FROM {run.table("flights")} WHERE dep_delay IS NOT NULL GROUP BY ALL
        ), shown AS (
          SELECT *, explode(sequence(time_hour + INTERVAL 1 HOUR, time_hour + INTERVAL 4 HOUR,
                                     INTERVAL 1 HOUR)) AS known_at
          FROM hourly
        )
        SELECT origin, known_at, sum(delay) / sum(flights) AS recent_delay,
               max(last_at) AS last_departure_at
        FROM shown GROUP BY origin, known_at
    """)


def test_delays_by_departure_hold_nothing_that_was_not_known(ran: Ran, spark: SparkSession) -> None:
    features.check_leaks(spark.table(ran.parameters.table("delay_features")))


def test_delays_by_scheduled_hour_are_caught(ran: Ran, spark: SparkSession) -> None:
    with pytest.raises(features.Leak, match="include a flight that departed at"):
        features.check_leaks(leaking(spark, ran.parameters))


def test_the_future_changes_nothing(ran: Ran, spark: SparkSession) -> None:
    """Delay every flight that departs after a moment: no feature known by then may move."""
    run, moment = ran.parameters, "TIMESTAMP '2013-02-10 15:00:00'"
    departed = "time_hour + make_interval(0, 0, 0, 0, 0, CAST(minute + dep_delay AS INT))"
    february = f"{run.table('flights')} WHERE month = 2"
    later = f"CASE WHEN {departed} > {moment} THEN dep_delay + 600 ELSE dep_delay END AS dep_delay"
    spark.sql(f"CREATE TABLE {run.table('february')} AS SELECT * FROM {february}")
    spark.sql(
        f"CREATE TABLE {run.table('delayed')} AS SELECT * EXCEPT (dep_delay), {later} "
        f"FROM {february}"
    )
    for make, moves in ((features.delay_features, False), (leaking, True)):
        as_it_was, as_it_became = (
            make(spark, _Instead(run, name))  # type: ignore[arg-type]  # only `table` is asked
            .where(f"known_at <= {moment}")
            .select("origin", "known_at", "recent_delay")
            for name in ("february", "delayed")
        )
        assert bool(as_it_was.exceptAll(as_it_became).count()) is moves


def test_an_auc_that_reaches_the_leaking_one_would_be_a_leak(ran: Ran, spark: SparkSession) -> None:
    """The leak is worth a gain that no live system has; the published figures are without it."""
    rows = _labelled(spark, ran.parameters)
    honest, leaky = _monthly_auc(rows), _monthly_auc(_leaking_rows(spark, ran.parameters, rows))
    assert 0.6 < honest < leaky - 0.003


class _Instead:
    """The parameters of a run whose flights are in another table."""

    def __init__(self, run: Parameters, flights: str) -> None:
        self._run = run
        self._flights = flights

    def table(self, name: str) -> str:
        return self._run.table(self._flights if name == "flights" else name)


def _labelled(spark: SparkSession, run: Parameters) -> pd.DataFrame:
    months = replace(run, retrain_through=run.last_month)
    # Before the columns of the context, among them the month, are taken away.
    return training_rows(spark, months)._df.toPandas()


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
