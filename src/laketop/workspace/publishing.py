"""What goes from a feature table into an online table: the newest row of each key, as JSON.

Source: Databricks docs, online feature stores and feature engineering.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.ml import tables
from laketop.ml.features import feature_table
from laketop.workspace.online import KEY_TYPES, About, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from laketop.ml.features import FeatureTable

SNAPSHOT = "SNAPSHOT"
MODES = (SNAPSHOT, "TRIGGERED", "CONTINUOUS")
CHANGE_FEED = "delta.enableChangeDataFeed"

# As Spark hands times to a model in batch: UTC, to the microsecond, without a zone.
_TIMES = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
_JSON = {
    "ignoreNullFields": "false",
    "timestampFormat": _TIMES,
    "timestampNTZFormat": _TIMES,
    "timeZone": "UTC",
}

log = logging.getLogger("laketop.workspace")


@dataclass(frozen=True)
class Order:
    """A request to publish: the names of source, online table and store, the mode, and whose."""

    source: str
    name: str
    store: str
    mode: str
    user: str


@dataclass(frozen=True)
class Copy:
    """Rows for an online table; `whole` when they are all of its rows."""

    about: About
    rows: Iterable[Row]
    whole: bool


def prepared(spark: SparkSession, order: Order, before: About | None, *, now_ms: int) -> Copy:
    """Return what brings the online table from what is known of it to the source as it is now.

    A SNAPSHOT copies everything, the other modes what changed since the version `before`, where
    that can be told. The rows are read as they are iterated over.
    Errors: laketop's NotFound for what is no feature table; InvalidParameterValue for keys that
    cannot be looked up online, and for a source without a change data feed in a mode that needs
    it; while iterating, InvalidParameterValue for a key that is NULL or comes twice.
    """
    table = feature_table.found(spark, order.source)
    about = About(
        name=order.name,
        store=order.store,
        source=order.source,
        mode=order.mode,
        keys=_keys(spark, table),
        source_id=tables.identifier(spark, order.source),
        version=tables.current_version(spark, order.source),
        synced_ms=now_ms,
    )
    if order.mode != SNAPSHOT:
        _require_change_feed(spark, order.source)
    newest = _newest(tables.at_version(spark, order.source, about.version), table)
    if before is None or not _follows(about, before):
        return Copy(about, _rows(newest, table), whole=True)
    if about.version == before.version:
        return Copy(about, (), whole=False)
    changed = _changed(spark, table, before.version + 1, about.version)
    return Copy(about, _rows(changed.join(newest, _names(table), "left"), table), whole=False)


def _follows(about: About, before: About) -> bool:
    return (
        about.mode != SNAPSHOT
        and before.source == about.source
        and before.source_id == about.source_id
        and before.keys == about.keys
        and before.version <= about.version
    )


def _keys(spark: SparkSession, table: FeatureTable) -> tuple[tuple[str, str], ...]:
    schema = spark.table(table.name).schema
    kinds = tuple((key, schema[key].dataType.simpleString()) for key in table.primary_keys)
    for key, kind in kinds:
        if kind not in KEY_TYPES:
            raise InvalidParameterValue(
                f"The key '{key}' of '{table.name}' is {kind}; a table is published by keys of"
                " text, whole numbers or booleans. A time in the key must be its TIMESERIES."
            )
    return kinds


def _require_change_feed(spark: SparkSession, source: str) -> None:
    if tables.properties(spark, source).get(CHANGE_FEED, "").lower() != "true":
        raise InvalidParameterValue(
            f"The table '{source}' has no change data feed, which every publish mode but SNAPSHOT"
            f" needs: ALTER TABLE {source} SET TBLPROPERTIES ('{CHANGE_FEED}' = 'true')."
        )


def _names(table: FeatureTable) -> list[str]:
    return [f"k{number}" for number in range(len(table.primary_keys))]


def _by_key(table: FeatureTable) -> list[Any]:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    pairs = zip(table.primary_keys, _names(table), strict=True)
    return [F.col(tables.quoted_column(key)).alias(name) for key, name in pairs]


def _newest(df: DataFrame, table: FeatureTable) -> DataFrame:
    """Return one row a key: k0, k1 …, the row as JSON in `body`, the `number` of its rows."""
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    time = table.timeseries_column
    held = [*table.timestamp_keys, *table.features]
    rows = df.select(
        *_by_key(table),
        (F.lit(None) if time is None else F.col(tables.quoted_column(time))).alias("time"),
        F.struct(*(F.col(tables.quoted_column(name)) for name in held)).alias("row"),
    )
    if time is None:
        last, number = F.first("row"), F.count("*")
    else:
        rows = rows.where("time IS NOT NULL")
        last, number = F.max_by("row", "time"), F.lit(1)
    found = rows.groupBy(*_names(table)).agg(last.alias("row"), number.alias("number"))
    return found.select(*_names(table), F.to_json("row", _JSON).alias("body"), "number")


def _changed(spark: SparkSession, table: FeatureTable, first: int, last: int) -> DataFrame:
    changes = spark.sql(
        f"SELECT * FROM table_changes({tables.literal(table.name)}, {first}, {last})"  # noqa: S608 - a literal, two numbers
    )
    return changes.select(*_by_key(table)).distinct()


def _rows(df: DataFrame, table: FeatureTable) -> Iterator[Row]:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    keys = F.to_json(F.struct(*_names(table)), {"ignoreNullFields": "false"})
    for key, body, number in df.select(keys, "body", "number").toLocalIterator():
        values = tuple(json.loads(key).values())
        held = dict(zip(table.primary_keys, values, strict=True))
        if None in values:
            raise InvalidParameterValue(f"The table '{table.name}' holds NULL in the key {held!r}.")
        if number is not None and number > 1:
            raise InvalidParameterValue(
                f"The table '{table.name}' holds the key {held!r} more than once."
            )
        yield values, body
