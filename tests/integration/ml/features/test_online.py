"""Feature tables published to an online store, and models served with keys alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import mlflow
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest
from databricks.sdk.service.serving import EndpointCoreConfigInput, ServedEntityInput
from mlflow import MlflowClient
from pyspark.sql import SparkSession

from laketop.ml import FeatureEngineeringClient, FeatureLookup, LaketopError, NotFound
from laketop.ml.features import OnlineStore

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

FEED = "SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
COLUMNS = "origin string, number int, ts timestamp, temp double, seen timestamp, note string"
HOUR = "2013-01-01 0{}:00:00"


@pytest.fixture
def store(client: FeatureEngineeringClient, schema: str) -> Iterator[OnlineStore]:
    """A store that is gone after the test, with all that was published to it."""
    name = schema.replace(".", "-")
    made = client.create_online_store(name=name, capacity="CU_1")
    yield made
    for table in ("weather_online", "planes_online"):
        with contextlib.suppress(NotFound):
            client.drop_online_table(name=f"{schema}.{table}", online_store=made)
    client.delete_online_store(name=name)


def rows(spark: SparkSession, *told: tuple[str, int, int, float | None]) -> Any:
    """Return rows of weather: origin, number, hour of the day, temperature."""
    values = ", ".join(
        f"('{origin}', {number}, timestamp'{HOUR.format(hour)}', "
        f"{'NULL' if temp is None else f'{temp}D'}, timestamp'{HOUR.format(hour)}', 'é')"
        for origin, number, hour, temp in told
    )
    names = "origin, number, ts, temp, seen, note"
    return spark.sql(f"SELECT * FROM VALUES {values} AS t({names})")  # noqa: S608


@pytest.fixture
def weather(client: FeatureEngineeringClient, spark: SparkSession, schema: str) -> str:
    name = f"{schema}.weather"
    first = rows(spark, ("JFK", 1, 1, 10.0), ("JFK", 1, 2, 20.0), ("LGA", 1, 1, 30.0))
    client.create_table(
        name=name,
        primary_keys=["origin", "number", "ts"],
        timeseries_columns="ts",
        schema=first.schema,
    )
    client.write_table(name=name, df=first)
    spark.sql(f"ALTER TABLE {name} {FEED}")
    return name


def temperature() -> Any:
    """Return a model that adds its inputs, the hour for the time."""

    class Temperature(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # loaded lazily
        def predict(self, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG002 - MLflow reads hints
            hours = model_input["seen"].dt.hour.fillna(-1.0)
            return (model_input["temp"].fillna(-100.0) + hours + model_input["extra"]).to_numpy()

    return Temperature()


@pytest.fixture
def model(
    client: FeatureEngineeringClient, spark: SparkSession, schema: str, weather: str
) -> Iterator[str]:
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    experiment = mlflow.set_experiment(f"/Shared/{schema}")
    asked = spark.sql(
        f"SELECT 'JFK' AS airport, 1 AS runway, timestamp'{HOUR.format(5)}' AS at, 1D AS extra,"
        " 0D AS late"
    )
    found = client.create_training_set(
        df=asked,
        feature_lookups=[
            FeatureLookup(
                weather,
                ["airport", "runway"],
                feature_names=["temp", "seen"],
                timestamp_lookup_key="at",
                default_values={"temp": -50.0},
            )
        ],
        label="late",
        exclude_columns=["airport", "runway", "at"],
    )
    with mlflow.start_run(experiment_id=experiment.experiment_id):
        client.log_model(
            model=temperature(),
            flavor=mlflow.pyfunc,
            name="model",
            training_set=found,
            registered_model_name=f"{schema}.temperature",
            pip_requirements=["mlflow"],
        )
    yield f"{schema}.temperature"
    MlflowClient().delete_registered_model(f"{schema}.temperature")


@pytest.fixture
def ask(model: str) -> Iterator[Callable[..., list[float]]]:
    """Return what asks an endpoint of the model for predictions."""
    ws = WorkspaceClient()
    name = model.replace(".", "-")
    entity = ServedEntityInput(entity_name=model, entity_version="1", workload_size="Small")
    config = EndpointCoreConfigInput(name=name, served_entities=[entity])
    ws.serving_endpoints.create_and_wait(name, config=config)

    def predictions(*records: dict[str, Any]) -> list[float]:
        answer = ws.serving_endpoints.query(name, dataframe_records=list(records))
        return list(answer.predictions or [])

    yield predictions
    ws.serving_endpoints.delete(name)


def test_a_served_model_looks_the_newest_features_up(  # noqa: PLR0917 - fixtures
    client: FeatureEngineeringClient,
    spark: SparkSession,
    store: OnlineStore,
    weather: str,
    model: str,
    ask: Callable[..., list[float]],
) -> None:
    def publish(mode: str = "TRIGGERED", *, streaming: bool | None = None) -> None:
        published = client.publish_table(
            online_store=store,
            source_table_name=weather,
            online_table_name=f"{weather}_online",
            publish_mode=mode,
            streaming=streaming,
        )
        assert published.online_table_name == f"{weather}_online"

    keys = [{"airport": name, "runway": 1, "extra": 0.5} for name in ("JFK", "LGA", "EWR")]
    whole = {"temp": 1.0, "seen": "2013-01-01T07:00:00", "extra": 0.5}
    assert ask(whole) == [8.5]
    with pytest.raises(BadRequest, match="in no online store: publish it with publish_table"):
        ask(*keys)
    publish()
    assert ask(*keys) == [22.5, 31.5, -50.5]
    assert ask(keys[0] | {"temp": 0.0}) == [2.5]
    with pytest.raises(BadRequest, match=r"lack the columns \['runway'\]"):
        ask({"airport": "JFK", "extra": 0.5})
    with pytest.raises(BadRequest, match=r"the key 'number' of .* is int, not '1'"):
        ask(keys[0] | {"runway": "1"})

    asked = spark.sql(
        "SELECT airport, 1 AS runway, current_timestamp() AS at, 0.5D AS extra"
        " FROM VALUES ('JFK'), ('LGA'), ('EWR') AS t(airport)"
    )

    def in_batch() -> list[float]:
        scored = client.score_batch(model_uri=f"models:/{model}/1", df=asked).collect()
        held = {row["airport"]: row["prediction"] for row in scored}
        return [held[name] for name in ("JFK", "LGA", "EWR")]

    assert in_batch() == ask(*keys)
    later = [("JFK", 1, 0, 1.0), ("LGA", 1, 3, None), ("EWR", 1, 4, 7.0)]
    client.write_table(name=weather, df=rows(spark, *later))
    spark.sql(f"DELETE FROM {weather} WHERE origin = 'JFK' AND temp = 20")  # noqa: S608
    assert ask(*keys) == [22.5, 31.5, -50.5]
    publish()
    assert ask(*keys) == in_batch() == [11.5, -46.5, 11.5]
    spark.sql(f"DELETE FROM {weather} WHERE origin = 'EWR'")  # noqa: S608
    publish(streaming=True)  # the older name of CONTINUOUS
    assert ask(keys[2]) == [-50.5]
    client.write_table(name=weather, df=rows(spark, ("EWR", 1, 5, 9.0)))
    deadline = time.monotonic() + 300
    while ask(keys[2]) != [14.5] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert ask(keys[2]) == [14.5]
    publish("SNAPSHOT")
    assert ask(*keys) == in_batch()


def test_stores_are_kept_changed_and_deleted(
    client: FeatureEngineeringClient, schema: str, weather: str
) -> None:
    name = f"{schema}/of mine"
    made = client.create_online_store(name=name, capacity="CU_2", read_replica_count=1)
    assert (made.name, made.capacity, made.read_replica_count) == (name, "CU_2", 1)
    assert made.state == "AVAILABLE"
    assert client.get_online_store(name=name) == made
    assert made in client.list_online_stores()
    with pytest.raises(LaketopError, match="already exists"):
        client.create_online_store(name=name, capacity="CU_1")
    with pytest.raises(LaketopError, match="capacity 'CU_3' is none of CU_1, CU_2"):
        client.create_online_store(name="x", capacity="CU_3")
    changed = client.update_online_store(name=name, capacity="CU_8")
    assert (changed.capacity, changed.read_replica_count) == ("CU_8", 1)
    with pytest.raises(ValueError, match="give the capacity"):
        client.update_online_store(name=name)
    online = f"{schema}.weather_online"
    client.publish_table(
        online_store=made, source_table_name=weather, online_table_name=online, streaming=False
    )
    with pytest.raises(LaketopError, match=f"holds {online}: delete these"):
        client.delete_online_store(name=name)
    other = client.create_online_store(name=f"{schema}2", capacity="CU_1")
    with pytest.raises(LaketopError, match=f"'{online}' is of '{weather}' in '{name}' already"):
        client.publish_table(
            online_store=other, source_table_name=weather, online_table_name=online
        )
    client.delete_online_store(name=other.name)
    client.drop_online_table(name=online, online_store=made)
    with pytest.raises(NotFound, match=f"no online table named '{online}'"):
        client.drop_online_table(name=online, online_store=made)
    client.delete_online_store(name=name)
    with pytest.raises(NotFound, match=f"no online store named '{name}'"):
        client.get_online_store(name=name)


def test_what_cannot_be_published_is_told_and_nothing_is(
    client: FeatureEngineeringClient, spark: SparkSession, store: OnlineStore, schema: str
) -> None:
    def publish(source: str, mode: str = "SNAPSHOT", name: str = "planes_online") -> None:
        client.publish_table(
            online_store=store,
            source_table_name=f"{schema}.{source}",
            online_table_name=f"{schema}.{name}",
            publish_mode=mode,
        )

    def table(name: str, columns: str, key: str) -> None:
        spark.sql(f"CREATE TABLE {schema}.{name} ({columns}, PRIMARY KEY ({key})) USING delta")

    table("planes", "tail STRING NOT NULL, seats INT", "tail")
    with pytest.raises(LaketopError, match=r"no change data feed.*delta.enableChangeDataFeed"):
        publish("planes", "TRIGGERED")
    with pytest.raises(LaketopError, match="mode 'ALWAYS' is none of SNAPSHOT, TRIGGERED"):
        publish("planes", "ALWAYS")
    with pytest.raises(LaketopError, match=r"'.*\.planes' is a table already"):
        publish("planes", name="planes")
    spark.sql(f"INSERT INTO {schema}.planes VALUES ('N1', 1), ('N1', 2)")  # noqa: S608
    with pytest.raises(LaketopError, match=r"holds the key \{'tail': 'N1'\} more than once"):
        publish("planes")
    with pytest.raises(LaketopError, match=r"no table named '.*\.nothing'"):
        publish("nothing")
    spark.sql(f"CREATE TABLE {schema}.plain (x INT) USING delta")
    with pytest.raises(LaketopError, match=r"no feature table named '.*\.plain'"):
        publish("plain")
    table("hours", "at TIMESTAMP NOT NULL, x INT", "at")
    with pytest.raises(LaketopError, match="is timestamp; a table is published"):
        publish("hours")
    gone = OnlineStore(name="gone", capacity="CU_1")
    with pytest.raises(LaketopError, match="Online store 'gone' does not exist"):
        client.publish_table(
            online_store=gone, source_table_name="a.b.c", online_table_name=f"{schema}.x"
        )
    with pytest.raises(NotFound):
        client.drop_online_table(name=f"{schema}.planes_online", online_store=store)


def test_a_workspace_that_does_not_answer_is_told(
    client: FeatureEngineeringClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "unknown")
    with pytest.raises(LaketopError, match=r"none answers: .*refused(.|\n)*set DATABRICKS_HOST"):
        client.get_online_store(name="any")
    monkeypatch.setenv("DATABRICKS_HOST", "")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    with pytest.raises(LaketopError, match=r"none answers: .*cannot configure default credentials"):
        client.list_online_stores()
