"""Profile and drift metrics of scored rows, computed in Spark SQL.

`refresh` writes two tables beside the monitored one, with the documented column names:

`<table>_profile_metrics`: window STRUCT<start, end>, log_type (INPUT, BASELINE), granularity,
column_name, count, data_type, num_nulls, avg, stddev, min, max, median, num_zeros,
distinct_count, percent_null, percent_zeros, percent_distinct, quantiles ARRAY<DOUBLE> (1000),
frequent_items ARRAY<STRUCT<item, count>> (at most 100). The row with column_name `:table` has
count and, as custom metrics, prediction_mean, label_mean, num_labels, roc_auc_score: the three
last over the rows whose label is known.

`<table>_drift_metrics`: window, window_cmp, granularity, drift_type (CONSECUTIVE, BASELINE),
column_name, data_type, count_delta, avg_delta, percent_null_delta, percent_zeros_delta,
percent_distinct_delta, population_stability_index; on `:table` prediction_mean_delta,
label_mean_delta, roc_auc_score_delta and prediction_bias, the mean prediction minus the mean
label of the window itself.

Deltas are window minus window_cmp; percents run 0..100; window_cmp is NULL for the baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from laketop.errors import Refused
from laketop.ml.tables import literal, quoted_column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pyspark.sql import DataFrame, SparkSession

FLOOR = 1e-6
QUANTILES = 1000
FREQUENT_ITEMS = 100
GRANULARITIES = {"1 hour": "HOUR", "1 day": "DAY", "1 week": "WEEK", "1 month": "MONTH"}
TABLE_ROW = ":table"
_NUMBERS = {"byte", "short", "integer", "long", "float", "double", "decimal", "boolean"}


def psi(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> float:
    """Return the population stability index of `actual` against `expected`.

    Shapes: two 1-D numeric sequences, any lengths; NaN and None form a bin of their own.
    Units: natural-log units, 0 = same; bin edges are quantiles of `expected`, a share of
    nothing counts as 1e-6.
    Errors: ValueError if either is empty or `bins` < 2.
    Source: Siddiqi, Credit Risk Scorecards (2006).
    """
    import numpy as np

    if bins < 2:
        raise ValueError(f"bins is {bins!r}, fewer than 2")
    one, other = (np.asarray(values, dtype=float) for values in (expected, actual))
    if not one.size or not other.size:
        raise ValueError("a population stability index needs rows on both sides")
    known = one[~np.isnan(one)]
    edges = np.quantile(known, np.arange(1, bins) / bins) if known.size else np.zeros(bins - 1)
    p, q = (np.maximum(_shares(values, edges), FLOOR) for values in (one, other))
    return float(np.sum((q - p) * np.log(q / p)))


def _shares(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    known = values[~np.isnan(values)]
    below = np.searchsorted(np.sort(known), edges, side="right")
    counts = np.diff(np.r_[0, below, known.size])
    shares: NDArray[Any] = np.r_[counts, values.size - known.size] / values.size
    return shares


def refresh(
    spark: SparkSession,
    *,
    df: DataFrame,
    table: str,
    timestamp_col: str,
    prediction_col: str,
    label_col: str,
    baseline: DataFrame | None = None,
    columns: Sequence[str] | None = None,
    granularity: str = "1 month",
) -> None:
    """Compute the metrics of `df` by window and write `<table>_profile_metrics`, `_drift_metrics`.

    Shapes: `df` has one row a prediction, its label NULL until it is known; `baseline` the same
    columns, the time left out if need be. `columns` None = all that are numbers or text.
    Errors: Refused for a granularity that is not in GRANULARITIES.
    """
    if granularity not in GRANULARITIES:
        raise Refused(f"granularity {granularity!r}", hint=f"use one of {list(GRANULARITIES)!r}")
    wanted = [prediction_col, *(columns if columns is not None else _profiled(df))]
    names = list(dict.fromkeys(name for name in wanted if name not in (timestamp_col, label_col)))
    rows = _windowed(df, names, timestamp_col, label_col, GRANULARITIES[granularity])
    if baseline is not None:
        rows = rows.unionByName(_as_baseline(baseline, names, label_col))
    rows.createOrReplaceTempView("__monitored")
    try:
        spark.sql(_profile_sql(df, names, prediction_col, granularity)).writeTo(
            f"{table}_profile_metrics"
        ).using("delta").createOrReplace()
    finally:
        spark.catalog.dropTempView("__monitored")
    spark.table(f"{table}_profile_metrics").createOrReplaceTempView("__profile")
    try:
        spark.sql(_drift_sql(granularity)).writeTo(f"{table}_drift_metrics").using(
            "delta"
        ).createOrReplace()
    finally:
        spark.catalog.dropTempView("__profile")


def _profiled(df: DataFrame) -> list[str]:
    wanted = {*_NUMBERS, "string"}
    return [f.name for f in df.schema.fields if _kind(df, f.name) in wanted]


def _kind(df: DataFrame, name: str) -> str:
    return df.schema[name].dataType.typeName().partition("(")[0]


def _windowed(
    df: DataFrame, names: Sequence[str], timestamp_col: str, label_col: str, unit: str
) -> DataFrame:
    selected = ", ".join(quoted_column(name) for name in names)
    start = f"date_trunc('{unit}', {quoted_column(timestamp_col)})"
    return df.selectExpr(
        f"{start} AS __start",
        "'INPUT' AS __log_type",
        f"CAST({quoted_column(label_col)} AS DOUBLE) AS __label",
        *selected.split(", "),
    )


def _as_baseline(df: DataFrame, names: Sequence[str], label_col: str) -> DataFrame:
    label = quoted_column(label_col) if label_col in df.columns else "NULL"
    return df.selectExpr(
        "CAST(NULL AS TIMESTAMP) AS __start",
        "'BASELINE' AS __log_type",
        f"CAST({label} AS DOUBLE) AS __label",
        *(quoted_column(name) for name in names),
    )


def _profile_sql(df: DataFrame, names: Sequence[str], prediction: str, granularity: str) -> str:
    numbers = [name for name in names if _kind(df, name) in _NUMBERS]
    texts = [name for name in names if _kind(df, name) == "string"]
    parts = [_table_part(prediction)]
    if numbers:
        parts.append(_number_part(df, numbers))
    if texts:
        parts.append(_text_part(texts))
    union = " UNION ALL ".join(f"SELECT {', '.join(_PROFILED)} FROM ({part})" for part in parts)
    return f"""
        SELECT
          CASE WHEN start IS NOT NULL
               THEN named_struct('start', start, 'end', start + INTERVAL {granularity}) END
            AS window,
          log_type, {literal(granularity)} AS granularity, column_name, count, data_type,
          num_nulls, avg, stddev, min, max, median, num_zeros, distinct_count,
          100D * num_nulls / count AS percent_null,
          100D * num_zeros / count AS percent_zeros,
          100D * distinct_count / count AS percent_distinct,
          quantiles, frequent_items, prediction_mean, label_mean, num_labels, roc_auc_score
        FROM ({union})
    """


_TYPES = {
    "start": "TIMESTAMP",
    "log_type": "STRING",
    "column_name": "STRING",
    "count": "BIGINT",
    "data_type": "STRING",
    "num_nulls": "BIGINT",
    "avg": "DOUBLE",
    "stddev": "DOUBLE",
    "min": "DOUBLE",
    "max": "DOUBLE",
    "median": "DOUBLE",
    "num_zeros": "BIGINT",
    "distinct_count": "BIGINT",
    "quantiles": "ARRAY<DOUBLE>",
    "frequent_items": "ARRAY<STRUCT<item: STRING, count: BIGINT>>",
    "prediction_mean": "DOUBLE",
    "label_mean": "DOUBLE",
    "num_labels": "BIGINT",
    "roc_auc_score": "DOUBLE",
}
_PROFILED = tuple(_TYPES)


def _absent(*present: str) -> str:
    return ", ".join(f"CAST(NULL AS {_TYPES[n]}) AS {n}" for n in _PROFILED if n not in present)


def _table_part(prediction: str) -> str:
    # The Mann-Whitney statistic: each late row beats the punctual rows scored below it, and
    # half of those scored alike.
    scored = quoted_column(prediction)
    present = (
        "start", "log_type", "column_name", "count",
        "prediction_mean", "label_mean", "num_labels", "roc_auc_score",
    )  # fmt: skip
    return f"""
        WITH scored AS (
          SELECT __start AS start, __log_type AS log_type, CAST({scored} AS DOUBLE) AS score,
                 count(*) AS rows, count(__label) AS labels,
                 coalesce(sum(__label), 0D) AS positive
          FROM __monitored GROUP BY ALL
        ), ranked AS (
          SELECT *, labels - positive AS negative,
                 sum(labels - positive) OVER (PARTITION BY log_type, start ORDER BY score
                   ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                   - (labels - positive) / 2 AS below
          FROM scored
        )
        SELECT start, log_type, '{TABLE_ROW}' AS column_name, sum(rows) AS count,
               sum(score * rows) / sum(CASE WHEN score IS NOT NULL THEN rows END)
                 AS prediction_mean,
               try_divide(sum(positive), sum(labels)) AS label_mean, sum(labels) AS num_labels,
               try_divide(sum(positive * below), sum(positive) * sum(negative)) AS roc_auc_score,
               {_absent(*present)}
        FROM ranked GROUP BY start, log_type
    """


def _number_part(df: DataFrame, names: Sequence[str]) -> str:
    stacked = ", ".join(f"{literal(n)}, CAST({quoted_column(n)} AS DOUBLE)" for n in names)
    types = ", ".join(f"{literal(n)}, {literal(_kind(df, n))}" for n in names)
    present = (
        "start", "log_type", "column_name", "count", "data_type", "num_nulls", "avg", "stddev",
        "min", "max", "median", "num_zeros", "distinct_count", "quantiles",
    )  # fmt: skip
    points = ", ".join(f"{(i + 0.5) / QUANTILES}D" for i in range(QUANTILES))
    return f"""
        SELECT *, quantiles[{QUANTILES // 2}] AS median, map({types})[column_name] AS data_type,
               {_absent(*present)}
        FROM (
          SELECT __start AS start, __log_type AS log_type, column_name, count(*) AS count,
                 count_if(value IS NULL) AS num_nulls, avg(value) AS avg,
                 stddev(value) AS stddev, min(value) AS min, max(value) AS max,
                 count_if(value = 0) AS num_zeros,
                 approx_count_distinct(value) AS distinct_count,
                 percentile_approx(value, array({points}), {QUANTILES}) AS quantiles
          FROM (SELECT __start, __log_type, stack({len(names)}, {stacked})
                AS (column_name, value) FROM __monitored)
          GROUP BY __start, __log_type, column_name
        )
    """


def _text_part(names: Sequence[str]) -> str:
    stacked = ", ".join(f"{literal(n)}, {quoted_column(n)}" for n in names)
    present = (
        "start", "log_type", "column_name", "count", "data_type", "num_nulls",
        "distinct_count", "frequent_items",
    )  # fmt: skip
    return f"""
        SELECT start, log_type, column_name, sum(n) AS count, 'string' AS data_type,
               coalesce(sum(n) FILTER (WHERE value IS NULL), 0) AS num_nulls,
               count(value) AS distinct_count,
               transform(
                 slice(sort_array(
                   collect_list(struct(n, value)) FILTER (WHERE value IS NOT NULL), false),
                   1, {FREQUENT_ITEMS}),
                 x -> named_struct('item', x.value, 'count', x.n)) AS frequent_items,
               {_absent(*present)}
        FROM (
          SELECT __start AS start, __log_type AS log_type, column_name, value, count(*) AS n
          FROM (SELECT __start, __log_type, stack({len(names)}, {stacked})
                AS (column_name, value) FROM __monitored)
          GROUP BY ALL
        )
        GROUP BY start, log_type, column_name
    """


def _drift_sql(granularity: str) -> str:
    new, old = _shares_sql("new"), _shares_sql("old")
    floored = f"greatest(p, {FLOOR}D)", f"greatest(q, {FLOOR}D)"
    term = "({1} - {0}) * ln({1} / {0})".format(*floored)
    return f"""
        WITH pair AS (
          SELECT new.window, old.window AS window_cmp, new.granularity,
                 CASE WHEN old.log_type = 'BASELINE' THEN 'BASELINE' ELSE 'CONSECUTIVE' END
                   AS drift_type,
                 new.column_name, new.data_type,
                 new.count - old.count AS count_delta,
                 new.avg - old.avg AS avg_delta,
                 new.percent_null - old.percent_null AS percent_null_delta,
                 new.percent_zeros - old.percent_zeros AS percent_zeros_delta,
                 new.percent_distinct - old.percent_distinct AS percent_distinct_delta,
                 {old} AS old_shares, {new} AS new_shares,
                 new.prediction_mean - old.prediction_mean AS prediction_mean_delta,
                 new.label_mean - old.label_mean AS label_mean_delta,
                 new.roc_auc_score - old.roc_auc_score AS roc_auc_score_delta,
                 new.prediction_mean - new.label_mean AS prediction_bias
          FROM __profile new JOIN __profile old ON new.column_name = old.column_name
           AND new.log_type = 'INPUT'
           AND (old.log_type = 'BASELINE'
                OR old.window.start + INTERVAL {granularity} = new.window.start)
        )
        SELECT * EXCEPT (old_shares, new_shares),
               aggregate(zip_with(old_shares, new_shares, (p, q) -> {term}), 0D, (s, x) -> s + x)
                 AS population_stability_index
        FROM pair
    """


def _shares_sql(side: str) -> str:
    # Numbers: what lies below each decile of `old`, the whole, and the nulls; `psi` differs from
    # it only by the thousand quantiles that stand for the rows.
    edges = f"transform(sequence(1, 9), k -> old.quantiles[k * {QUANTILES // 10}])"
    below = f"transform({edges}, e -> size(filter({side}.quantiles, v -> v <= e)) / {QUANTILES}D)"
    known = f"(1 - {side}.percent_null / 100)"
    numbers = (
        f"concat(zip_with(concat({below}, array(1D)), concat(array(0D), {below}), "
        f"(a, b) -> {known} * (a - b)), array({side}.percent_null / 100))"
    )
    # Text: every item that either side lists, then the rest, then the nulls.
    items = "array_union(old.frequent_items.item, new.frequent_items.item)"
    counts = f"map_from_entries({side}.frequent_items)"
    listed = f"aggregate({side}.frequent_items.count, 0L, (s, n) -> s + n)"
    texts = (
        f"concat(transform({items}, item -> coalesce(element_at({counts}, item), 0L) "
        f"/ {side}.count), array(({side}.count - {side}.num_nulls - {listed}) / {side}.count, "
        f"{side}.percent_null / 100))"
    )
    return (
        f"CASE WHEN new.quantiles IS NOT NULL THEN {numbers} "
        f"WHEN new.frequent_items IS NOT NULL THEN {texts} END"
    )
