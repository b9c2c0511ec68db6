"""Functions, features asked by features, several times, labels, fields of structs, named specs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from laketop.ml import (
    FeatureEngineeringClient,
    FeatureFunction,
    FeatureLookup,
    NotFound,
    Refused,
)

NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def places(client: FeatureEngineeringClient, spark: SparkSession, schema: str) -> str:
    """Planes with their home, homes with their height, weather by hour, a daily price."""
    for name, keys, times, rows, columns in (
        ("planes", "tail", None, [("N1", "EWR"), ("N2", "JFK")], "tail string, home string"),
        ("homes", "code", None, [("EWR", 5.0), ("JFK", 4.0)], "code string, height double"),
        (
            "weather",
            ["origin", "ts"],
            "ts",
            [("EWR", NOON - HOUR, 1.0), ("EWR", NOON, 2.0), ("JFK", NOON, 9.0)],
            "origin string, ts timestamp, temp double",
        ),
        (
            "prices",
            ["origin", "day"],
            "day",
            [("EWR", date(2013, 1, 1), 10.0), ("EWR", date(2013, 1, 3), 30.0)],
            "origin string, day date, price double",
        ),
    ):
        df = spark.createDataFrame(rows, columns)
        client.create_table(
            name=f"{schema}.{name}", primary_keys=keys, timeseries_columns=times, df=df
        )
    spark.sql(f"CREATE FUNCTION {schema}.plus(a DOUBLE, b DOUBLE) RETURNS DOUBLE RETURN a + b")
    return schema


@pytest.fixture
def flights(spark: SparkSession) -> DataFrame:
    rows = [
        (1, "N1", "EWR", NOON, NOON - 2 * HOUR, date(2013, 1, 2), 0.0, 5.0),
        (2, "N2", "JFK", NOON, NOON, date(2013, 1, 3), 1.0, 50.0),
        (3, "N3", "EWR", NOON + HOUR, NOON - HOUR, date(2012, 1, 1), 0.0, 6.0),
    ]
    columns = (
        "id int, tailnum string, origin string, at timestamp, earlier timestamp, day date, "
        "late double, minutes double"
    )
    return spark.createDataFrame(rows, columns)


def rows_of(df: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in df.orderBy("id").collect()]


def test_a_feature_is_asked_by_a_feature_and_functions_take_both(
    client: FeatureEngineeringClient, places: str, flights: DataFrame
) -> None:
    plus = f"{places}.plus"
    training_set = client.create_training_set(
        df=flights,
        feature_lookups=[
            FeatureFunction(
                udf_name=plus, input_bindings={"a": "sum", "b": "minutes"}, output_name="total"
            ),
            FeatureLookup(f"{places}.homes", "home", default_values={"height": 0.0}),
            FeatureLookup(f"{places}.weather", "origin", timestamp_lookup_key="at"),
            FeatureFunction(
                udf_name=plus, input_bindings={"b": "height", "a": "temp"}, output_name="sum"
            ),
            FeatureLookup(f"{places}.planes", "tailnum"),
        ],
        label="late",
        use_spark_native_join=True,
    )
    found = training_set.load_df()
    assert found.columns == [*flights.columns, "total", "height", "temp", "sum", "home"]
    assert rows_of(found, "home", "height", "temp", "sum", "total") == [
        ("EWR", 5.0, 2.0, 7.0, 12.0),
        ("JFK", 4.0, 9.0, 13.0, 63.0),
        (None, 0.0, 2.0, 2.0, 8.0),
    ]
    scored = client.look_up(training_set.spec, flights.drop("late").selectExpr("*", "1D AS temp"))
    assert scored.columns[-5:] == ["temp", "total", "height", "sum", "home"]
    assert rows_of(scored, "sum", "total")[0] == (6.0, 11.0)


def test_each_lookup_has_a_time_of_its_own(
    client: FeatureEngineeringClient, places: str, flights: DataFrame
) -> None:
    weather = f"{places}.weather"
    found = client.create_training_set(
        df=flights,
        feature_lookups=[
            FeatureLookup(weather, "origin", timestamp_lookup_key="at"),
            FeatureLookup(
                weather, "origin", timestamp_lookup_key="earlier", rename_outputs={"temp": "before"}
            ),
            FeatureLookup(
                f"{places}.prices",
                "origin",
                timestamp_lookup_key=["day"],
                lookback_window=timedelta(days=1),
            ),
        ],
        label=None,
    ).load_df()
    assert rows_of(found, "temp", "before", "price") == [
        (2.0, None, 10.0),
        (9.0, 9.0, None),
        (2.0, 1.0, None),
    ]


@pytest.mark.parametrize("label", [None, "late", ["late", "minutes"]])
def test_labels_stay_and_are_no_input(
    client: FeatureEngineeringClient, places: str, flights: DataFrame, label: Any
) -> None:
    training_set = client.create_training_set(
        df=flights,
        feature_lookups=[FeatureLookup(f"{places}.planes", "tailnum")],
        label=label,
        exclude_columns=["id", "tailnum", "at", "earlier", "day"],
    )
    assert training_set.load_df().columns == ["origin", "late", "minutes", "home"]
    labels = [label] if isinstance(label, str) else label or []
    numbers = [name for name in ("late", "minutes") if name not in labels]
    assert training_set.spec.inputs == ("tailnum", "origin", *numbers)


def test_fields_of_structs_are_asked_by(
    client: FeatureEngineeringClient, places: str, flights: DataFrame
) -> None:
    nested = flights.selectExpr("id", "named_struct('from', origin, 'at', at) AS event")
    training_set = client.create_training_set(
        df=nested,
        feature_lookups=[
            FeatureLookup(f"{places}.weather", "event.from", timestamp_lookup_key="event.at")
        ],
        label=None,
        exclude_columns="event",
    )
    assert rows_of(training_set.load_df(), "temp") == [(2.0,), (9.0,), (2.0,)]
    assert training_set.spec.inputs == ("id", "event")


def test_a_spec_has_a_name_in_the_catalog(
    client: FeatureEngineeringClient, places: str, flights: DataFrame
) -> None:
    name = f"{places}.flight_features"
    features: list[FeatureLookup | FeatureFunction] = [
        FeatureLookup(
            f"{places}.weather",
            "origin",
            timestamp_lookup_key="at",
            lookback_window=HOUR / 2,
            default_values={"temp": -1.0},
        ),
        FeatureFunction(
            udf_name=f"{places}.plus",
            input_bindings={"a": "temp", "b": "minutes"},
            output_name="it's",
        ),
    ]
    made = client.create_feature_spec(name=name, features=features, exclude_columns="at")
    assert made.inputs == ("origin", "at", "minutes")
    found = client.create_training_set(df=flights, feature_spec=name, label="late")
    assert found.load_df().columns == [*(n for n in flights.columns if n != "at"), "temp", "it's"]
    assert rows_of(found.load_df(), "it's") == [(7.0,), (59.0,), (5.0,)]
    with pytest.raises(ValueError, match="not both"):
        client.create_training_set(
            df=flights, feature_spec=name, feature_lookups=features, label=None
        )
    client.delete_feature_spec(name=name)
    with pytest.raises(NotFound, match="no feature spec named"):
        client.create_training_set(df=flights, feature_spec=name, label=None)
    with pytest.raises(NotFound, match="no feature spec named"):
        client.delete_feature_spec(name=name)


def test_functions_that_do_not_fit_are_told(
    client: FeatureEngineeringClient, places: str, flights: DataFrame
) -> None:
    def ask(*features: FeatureFunction | FeatureLookup, **options: Any) -> None:
        asked = {"label": "late", **options}
        client.create_training_set(df=flights, feature_lookups=features, **asked)

    plus = f"{places}.plus"
    with pytest.raises(NotFound, match=r"no function named '.*\.minus'"):
        ask(FeatureFunction(udf_name=f"{places}.minus"))
    with pytest.raises(ValueError, match="cannot be called so"):
        ask(FeatureFunction(udf_name=plus, input_bindings={"a": "minutes", "z": "minutes"}))
    with pytest.raises(ValueError, match=r"the columns \['x'\] that .*plus' is asked by"):
        ask(FeatureFunction(udf_name=plus, input_bindings={"a": "x", "b": "minutes"}))
    with pytest.raises(ValueError, match="the label 'late' cannot be"):
        ask(FeatureFunction(udf_name=plus, input_bindings={"a": "late", "b": "minutes"}))
    with pytest.raises(ValueError, match=r"exclude_columns names \['nothing'\]"):
        ask(exclude_columns="nothing")
    with pytest.raises(ValueError, match="lacks the label column 'lat'"):
        ask(label="lat")
    with pytest.raises(NotFound, match="'humid'"):
        ask(FeatureLookup(f"{places}.planes", "tailnum", rename_outputs={"humid": "h"}))
    with pytest.raises(Refused, match=r"create_training_set\(features="):
        ask(features=[1])
    with pytest.raises(Refused, match="101 functions"):
        ask(
            *(
                FeatureFunction(
                    udf_name=plus,
                    input_bindings={"a": "minutes", "b": "minutes"},
                    output_name=str(number),
                )
                for number in range(101)
            )
        )
