"""Experiments on rows of Spark: split, looked at, kept, ended."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # as everyone writes it

from laketop.errors import LaketopError
from laketop.ml import Contender, NotFound
from laketop.ml.experiments import (
    Experiment,
    look,
    observed,
    proportion_spread,
    replayed,
    start,
)
from laketop.ml.serving import encode

BEGIN = datetime(2013, 7, 1, tzinfo=UTC)
PLAN = Experiment(
    name="retrained",
    hypothesis="the retrained model is right more often",
    metric="hit",
    minimum_effect=0.1,
    spread=proportion_spread(0.7),
    started_at=BEGIN,
    novelty_hours=24,
)


def observations(spark: SparkSession, keys: int, *, gain: float, first: int = 0) -> DataFrame:
    """One row an hour's key; rates of 0.6 and 0.6 + gain, evenly spread over the keys."""
    key = F.concat(F.lit("k"), F.col("id"))
    hit = F.col("id") * 7919 % 1000 < F.when(
        PLAN.arm(key) == "treatment", 1000 * (0.6 + gain)
    ).otherwise(600)
    return spark.range(first, first + keys).select(
        key.alias("key"),
        F.lit(BEGIN + timedelta(days=2)).alias("time"),
        hit.cast("double").alias("value"),
    )


def test_spark_and_python_split_alike(spark: SparkSession) -> None:
    rows = spark.range(500).select(F.col("id"), PLAN.arm(F.col("id")).alias("arm")).collect()
    assert all(row["arm"] == PLAN.arm_of(str(row["id"])) for row in rows)


def test_a_gain_ends_the_experiment_early_and_every_look_is_kept(
    spark: SparkSession, schema: str
) -> None:
    with pytest.raises(NotFound, match="experiment"):
        look(spark, schema, PLAN, observations(spark, 10, gain=0))
    for _ in range(2):
        start(spark, schema, PLAN)
    novel = observations(spark, 5000, gain=-0.5, first=10**6).withColumn("time", F.lit(BEGIN))
    unlabelled = observations(spark, 100, gain=0, first=10**7).withColumn(
        "value", F.lit(None).cast("double")
    )
    found = []
    for keys in (150, 600, 900):
        rows = observations(spark, keys, gain=0.25).union(novel).union(unlabelled)
        found.append(look(spark, schema, PLAN, rows))
        assert found[-1].control.keys + found[-1].treatment.keys == keys
        if found[-1].is_final:
            break
    assert found[-1].decision == "treatment"
    assert found[-1].low > 0
    kept = spark.table(f"{schema}.experiment_looks").orderBy("looked_at").collect()
    assert [row["decision"] for row in kept] == [one.decision for one in found]
    state = spark.table(f"{schema}.experiments").collect()
    assert [(row["name"], row["state"]) for row in state] == [("retrained", "treatment")]
    with pytest.raises(LaketopError, match="has ended: treatment"):
        look(spark, schema, PLAN, novel)
    with pytest.raises(LaketopError, match=r"another minimum_effect, 0\.1"):
        start(spark, schema, dataclasses.replace(PLAN, minimum_effect=0.2))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("alpha", 0.2, r"another alpha, 0\.05, not 0\.2"),
        ("spread", 0.1, "another spread"),
        ("novelty_hours", 0.0, r"another novelty_hours, 24\.0, not 0\.0"),
        ("started_at", BEGIN - timedelta(days=9), "another started_at, .*2013, 7, 1.*2013, 6, 22"),
    ],
)
def test_a_look_takes_no_other_figures_than_those_settled(
    field: str, value: Any, told: str, spark: SparkSession, schema: str
) -> None:
    start(spark, schema, PLAN)
    changed = dataclasses.replace(PLAN, **{field: value})
    with pytest.raises(LaketopError, match=told):
        look(spark, schema, changed, observations(spark, 10, gain=0))
    with pytest.raises(LaketopError, match=told):
        start(spark, schema, changed)
    assert not spark.catalog.tableExists(f"{schema}.experiment_looks")
    in_another_zone = BEGIN.astimezone(timezone(timedelta(hours=-4)))
    start(spark, schema, dataclasses.replace(PLAN, started_at=in_another_zone))


def test_a_split_is_checked_over_all_keys_not_those_with_a_label(
    spark: SparkSession, schema: str
) -> None:
    """The treatment that keeps a third of its labels is no fault of the allocation."""
    start(spark, schema, PLAN)
    rows = observations(spark, 900, gain=0)
    kept = (PLAN.arm(F.col("key")) == "control") | (F.hash("key") % 3 == 0)
    seen = look(spark, schema, PLAN, rows.withColumn("value", F.when(kept, F.col("value"))))
    assert seen.treatment.keys < seen.control.keys / 2
    assert seen.control.sent + seen.treatment.sent == 900
    assert seen.decision == "continue"
    lost = rows.withColumn("arm", F.when(F.hash("key") % 10 < 3, "control").otherwise("treatment"))
    unlabelled = lost.withColumn("value", F.lit(None).cast("double"))
    assert look(spark, schema, PLAN, unlabelled).decision == "invalid"


def test_the_split_of_an_endpoint_is_taken_and_checked(spark: SparkSession, schema: str) -> None:
    start(spark, schema, PLAN)
    rows = observations(spark, 400, gain=0)
    uneven = rows.withColumn("arm", F.expr("if(pmod(hash(key), 10) < 3, 'control', 'treatment')"))
    assert look(spark, schema, PLAN, uneven).decision == "invalid"
    torn = rows.withColumn("arm", F.lit("control")).union(
        rows.withColumn("arm", F.lit("treatment"))
    )
    with pytest.raises(LaketopError, match="has ended: invalid"):
        look(spark, schema, PLAN, torn)
    other = dataclasses.replace(PLAN, name="torn")
    start(spark, schema, other)
    with pytest.raises(LaketopError, match="400 keys of 'torn' are in both arms"):
        look(spark, schema, other, torn)
    with pytest.raises(ValueError, match="'red' is neither"):
        look(spark, schema, other, rows.withColumn("arm", F.lit("red")))
    with pytest.raises(ValueError, match=r"lack the columns \['value'\]"):
        look(spark, schema, other, rows.drop("value"))


def test_recorded_traffic_is_scored_by_the_model_of_its_arm(spark: SparkSession) -> None:
    rows = spark.range(200).select(
        F.col("id").cast("string").alias("key"),
        F.lit(BEGIN).alias("time"),
        F.lit(0.0).alias("x"),
        F.when(F.col("id") > 0, 1.0).alias("late"),
    )

    def always(score: float) -> Contender:
        return Contender(name="m", version=str(score), predict=lambda f: np.full(len(f), score))

    models: dict[str, Any] = {"control": always(0.5), "treatment": always(1.0)}
    told = replayed(PLAN, rows, models, label="late").collect()
    assert {(row["arm"], row["value"]) for row in told if row["key"] != "0"} == {
        ("control", 0.75),
        ("treatment", 1.0),
    }
    assert [row["value"] for row in told if row["key"] == "0"] == [None]
    with pytest.raises(ValueError, match="not of control and treatment"):
        replayed(PLAN, rows, {"control": always(0.5)}, label="late")


PAYLOAD = (
    "databricks_request_id string, request_date date, client_request_id string, "
    "request_time timestamp, status_code int, sampling_fraction double, "
    "execution_duration_ms bigint, request string, response string, "
    "logging_error_codes array<string>, served_entity_id string, requester string"
)
ARMS = {"control": "e1", "treatment": "e2"}


def logged(
    number: int, key: str, arm: str, *, status: int = 200, **request: Any
) -> tuple[Any, ...]:
    """Return a row of an inference table; both models answer each row of a request, 0.9 or 0.6."""
    rows = 2 if "two" in key else 1
    answer = encode({"predictions": np.full(rows, 0.9 if arm == "e2" else 0.6)})
    when = BEGIN + timedelta(days=2, seconds=number)
    texts = (json.dumps(request), json.dumps(answer) if status == 200 else None)
    return (f"r{number}", when.date(), key, when, status, 1.0, 7, *texts, [], arm, "ann")


def test_what_an_endpoint_has_logged_is_judged_by_labels_that_came_later(
    spark: SparkSession,
) -> None:
    rows = [
        logged(1, "a", "e1", dataframe_records=[{"id": 1, "x": 0.5}]),
        logged(2, "b", "e2", dataframe_split={"columns": ["x", "id"], "data": [[0.5, 2]]}),
        logged(3, "two", "e2", inputs={"id": [3, 4], "x": [0.1, 0.2]}),
        logged(4, "c", "e1", instances=[{"x": 0.5, "id": 5}]),
        logged(5, "d", "e1", status=400, dataframe_records=[{"id": 6}]),
        logged(6, "e", "e9", dataframe_records=[{"id": 7, "x": 0.5}]),
        logged(7, "f", "e1", dataframe_records=[{"x": 0.5}]),
    ]
    payload = spark.createDataFrame(rows, PAYLOAD)
    labels = spark.createDataFrame([(1, 1), (2, 1), (3, 0)], "key int, label int")
    found = observed(payload, labels, arms=ARMS, key="id")
    told = {
        (row["key"], row["arm"], None if row["value"] is None else round(row["value"], 4))
        for row in found.collect()
    }
    assert told == {
        ("1", "control", 0.84),
        ("2", "treatment", 0.99),
        ("3", "treatment", 0.19),
        ("4", "treatment", None),
        ("5", "control", None),
        (None, "control", None),
    }
    assert [row["time"] for row in found.where("key = '2'").collect()] == [
        (BEGIN + timedelta(days=2, seconds=2)).replace(tzinfo=None)
    ]
    by_request = observed(
        payload, spark.createDataFrame([("two", 1)], "key string, label int"), arms=ARMS
    )
    assert by_request.where("value IS NOT NULL").count() == 2
    twice = spark.createDataFrame([(1, 1), (1, 0)], "key int, label int")
    with pytest.raises(Exception, match="the labels hold the key 1 twice"):
        observed(payload, twice, arms=ARMS, key="id").collect()
    with pytest.raises(ValueError, match="not a model for control and one for treatment"):
        observed(payload, labels, arms={"control": "e1", "treatment": "e1"})
    with pytest.raises(ValueError, match=r"lack the columns \['served_entity_id'\]"):
        observed(payload.drop("served_entity_id"), labels, arms=ARMS)


def test_outcomes_of_any_number_are_observed_and_other_labels_are_refused(
    spark: SparkSession,
) -> None:
    rows = [logged(n, f"k{n}", arm) for n, arm in enumerate(("e1", "e2", "e1"))]
    payload = spark.createDataFrame(rows, PAYLOAD)
    words = [
        (*row[:8], '{"predictions": ["a word"]}', *row[9:]) if row[2] == "k0" else row
        for row in rows
    ]

    def values(how: Any, label: str, *, told: DataFrame = payload) -> dict[str, float | None]:
        labels = spark.sql(f"SELECT 'k0' AS key, {label} AS label UNION ALL SELECT 'k1', 2.5")
        found = observed(told, labels, arms=ARMS, judged_by=how).collect()
        return {row["key"]: row["value"] for row in found}

    assert values("label", "-7.25D") == {"k0": -7.25, "k1": 2.5, "k2": None}
    assert values("absolute_error", "-7.25D") == {
        "k0": pytest.approx(-7.85),
        "k1": pytest.approx(-1.6),
        "k2": None,
    }
    wordy = spark.createDataFrame(words, PAYLOAD)
    assert values("label", "3", told=wordy)["k0"] == 3.0
    assert values("absolute_error", "3", told=wordy)["k0"] is None
    with pytest.raises(Exception, match=r"label of the key k1 is 2\.5, not 0 or 1, which 'brier"):
        values("brier_score", "1")
    for strange in ("double('NaN')", "double('-Infinity')"):
        with pytest.raises(Exception, match=r"key k0 is (NaN|-Infinity), not a finite number"):
            values("label", strange)
    with pytest.raises(ValueError, match="judged_by is 'revenue', none of brier_score, "):
        values("revenue", "1")


def test_values_that_are_no_numbers_are_an_error_of_the_look(
    spark: SparkSession, schema: str
) -> None:
    start(spark, schema, PLAN)
    rows = observations(spark, 500, gain=0.0)
    strange = rows.withColumn("value", F.when(F.col("key") == "k7", float("nan")).otherwise(1.0))
    with pytest.raises(ValueError, match="1 keys of 'retrained' have a value that is no finite"):
        look(spark, schema, PLAN, strange)
    assert not spark.catalog.tableExists(f"{schema}.experiment_looks")
    assert look(spark, schema, PLAN, rows).decision == "continue"


def test_the_allocation_of_an_endpoint_is_checked(spark: SparkSession, schema: str) -> None:
    start(spark, schema, PLAN)
    keys = range(400)
    labels = spark.createDataFrame([(f"k{n}", n % 3 % 2) for n in keys], "key string, label int")
    uneven = [
        logged(n, f"k{n}", "e1" if n % 10 < 3 else "e2", dataframe_records=[{"x": 1}]) for n in keys
    ]
    found = observed(spark.createDataFrame(uneven, PAYLOAD), labels, arms=ARMS)
    assert look(spark, schema, PLAN, found).decision == "invalid"
    torn = [logged(n, "k1", arm, dataframe_records=[{}]) for n, arm in enumerate(ARMS.values())]
    other = dataclasses.replace(PLAN, name="torn")
    start(spark, schema, other)
    with pytest.raises(LaketopError, match="1 keys of 'torn' are in both arms"):
        look(
            spark,
            schema,
            other,
            observed(spark.createDataFrame(torn, PAYLOAD), labels, arms=ARMS),
        )
