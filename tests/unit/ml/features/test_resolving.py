"""In which order features are made, and which columns they ask by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql.types import StructType

from laketop.errors import NotFound, Refused
from laketop.ml.features import FeatureLookup, FeatureTable, ResolvedFunction, ResolvedLookup
from laketop.ml.features.feature_table import primary_key
from laketop.ml.features.resolving import check_limits, check_lookup, stages


def lookup(key: str, *, makes: str) -> ResolvedLookup:
    return ResolvedLookup(
        table=f"t_{makes}",
        version=0,
        primary_keys=("k",),
        lookup_key=(key,),
        feature_names=(makes,),
    )


def function(*takes: str, makes: str) -> ResolvedFunction:
    return ResolvedFunction(
        udf_name="f",
        output_name=makes,
        input_bindings={f"a{i}": name for i, name in enumerate(takes)},
    )


def test_features_wait_for_what_they_are_asked_by() -> None:
    last = function("b", "c", makes="d")
    third = lookup("b", makes="c")
    second = function("a", makes="b")
    first = lookup("key", makes="a")
    assert stages([last, third, second, first], ["key"]) == [[first], [second], [third], [last]]


def test_lookups_go_before_functions_and_keep_their_order() -> None:
    early, one, two = function("x", makes="y"), lookup("x", makes="a"), lookup("x", makes="b")
    assert stages([early, one, two], ["x"]) == [[one, two], [early]]


def test_a_field_of_a_struct_is_there_with_the_struct() -> None:
    assert stages([lookup("event.key", makes="a")], ["event"])
    with pytest.raises(ValueError, match=r"\['event.key'\] that 't_a' is asked by"):
        stages([lookup("event.key", makes="a")], ["events"])


def test_features_that_wait_for_each_other_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\['b'\] that 't_a' is asked by"):
        stages([lookup("b", makes="a"), lookup("a", makes="b")], ["key"])


@pytest.mark.parametrize(
    ("columns", "keys", "time"),
    [
        ("a", ("a",), None),
        ("`a`, `b` TIMESERIES", ("a",), "b"),
        ("ts timeseries, a", ("a",), "ts"),
    ],
)
def test_a_primary_key_clause_names_keys_and_time(
    columns: str, keys: tuple[str, ...], time: str | None
) -> None:
    assert primary_key(columns) == (keys, time)


WEATHER = FeatureTable(
    name="weather", primary_keys=("origin",), timeseries_column="ts", features=("temp",)
)
PLANES = FeatureTable(name="planes", primary_keys=("tail",), features=("seats",))
DAILY = FeatureTable(name="daily", primary_keys=("day",), features=("seats",))
COLUMNS = {
    "weather": StructType().add("origin", "string").add("ts", "timestamp").add("temp", "double"),
    "planes": StructType().add("tail", "string").add("seats", "integer"),
    "daily": StructType().add("day", "date").add("seats", "integer"),
}


@pytest.mark.parametrize(
    ("table", "asked", "error", "told"),
    [
        (WEATHER, {}, ValueError, "'weather' needs timestamp_lookup_key"),
        (PLANES, {"timestamp_lookup_key": "at"}, ValueError, "'planes' is no time series table"),
        (PLANES, {"lookback_window": timedelta(1)}, ValueError, "on 'planes' needs a time series"),
        (DAILY, {}, Refused, "'daily', whose key column 'day' is a time but no time series"),
        (PLANES, {"feature_names": "wings"}, NotFound, "no feature of 'planes' named 'wings'"),
        (
            PLANES,
            {"feature_names": [], "default_values": {"seats": 0}},
            NotFound,
            "among those looked up, named 'seats'",
        ),
    ],
)
def test_what_a_lookup_cannot_ask_of_a_table_is_told(
    table: FeatureTable, asked: dict[str, Any], error: type[Exception], told: str
) -> None:
    lookup_ = FeatureLookup(table.name, table.primary_keys, **asked)
    with pytest.raises(error, match=told):
        check_lookup(lookup_, table, COLUMNS[table.name])


def test_fifty_tables_are_the_most_however_often_each_is_asked() -> None:
    fifty = [lookup("k", makes=str(number)) for number in range(50)]
    check_limits([*fifty, *fifty], [])
    with pytest.raises(Refused, match="a model of 51 feature tables"):
        check_limits([*fifty, lookup("k", makes="50")], [])
