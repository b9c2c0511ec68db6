"""What endpoints were asked and have answered, in tables, and an experiment over them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any

import mlflow
import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    AutoCaptureConfigInput,
    EndpointCoreConfigInput,
    Route,
    ServedEntityInput,
    TrafficConfig,
)
from mlflow import MlflowClient
from mlflow.models import infer_signature
from pyspark.sql import DataFrame, SparkSession

from laketop.ml.experiments import Experiment, look, observed, proportion_spread, start
from laketop.workspace.daemon import Contact
from laketop.workspace.inference_tables import AUTO_CAPTURE, GATEWAY, InferenceTable

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

ARMS = ("control", "treatment")


def half() -> Any:
    """Return a model that predicts one half of `x`."""

    class Half(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # loaded lazily
        def predict(self, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG002 - MLflow reads hints
            return (model_input["x"] / 2).to_numpy()

    return Half()


@pytest.fixture
def model(workspace: Contact, schema: str) -> Iterator[str]:
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    experiment = mlflow.set_experiment(f"/Shared/{schema}")
    rows = pd.DataFrame({"x": [1.0]})
    with mlflow.start_run(experiment_id=experiment.experiment_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=half(),
            signature=infer_signature(rows, rows["x"].to_numpy()),
            registered_model_name=f"{schema}.half",
            pip_requirements=["mlflow"],
        )
    yield f"{schema}.half"
    MlflowClient().delete_registered_model(f"{schema}.half")


@pytest.fixture
def endpoint(model: str) -> Iterator[str]:
    """Serve the model twice, under two names, with an inference table of each form."""
    client, name = WorkspaceClient(), model.replace(".", "-")
    catalog, schema, _ = model.split(".")
    entities = [
        ServedEntityInput(name=arm, entity_name=model, entity_version="1", workload_size="Small")
        for arm in ARMS
    ]
    routes = [Route(served_entity_name=arm, traffic_percentage=50) for arm in ARMS]
    client.serving_endpoints.create_and_wait(
        name,
        config=EndpointCoreConfigInput(
            name=name,
            served_entities=entities,
            traffic_config=TrafficConfig(routes=routes),
            auto_capture_config=AutoCaptureConfigInput(
                catalog_name=catalog, schema_name=schema, table_name_prefix="old"
            ),
        ),
        ai_gateway=AiGatewayConfig(
            inference_table_config=AiGatewayInferenceTableConfig(
                catalog_name=catalog, schema_name=schema, enabled=True
            )
        ),
    )
    yield name
    client.serving_endpoints.delete(name)


def rows_of(spark: SparkSession, table: str, number: int) -> DataFrame:
    """Return the table once it has that many rows."""
    deadline = time.monotonic() + 120
    while not spark.catalog.tableExists(table) or spark.table(table).count() < number:
        assert time.monotonic() < deadline, table
        time.sleep(0.2)
    return spark.table(table)


@pytest.fixture
def asked(endpoint: str) -> Callable[[int], list[str | None]]:
    """Return what sends that many requests, and returns who has answered each."""

    def asked(number: int) -> list[str | None]:
        ask = WorkspaceClient().serving_endpoints.query
        return [
            ask(
                endpoint, dataframe_records=[{"x": n % 2}], client_request_id=f"q{n}"
            ).served_model_name
            for n in range(number)
        ]

    return asked


def test_requests_are_rows_of_both_forms_and_an_experiment_looks_at_them(
    spark: SparkSession, schema: str, endpoint: str, asked: Callable[[int], list[str | None]]
) -> None:
    began = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    names = asked(24)
    client = WorkspaceClient()
    with pytest.raises(BadRequest):
        client.serving_endpoints.query(endpoint, dataframe_records=[{"y": 1.0}])

    payload = rows_of(spark, f"{schema}.`{endpoint}_payload`", 25)
    assert payload.columns == InferenceTable(GATEWAY, "c", "s", "t").columns
    client.api_client.do("POST", "/api/laketop/1/system-tables/flush")
    served = spark.table("system.serving.served_entities").where(f"endpoint_name = '{endpoint}'")
    ids = {row["served_entity_id"]: row["served_entity_name"] for row in served.collect()}
    found = {row["client_request_id"]: row for row in payload.collect()}
    assert len(found) == 25
    assert [ids[found[f"q{n}"]["served_entity_id"]] for n in range(24)] == names
    assert {row["status_code"] for row in found.values()} == {200, 400}
    assert found["q1"]["response"] == '{"predictions": [0.5]}'
    assert found["q1"]["request_time"] > began.replace(tzinfo=None)

    plan = Experiment(
        name="live",
        hypothesis="no model is better than itself",
        metric="hit",
        minimum_effect=0.1,
        spread=proportion_spread(0.5),
        started_at=began,
    )
    start(spark, schema, plan)
    labels = spark.createDataFrame([(f"q{n}", n % 2) for n in range(24)], "key string, label int")
    arms = {name: id_ for id_, name in ids.items()}
    seen = look(spark, schema, plan, observed(payload, labels, arms=arms))
    assert (seen.control.keys, seen.treatment.keys) == tuple(map(names.count, ARMS))
    assert seen.decision == "continue"

    old = rows_of(spark, f"{schema}.old_payload", 25)
    assert old.columns == InferenceTable(AUTO_CAPTURE, "c", "s", "t").columns
    assert {row["request_metadata"]["model_version"] for row in old.collect()} == {"1"}
