"""Monitor what was predicted against what happened, and find the months that have drifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flights import features, registry
from flights.figures import Step
from flights.months import runs
from flights.score import PREDICTIONS
from flights.train import BASELINE
from laketop.ml import refresh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from flights.parameters import Parameters

COLUMNS = (
    *("carrier", "origin", "distance"),
    *("temp", "humid", "wind_speed", "precip", "pressure", "visib", "recent_delay"),
)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What the drift check found.

    Units: `late_rate_change` is a fraction, the largest of the first alarm's first month, or of
    all months when there is no alarm. `month` is that month; `alarms` are runs of months.
    """

    late_rate_change: float
    month: str
    alarms: tuple[tuple[str, ...], ...]


def inference(spark: SparkSession, run: Parameters) -> DataFrame:
    """Return the predictions with the label of each flight, NULL while it is not known."""
    predictions = spark.table(run.table(PREDICTIONS))
    months = [row["month"] for row in predictions.select("month").distinct().collect()]
    labels = features.departures(spark, run, months).select(*features.KEYS, features.LABEL)
    return predictions.join(labels, list(features.KEYS), "left")


def monitor(spark: SparkSession, run: Parameters) -> list[dict[str, float | str]]:
    """Refresh the metric tables of `predictions`; return what each month looked like.

    Shapes: tables `predictions_profile_metrics` and `predictions_drift_metrics`; the rows that
    are returned have month, flights, auc, prediction_mean, late_rate, late_rate_change.
    """
    step = Step(spark, run, "monitor")
    version = registry.existing(registry.client(run), run, registry.CHAMPION)
    baseline = spark.table(run.table(BASELINE)).where(f"model_version = '{version}'")
    refresh(
        spark,
        df=inference(spark, run),
        table=run.table(PREDICTIONS),
        timestamp_col="scheduled_local",
        prediction_col="prediction",
        label_col=features.LABEL,
        baseline=baseline,
        columns=COLUMNS,
    )
    months = by_month(spark, run)
    areas = [float(month["auc"]) for month in months if month["auc"] is not None]
    mean = sum(areas) / len(areas)
    step.record(
        on=f"{months[0]['month']}..{months[-1]['month']}",
        figure=f"mean monthly AUC {mean:.4f}, from {min(areas):.3f} to {max(areas):.3f}",
    )
    return months


def by_month(spark: SparkSession, run: Parameters) -> list[dict[str, float | str]]:
    """Return the table row of each month: its profile, and its drift from the training months."""
    name = run.table(PREDICTIONS)
    rows = spark.sql(f"""
        SELECT date_format(p.window.start, 'yyyy-MM') AS month, p.count AS flights,
               p.roc_auc_score AS auc, p.prediction_mean, p.label_mean AS late_rate,
               d.label_mean_delta AS late_rate_change
        FROM {name}_profile_metrics p JOIN {name}_drift_metrics d
          ON d.window = p.window AND d.column_name = p.column_name AND d.drift_type = 'BASELINE'
        WHERE p.column_name = ':table' AND p.log_type = 'INPUT'
        ORDER BY month
    """).collect()
    return [row.asDict() for row in rows]


def check_drift(
    spark: SparkSession, run: Parameters, months: list[dict[str, float | str]]
) -> Drift:
    """Return the drift of `months`, and record it.

    Features drift with the season and say nothing; the share of late flights has moved for real.
    """
    step = Step(spark, run, "check drift")
    changes = {
        str(month["month"]): float(month["late_rate_change"])
        for month in months
        if month["late_rate_change"] is not None
    }
    found = drift(changes, threshold=float(run.drift_threshold))
    told = ", ".join(_span(alarm) for alarm in found.alarms) or "no alarm"
    step.record(
        on=f"late flights, threshold {run.drift_threshold}",
        figure=f"{told}; {found.month} {changes[found.month]:+.3f}",
    )
    return found


def drift(changes: Mapping[str, float], *, threshold: float) -> Drift:
    """Return the alarms among monthly changes of the late rate.

    Errors: ValueError when there is no month with labels.

    >>> drift({"2013-04": 0.01, "2013-05": -0.2, "2013-06": 0.3}, threshold=0.07).alarms
    (('2013-05', '2013-06'),)
    """
    if not changes:
        raise ValueError("no month has a label yet, so no drift can be seen")
    crossed = sorted(month for month, change in changes.items() if abs(change) > threshold)
    largest = max(sorted(changes), key=lambda month: abs(changes[month]))
    month = crossed[0] if crossed else largest
    return Drift(
        late_rate_change=round(abs(changes[month]), 6),
        month=month,
        alarms=tuple(tuple(alarm) for alarm in runs(crossed)),
    )


def _span(months: tuple[str, ...]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]}..{months[-1]}"
