"""Experiments and every look at them, in two Delta tables.

`experiments`: name, hypothesis, metric STRING, minimum_effect, spread, power, alpha, share DOUBLE,
looks INT, novelty_hours DOUBLE, started_at TIMESTAMP, planned_keys BIGINT, state STRING (running,
or the decision that ended it), ended_at TIMESTAMP; one row an experiment.

`experiment_looks`: looked_at TIMESTAMP, experiment STRING, control_keys, treatment_keys BIGINT,
control_mean, treatment_mean, effect, low, high, ratio_p_value, ratio_evidence DOUBLE,
decision STRING; one row a look.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from laketop.errors import LaketopError, NotFound
from laketop.ml import tables
from laketop.ml.experiments.experiment import CONTROL, TREATMENT, Arm, Experiment, Look, look_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, Row, SparkSession

    from laketop.ml.gates import Contender

RUNNING = "running"
EXPERIMENTS = (
    "name string, hypothesis string, metric string, minimum_effect double, spread double, "
    "power double, alpha double, share double, looks int, novelty_hours double, "
    "started_at timestamp, planned_keys bigint, state string, ended_at timestamp"
)
LOOKS = (
    "looked_at timestamp, experiment string, control_keys bigint, treatment_keys bigint, "
    "control_mean double, treatment_mean double, effect double, low double, high double, "
    "ratio_p_value double, ratio_evidence double, decision string"
)
_SETTLED = (
    *("name", "hypothesis", "metric", "minimum_effect", "spread", "power", "alpha", "share"),
    *("looks", "novelty_hours", "started_at"),
)


def start(spark: SparkSession, schema: str, experiment: Experiment) -> None:
    """Write the experiment to `<schema>.experiments`; the same one again changes nothing.

    Errors: LaketopError when an experiment of this name was settled otherwise.
    """
    name = f"{schema}.experiments"
    tables.provide(spark, name, EXPERIMENTS)
    found = _row(spark, schema, experiment.name)
    if found is None:
        settled = tuple(getattr(experiment, field) for field in _SETTLED)
        row = (*settled, experiment.sample_size(), RUNNING, None)
        tables.merge(spark, name, spark.createDataFrame([row], schema=EXPERIMENTS), ["name"])
        return
    _require_settled(experiment, found)


def look(spark: SparkSession, schema: str, experiment: Experiment, rows: DataFrame) -> Look:
    """Look at the experiment, keep what was found, and end it if that decides it.

    Shapes: `rows` has a row an observation: `key`, `time` (TIMESTAMP) and `value`, and may have
    `arm`, "control" or "treatment", where the split was made elsewhere, as by an endpoint; else
    the key's hash decides. Rows count from the end of the novelty window on; the values of a key
    are averaged first, since those of one key are not independent. NULL values do not count: a
    label that is not there yet.
    The keys of the allocation are those with a label and those without: a treatment that makes
    labels come, or stay away, does not change how the keys were split.
    Errors: NotFound for an experiment that was not started, LaketopError for one that has ended
    or was settled otherwise, or a key that is in both arms; ValueError for missing columns and
    values that are no finite numbers. Nothing is written then.
    """
    found = _row(spark, schema, experiment.name)
    if found is None:
        raise NotFound("experiment", experiment.name, hint="start it first")
    if found["state"] != RUNNING:
        raise LaketopError(
            f"the experiment {experiment.name!r} has ended: {found['state']}",
            hint=f"its looks are in {schema}.experiment_looks",
        )
    _require_settled(experiment, found)
    arms = _arms(experiment, rows)
    seen = look_at(experiment, arms[CONTROL], arms[TREATMENT])
    _keep(spark, schema, experiment, seen)
    return seen


def replayed(
    experiment: Experiment, rows: DataFrame, contenders: Mapping[str, Contender], *, label: str
) -> DataFrame:
    """Return rows for `look` from recorded traffic: each scored by the model of its arm.

    Shapes: `rows` has `key`, `time`, the inputs of both models and `label`, 0 or 1;
    `contenders` maps "control" and "treatment" to models. The value is 1 minus the squared error
    of the score, so that more is better; NULL where the label is.
    Errors: ValueError unless both arms have a model, or for columns that are missing.
    """
    if set(contenders) != {CONTROL, TREATMENT}:
        raise ValueError(f"contenders are of {sorted(contenders)}, not of control and treatment")
    _check(rows, {"key", "time", label})
    frame = tables.to_pandas(rows.withColumn("arm", experiment.arm(rows["key"])))
    frame["value"] = float("nan")
    for arm, contender in contenders.items():
        chosen = (frame["arm"] == arm).to_numpy()
        if chosen.any():
            scores = contender.predict(frame.loc[chosen])
            frame.loc[chosen, "value"] = 1 - (frame.loc[chosen, label] - scores) ** 2
    kept = frame[["key", "time", "arm", "value"]]
    return rows.sparkSession.createDataFrame(kept).selectExpr(
        "key", "time", "arm", "nanvl(value, NULL) AS value"
    )


def _arms(experiment: Experiment, rows: DataFrame) -> dict[str, Arm]:
    from pyspark.sql import functions as F

    _check(rows, {"key", "time", "value"})
    which = F.col("arm") if "arm" in rows.columns else experiment.arm(F.col("key"))
    counted = rows.where(
        (F.col("time") >= F.lit(experiment.counts_from)) & F.col("key").isNotNull()
    )
    keys = counted.groupBy("key").agg(
        F.min(which).alias("arm"),
        F.max(which).alias("other"),
        F.avg("value").alias("value"),
    )
    told = keys.groupBy("arm").agg(
        F.count("*").alias("allocated"),
        F.count("value").alias("keys"),
        F.avg("value").alias("mean"),
        F.var_samp("value").alias("variance"),
        F.sum(F.when(F.col("arm") != F.col("other"), 1).otherwise(0)).alias("in_both"),
        F.count_if(F.isnan("value") | (F.abs("value") == float("inf"))).alias("strange"),
    )
    found = {row["arm"]: row for row in told.collect()}
    others = set(found) - {CONTROL, TREATMENT}
    if others:
        raise ValueError(f"the arm {min(map(str, others))!r} is neither control nor treatment")
    twice = sum(row["in_both"] for row in found.values())
    if twice:
        raise LaketopError(f"{twice} keys of {experiment.name!r} are in both arms")
    strange = sum(row["strange"] for row in found.values())
    if strange:
        raise ValueError(
            f"{strange} keys of {experiment.name!r} have a value that is no finite number"
        )
    return {name: _arm(found.get(name)) for name in (CONTROL, TREATMENT)}


def _arm(row: Row | None) -> Arm:
    if row is None:
        return Arm(keys=0, mean=0.0, variance=0.0)
    return Arm(
        keys=row["keys"],
        mean=row["mean"] or 0.0,
        variance=row["variance"] or 0.0,
        allocated=row["allocated"],
    )


def _require_settled(experiment: Experiment, found: Row) -> None:
    """Raise LaketopError unless the experiment is the one that was started.

    The guarantee of the sequential test holds for figures that were settled before the first look.
    """
    for field in _SETTLED:
        settled, given = found[field], getattr(experiment, field)
        if isinstance(settled, datetime):  # Spark hands out the local time, without a zone
            settled = settled.astimezone(UTC)
        if settled != given:
            raise LaketopError(
                f"the experiment {experiment.name!r} is there with another {field}, "
                f"{settled!r}, not {given!r}",
                hint="what was settled before the first look stays; choose another name",
            )


def _keep(spark: SparkSession, schema: str, experiment: Experiment, seen: Look) -> None:
    now = datetime.now(UTC)
    arms = (seen.control.keys, seen.treatment.keys, seen.control.mean, seen.treatment.mean)
    interval = (seen.effect, seen.low, seen.high)
    ratio = (seen.ratio_p_value, seen.ratio_evidence)
    row = (now, experiment.name, *arms, *interval, *ratio, seen.decision)
    name = f"{schema}.experiment_looks"
    tables.provide(spark, name, LOOKS)
    tables.append(spark, name, spark.createDataFrame([row], schema=LOOKS))
    if seen.is_final:
        ended = spark.createDataFrame(
            [(experiment.name, seen.decision, now)],
            schema="name string, state string, ended_at timestamp",
        )
        tables.merge(spark, f"{schema}.experiments", ended, ["name"])


def _row(spark: SparkSession, schema: str, name: str) -> Row | None:
    from pyspark.sql import functions as F

    table = f"{schema}.experiments"
    if not tables.exists(spark, table):
        return None
    return spark.table(table).where(F.col("name") == name).first()


def _check(rows: DataFrame, columns: set[str]) -> None:
    missing = columns - set(rows.columns)
    if missing:
        raise ValueError(f"the rows lack the columns {sorted(missing)!r}")
