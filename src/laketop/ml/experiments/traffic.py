"""Rows for a look at an experiment, from what an endpoint has logged and labels that came later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from laketop.ml import tables
from laketop.ml.experiments.experiment import CONTROL, TREATMENT

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PAYLOAD = ("client_request_id", "request_time", "status_code", "request", "response")
SERVED = "served_entity_id"

JudgedBy = Literal["brier_score", "absolute_error", "label"]
"""1 minus the squared error of a prediction, minus its absolute error, or what became of it."""

_ROWS = "dataframe_records ARRAY<MAP<STRING, STRING>>, instances ARRAY<MAP<STRING, STRING>>"
_SPLIT = "dataframe_split STRUCT<columns: ARRAY<STRING>, data: ARRAY<ARRAY<STRING>>>"
_COLUMNS = "inputs MAP<STRING, ARRAY<STRING>>"


def observed(
    payload: DataFrame,
    labels: DataFrame,
    *,
    arms: Mapping[str, str],
    key: str | None = None,
    judged_by: JudgedBy = "brier_score",
) -> DataFrame:
    """Return rows for `look`: what each served model has predicted, judged by labels that came.

    The value, of which more is better, is NULL while there is no label. By "brier_score" it is 1
    minus the squared error of a probability, and labels are 0 or 1; by "absolute_error" it is
    minus the absolute error of a predicted number; by "label" it is what became of the key, such
    as revenue, whatever the model predicted. Labels of these two are any finite numbers. Which
    model answered is the arm, so `look` checks how the endpoint has allocated: the shares of the
    arms, and that no key is in both. Left out are requests that failed, and those that other
    models have answered.
    Shapes: `payload` is an inference table; `labels` has `key` and `label`, a row a key; `arms`
    maps "control" and "treatment" to the id of a served entity. `key` names a column of the
    requests, which keep a key in its arm only if it is their `client_request_id` as well; None
    takes the `client_request_id`. Requests are of any format of MLflow's but tensors.
    Errors: ValueError unless each arm has a model of its own, for columns that are missing and for
    another `judged_by`; of the job for a label that is there twice or is not of these numbers.
    Source: `serving-monitoring.md` 4, the form of AI Gateway.
    """
    from pyspark.sql import functions as F

    if judged_by not in get_args(JudgedBy):
        raise ValueError(f"judged_by is {judged_by!r}, none of {', '.join(get_args(JudgedBy))}")
    if set(arms) != {CONTROL, TREATMENT} or len(set(arms.values())) < 2:
        raise ValueError(f"arms are {dict(arms)!r}, not a model for control and one for treatment")
    for df, wanted in ((payload, {*PAYLOAD, SERVED}), (labels, {"key", "label"})):
        missing = wanted - set(df.columns)
        if missing:
            raise ValueError(f"the rows lack the columns {sorted(missing)!r}")
    answered = payload.where(
        (F.col("status_code") == 200) & F.col(SERVED).isin([*arms.values()])
    ).select(
        F.col("request_time").alias("time"),
        F.when(F.col(SERVED) == arms[CONTROL], CONTROL).otherwise(TREATMENT).alias("arm"),
        F.posexplode(F.from_json("response", "predictions ARRAY<STRING>")["predictions"]).alias(
            "place", "told"
        ),
        (F.array("client_request_id") if key is None else _keys(key)).alias("keys"),
    )
    place = F.lit(0) if key is None else F.col("place")
    score = F.col("told").try_cast("double").alias("score")
    asked = answered.select(F.get("keys", place).alias("key"), "time", "arm", score)
    return asked.join(_once(labels, judged_by), "key", "left").select(
        "key", "time", "arm", _value(judged_by).alias("value")
    )


def _value(judged_by: JudgedBy) -> Column:
    from pyspark.sql import functions as F

    label = F.col("label")
    if judged_by == "label":
        return label
    error = label - F.col("score")
    return 1 - F.pow(error, 2) if judged_by == "brier_score" else -F.abs(error)


def _keys(name: str) -> Column:
    """Return the values of a column of a request, one a row, as texts."""
    from pyspark.sql import functions as F

    rows, split, columns = (F.from_json("request", form) for form in (_ROWS, _SPLIT, _COLUMNS))
    at = F.array_position(split["dataframe_split"]["columns"], F.lit(name))
    return F.coalesce(
        *(
            F.transform(rows[form], lambda row: row[name])
            for form in ("dataframe_records", "instances")
        ),
        F.when(
            at > 0,
            F.transform(
                split["dataframe_split"]["data"], lambda row: F.get(row, (at - 1).cast("int"))
            ),
        ),
        columns["inputs"][name],
    )


def _once(labels: DataFrame, judged_by: JudgedBy) -> DataFrame:
    """Return the labels by key as a text; a key that is there twice is an error."""
    from pyspark.sql import functions as F

    key = tables.column("key").cast("string").alias("key")
    label = F.col("label").cast("double")
    twice = F.raise_error(F.concat(F.lit("the labels hold the key "), "key", F.lit(" twice")))
    once = F.when(F.count("*") > 1, twice.cast("double")).otherwise(F.first("label"))
    return (
        labels.select(key, _checked(label, judged_by).alias("label"))
        .where(F.col("key").isNotNull())
        .groupBy("key")
        .agg(once.alias("label"))
    )


def _checked(label: Column, judged_by: JudgedBy) -> Column:
    """Return the label, which is an error if it is none that predictions are judged by."""
    from pyspark.sql import functions as F

    finite = ~F.isnan(label) & (F.abs(label) < float("inf"))
    taken, wanted = (
        (label.isin(0, 1), f"0 or 1, which {judged_by!r} takes")
        if judged_by == "brier_score"
        else (finite, "a finite number")
    )
    told = F.concat(
        F.lit("the label of the key "),
        F.coalesce(F.col("key").cast("string"), F.lit("NULL")),
        F.lit(" is "),
        label.cast("string"),
        F.lit(f", not {wanted}"),
    )
    return F.when(label.isNull() | taken, label).otherwise(F.raise_error(told).cast("double"))
