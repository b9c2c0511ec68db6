"""No feature knows the future: the construction that does is caught, and told by what it gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flights import features, model
from flights.train import training_rows
from laketop.ml import auc

if TYPE_CHECKING:
    import pandas as pd
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


def test_delays_by_departure_hold_nothing_that_was_not_known(ran, spark) -> None:
    features.check_leaks(spark.table(ran.parameters.table("delay_features")))


def test_delays_by_scheduled_hour_are_caught(ran, spark) -> None:
    with pytest.raises(features.Leak, match="include a flight that departed at"):
        features.check_leaks(leaking(spark, ran.parameters))


def test_the_future_changes_nothing(ran, spark) -> None:
    """Ground every flight from a moment on: no feature known before it may move."""
    run, moment = ran.parameters, "TIMESTAMP '2013-02-10 15:00:00'"
    before = f"known_at <= {moment}"
    view = f"{run.full_schema}.grounded"
    spark.sql(f"""
        CREATE TABLE {view} AS SELECT * REPLACE (
          CASE WHEN time_hour + make_interval(0, 0, 0, 0, 0, CAST(minute + dep_delay AS INT))
                    > {moment} THEN dep_delay + 600 ELSE dep_delay END AS dep_delay)
        FROM {run.table("flights")} WHERE month = 2
    """)
    spark.sql(f"CREATE TABLE {run.full_schema}.february AS SELECT * FROM {run.table('flights')} WHERE month = 2")
    for make, moves in ((features.delay_features, False), (leaking, True)):
        told = [
            make(spark, _Instead(run, name)).where(before).select("origin", "known_at", "recent_delay")
            for name in ("february", "grounded")
        ]
        assert bool(told[0].exceptAll(told[1]).count()) is moves


def test_an_auc_that_reaches_the_leaking_one_would_be_a_leak(ran, spark) -> None:
    """The leak is worth a gain that no live system has; the published figures are without it."""
    run = ran.parameters
    honest = _monthly_auc(spark, run)
    spark.sql(f"DROP TABLE IF EXISTS {run.table('leaking')}")
    leaking(spark, run).writeTo(run.table("leaking")).using("delta").create()
    assert _monthly_auc(spark, run, delays="leaking") > honest + 0.003


class _Instead:
    """The parameters of a run whose flights are in another table."""

    def __init__(self, run: Parameters, flights: str) -> None:
        self._run = run
        self._flights = flights

    def table(self, name: str) -> str:
        return self._run.table(self._flights if name == "flights" else name)


def _monthly_auc(spark: SparkSession, run: Parameters, *, delays: str | None = None) -> float:
    from dataclasses import replace

    months = ("2013-01", "2013-02", "2013-03", "2013-05", "2013-06", "2013-07")
    rows: pd.DataFrame = (
        training_rows(spark, replace(run, retrain_through=months[-1]))._df.toPandas()  # noqa: SLF001  with the months
    )
    if delays is not None:
        import pandas as pd

        other = spark.table(run.table(delays)).select("origin", "known_at", "recent_delay").toPandas()
        rows = pd.merge_asof(
            rows.drop(columns=["recent_delay"]).sort_values("known_at"),
            other.sort_values("known_at"),
            on="known_at",
            by="origin",
            tolerance=pd.Timedelta("59min"),
        )
    early = rows["month"] <= "2013-03"
    fitted = model.fitted(rows[early], features.LABEL)
    areas = []
    for month in months[3:]:
        part = rows[rows["month"] == month]
        scores = fitted.predict(part[list(features.INPUTS)])
        areas.append(auc(part[features.LABEL].to_numpy(), scores))
    return sum(areas) / len(areas)
