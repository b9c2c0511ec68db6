from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
import uvicorn
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    DeadlineExceeded,
    InvalidParameterValue,
    NotFound,
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
)
from databricks.sdk.errors import NotImplemented as NotServed
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    AiGatewayRateLimit,
    AiGatewayRateLimitRenewalPeriod,
    AutoCaptureConfigInput,
    EndpointCoreConfigInput,
    EndpointStateConfigUpdate,
    EndpointStateReady,
    Route,
    ServedEntityInput,
    ServedModelStateDeployment,
    ServingEndpointsAPI,
    ServingModelWorkloadType,
    TrafficConfig,
)
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from laketop.settings import Settings
from laketop.workspace.app import create_app
from laketop.workspace.waiting_rows import WaitingRows
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

FEATURES = pd.DataFrame({"distance": [0.0, 1.0, 2.0, 3.0], "hour": [1.0, 0.0, 1.0, 0.0]})
MODEL = "main.ml.delay"
RECORDS = [{"distance": 3.0, "hour": 1.0}, {"distance": 0.0, "hour": 0.0}]


def register(name: str, *, slope: float) -> None:
    """Register the next version of `name`, a model of `slope * distance + hour`."""
    model = LinearRegression().fit(FEATURES, slope * FEATURES["distance"] + FEATURES["hour"])
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=name,
            signature=infer_signature(FEATURES, np.array([1.0])),
            pip_requirements=["scikit-learn"],
        )


@contextlib.contextmanager
def serving(root: Path) -> Iterator[tuple[Workspace, WorkspaceClient, str]]:
    """Serve the workspace of the project at `root` until the block ends."""
    workspace = Workspace(Settings(root=root, cache=root / "cache"))
    server = uvicorn.Server(uvicorn.Config(create_app(workspace), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        host = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        token = workspace.tokens.issue("me@laketop.local")
        yield workspace, WorkspaceClient(host=host, token=token), token
    finally:
        server.should_exit = True
        thread.join(timeout=60)


@pytest.fixture(scope="module", autouse=True)
def registered(workspace: Workspace, host: str, token: str) -> Iterator[None]:
    (workspace.state / "catalog" / "main" / "ml").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", host)
        patch.setenv("DATABRICKS_TOKEN", token)
        mlflow.set_tracking_uri("databricks")
        mlflow.set_registry_uri("databricks-uc")
        mlflow.set_experiment("/Shared/serving")
        register(MODEL, slope=2.0)
        register(MODEL, slope=10.0)
        yield


def entity(version: str = "1", **options: object) -> ServedEntityInput:
    fields = {"entity_name": MODEL, "scale_to_zero_enabled": True, "workload_size": "Small"}
    return ServedEntityInput(entity_version=version, **{**fields, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def endpoint(client: WorkspaceClient, registered: None) -> str:
    config = EndpointCoreConfigInput(name="delay", served_entities=[entity()])
    client.serving_endpoints.create_and_wait("delay", config=config)
    return "delay"


def predictions(client: WorkspaceClient, name: str, **payload: object) -> list[float]:
    answer = client.serving_endpoints.query(name, **payload)  # type: ignore[arg-type]
    assert answer.predictions is not None
    return [round(value, 6) for value in answer.predictions]


def test_an_endpoint_is_ready_once_its_model_is_loaded(
    client: WorkspaceClient, endpoint: str
) -> None:
    found = client.serving_endpoints.get(endpoint)

    assert found.state is not None
    assert found.state.ready == EndpointStateReady.READY
    assert found.state.config_update == EndpointStateConfigUpdate.NOT_UPDATING
    assert found.config is not None
    assert found.config.served_entities is not None
    [served] = found.config.served_entities
    assert (served.name, served.entity_name, served.entity_version) == ("delay-1", MODEL, "1")
    assert served.state is not None
    assert served.state.deployment == ServedModelStateDeployment.DEPLOYMENT_READY
    assert client.serving_endpoints.logs(endpoint, "delay-1").logs is not None
    assert endpoint in [e.name for e in client.serving_endpoints.list()]


def test_an_endpoint_is_billed_for_the_time_it_is_ready_once_for_each_entity(
    client: WorkspaceClient, workspace: Workspace, endpoint: str
) -> None:
    waiting, mine = WaitingRows(workspace.store, most_rows=10_000), []
    for hours in (0, 2):
        workspace.now_ms.offset_ms += hours * 3_600_000
        client.api_client.do("POST", "/api/laketop/1/system-tables/flush")
        rows = waiting.batch("system.billing.usage")[1]
        mine = [one for one in rows if one["usage_metadata"].get("endpoint_name") == endpoint]
    last = mine[-1]
    assert last["sku_name"] == "LAKETOP_SERVERLESS_REAL_TIME_INFERENCE"
    assert last["usage_metadata"]["endpoint_id"] == client.serving_endpoints.get(endpoint).id
    assert last["billing_origin_product"] == "MODEL_SERVING"
    assert 2 <= float(last["usage_quantity"]) < 3
    assert sum(float(one["usage_quantity"]) for one in mine) < 3


def test_every_form_of_payload_gives_the_same_predictions(
    client: WorkspaceClient, endpoint: str
) -> None:
    from databricks.sdk.service.serving import DataframeSplitInput

    columns, rows = ["hour", "distance"], [[1.0, 3.0], [0.0, 0.0]]
    split = DataframeSplitInput(columns=columns, data=rows)

    assert predictions(client, endpoint, dataframe_records=RECORDS) == [7.0, 0.0]
    assert predictions(client, endpoint, dataframe_split=split) == [7.0, 0.0]
    assert predictions(client, endpoint, instances=RECORDS) == [7.0, 0.0]
    inputs = {"distance": [3.0, 0.0], "hour": [1.0, 0.0]}
    assert predictions(client, endpoint, inputs=inputs) == [7.0, 0.0]


def test_the_answer_names_the_entity_that_gave_it(client: WorkspaceClient, endpoint: str) -> None:
    answer = client.serving_endpoints.query(endpoint, dataframe_records=RECORDS)

    assert answer.served_model_name == "delay-1"


def test_an_endpoint_does_for_each_what_permissions_allow(
    client: WorkspaceClient, ann: WorkspaceClient, endpoint: str
) -> None:
    name, number = ann.current_user.me().user_name, client.serving_endpoints.get(endpoint).id or ""

    def given(level: PermissionLevel) -> None:
        entry = AccessControlRequest(user_name=name, permission_level=level)
        client.permissions.update("serving-endpoints", number, access_control_list=[entry])

    change = ann.serving_endpoints.update_config
    for refused, needed in (
        (lambda: ann.serving_endpoints.get(endpoint), "CAN_VIEW"),
        (lambda: ann.serving_endpoints.logs(endpoint, "delay-1"), "CAN_VIEW"),
        (lambda: predictions(ann, endpoint, dataframe_records=RECORDS), "CAN_QUERY"),
        (
            lambda: change(endpoint, served_entities=[entity()]),
            "CAN_MANAGE",
        ),
        (lambda: ann.serving_endpoints.delete(endpoint), "CAN_MANAGE"),
    ):
        with pytest.raises(PermissionDenied, match=needed):
            refused()
    assert endpoint not in [one.name for one in ann.serving_endpoints.list()]
    given(PermissionLevel.CAN_VIEW)
    assert endpoint in [one.name for one in ann.serving_endpoints.list()]
    assert ann.serving_endpoints.get(endpoint).name == endpoint
    with pytest.raises(PermissionDenied, match="CAN_QUERY"):
        predictions(ann, endpoint, dataframe_records=RECORDS)
    given(PermissionLevel.CAN_QUERY)
    assert predictions(ann, endpoint, dataframe_records=RECORDS) == [7.0, 0.0]
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        ann.serving_endpoints.delete(endpoint)


def test_a_missing_column_is_a_bad_request_that_names_it(
    client: WorkspaceClient, endpoint: str
) -> None:
    with pytest.raises(BadRequest, match=r"missing inputs \['hour'\]"):
        client.serving_endpoints.query(endpoint, dataframe_records=[{"distance": 1.0}])


def test_a_payload_without_data_is_a_bad_request(client: WorkspaceClient, endpoint: str) -> None:
    with pytest.raises(BadRequest, match="exactly one of the input fields"):
        client.serving_endpoints.query(endpoint)


def test_what_the_model_itself_refuses_is_a_bad_request(
    client: WorkspaceClient, endpoint: str
) -> None:
    with pytest.raises(BadRequest, match="could not predict: ValueError"):
        client.serving_endpoints.query(
            endpoint, dataframe_records=[{"distance": None, "hour": 1.0}]
        )


def test_another_content_type_is_refused(host: str, token: str, endpoint: str) -> None:
    answer = requests.post(
        f"{host}/serving-endpoints/{endpoint}/invocations",
        data=b"distance,hour\n1,1\n",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
        timeout=60,
    )

    assert answer.status_code == 415
    assert "text/csv" in answer.json()["message"]


def test_queries_are_answered_at_once_and_each_its_own(
    client: WorkspaceClient, endpoint: str
) -> None:
    def ask(number: int) -> list[float]:
        row = {"distance": float(number), "hour": 0.0}
        return predictions(client, endpoint, dataframe_records=[row])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    assert answers == [[2.0 * number] for number in range(40)]


def scorer_processes(folder: Path) -> list[int]:
    """Return the ids of the scorers whose folder is below `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\x00")
        except OSError:
            continue
        # The guard in front of a scorer has the scorer's arguments behind its own.
        is_scorer = arguments[1:3] == [b"-m", b"laketop.workspace.scorer"]
        if is_scorer and arguments[3].decode().startswith(str(folder)):
            found.append(int(process.name))
    return found


def the_scorer(folder: Path) -> int:
    """Return the one scorer below `folder`, once those of other tests have ended."""
    deadline = time.monotonic() + 300
    while len(found := scorer_processes(folder)) != 1:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found[0]


def test_a_scorer_has_no_token_of_the_workspace(
    workspace: Workspace, token: str, endpoint: str
) -> None:
    pid = the_scorer(workspace.state / "serving")
    environment = Path(f"/proc/{pid}/environ").read_bytes()

    assert token.encode() not in environment
    assert b"DATABRICKS" not in environment


def test_a_model_that_does_not_answer_in_time_is_told_so(
    client: WorkspaceClient, workspace: Workspace, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = the_scorer(workspace.state / "serving")
    monkeypatch.setattr(workspace.serving_endpoints, "answer_seconds", 0.1)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(DeadlineExceeded, match=r"'delay-1'.* within 0\.1 seconds"):
            client.serving_endpoints.query(endpoint, dataframe_records=RECORDS)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_scorer_that_dies_is_started_again(
    client: WorkspaceClient, workspace: Workspace, endpoint: str
) -> None:
    pid = the_scorer(workspace.state / "serving")
    os.kill(pid, signal.SIGKILL)
    while scorer_processes(workspace.state / "serving") == [pid]:
        time.sleep(0.02)

    assert predictions(client, endpoint, dataframe_records=RECORDS) == [7.0, 0.0]


def test_an_update_shares_the_traffic_and_keeps_a_request_id_with_its_entity(
    client: WorkspaceClient, workspace: Workspace, registered: None
) -> None:
    config = EndpointCoreConfigInput(name="ab", served_entities=[entity("1", name="champion")])
    client.serving_endpoints.create_and_wait("ab", config=config)
    shares = [("champion", 50), ("challenger", 50)]
    routes = [Route(traffic_percentage=share, served_entity_name=name) for name, share in shares]
    waiting = client.serving_endpoints.update_config(
        "ab",
        served_entities=[entity("1", name="champion"), entity("2", name="challenger")],
        traffic_config=TrafficConfig(routes=routes),
    )
    meanwhile = predictions(client, "ab", dataframe_records=RECORDS[:1])
    assert meanwhile == [7.0], "the configuration before must serve on"
    with pytest.raises(ResourceConflict, match="being updated"):
        client.serving_endpoints.update_config("ab", served_entities=[entity("2")])
    waiting.result()

    asked = [
        client.serving_endpoints.query(
            "ab", dataframe_records=RECORDS[:1], client_request_id=str(number)
        )
        for number in [*range(12), *range(12)]
    ]
    names = [answer.served_model_name for answer in asked]
    values = {answer.served_model_name: answer.predictions for answer in asked}

    assert names[:12] == names[12:]
    assert set(names) == {"champion", "challenger"}
    assert values["champion"] == pytest.approx([7.0])
    assert values["challenger"] == pytest.approx([31.0])
    client.serving_endpoints.delete("ab")


def test_names_versions_and_fields_that_cannot_be_served_are_refused(
    client: WorkspaceClient, endpoint: str
) -> None:
    api = client.serving_endpoints

    def create(name: str = "other", **options: object) -> None:
        fields = {"served_entities": [entity()], **options}
        api.create(name, config=EndpointCoreConfigInput(name=name, **fields))  # type: ignore[arg-type]

    with pytest.raises(ResourceAlreadyExists, match="already exists"):
        create(endpoint)
    with pytest.raises(InvalidParameterValue, match="alias"):
        create(served_entities=[entity("champion")])
    with pytest.raises(NotFound, match="version=9"):
        create(served_entities=[entity("9")])
    with pytest.raises(InvalidParameterValue, match="needs 'catalog_name'"):
        create(auto_capture_config=AutoCaptureConfigInput(enabled=True))
    with pytest.raises(NotServed, match="GPU"):
        create(served_entities=[entity(workload_type=ServingModelWorkloadType.GPU_SMALL)])
    with pytest.raises(NotFound, match="does not exist"):
        api.get("other")
    with pytest.raises(NotFound, match="does not exist"):
        api.query("other", dataframe_records=RECORDS)


def table_config(prefix: str | None = None) -> AiGatewayInferenceTableConfig:
    return AiGatewayInferenceTableConfig(
        catalog_name="main", schema_name="ml", table_name_prefix=prefix, enabled=True
    )


def test_an_inference_table_is_told_and_stays_until_it_is_disabled(
    client: WorkspaceClient, workspace: Workspace, registered: None
) -> None:
    api = client.serving_endpoints
    legacy = AutoCaptureConfigInput(catalog_name="main", schema_name="ml", table_name_prefix="old")
    api.create_and_wait(
        "kept",
        config=EndpointCoreConfigInput(
            name="kept", served_entities=[entity()], auto_capture_config=legacy
        ),
        ai_gateway=AiGatewayConfig(inference_table_config=table_config()),
    )
    found = api.get("kept")
    assert found.ai_gateway is not None
    assert found.ai_gateway.inference_table_config == table_config()
    assert found.config is not None
    assert found.config.auto_capture_config is not None
    assert found.config.auto_capture_config.as_dict()["state"] == {
        "payload_table": {"name": "old_payload", "status": "READY"}
    }

    answer = api.query("kept", dataframe_records=RECORDS, client_request_id="q1")
    with pytest.raises(BadRequest):
        api.query("kept", dataframe_records=[{"distance": 1.0}])
    rows = waiting(workspace, "main.ml.kept_payload")
    assert [row["status_code"] for row in rows] == [200, 400]
    assert json.loads(rows[0]["response"]) == {"predictions": answer.predictions}
    assert json.loads(rows[0]["request"])["dataframe_records"] == RECORDS
    assert rows[0]["client_request_id"] == "q1"
    assert len(waiting(workspace, "main.ml.old_payload")) == 2

    with pytest.raises(InvalidParameterValue, match=r"main\.ml\.kept_payload; disable it"):
        api.put_ai_gateway("kept", inference_table_config=table_config("another"))
    assert api.put_ai_gateway("kept").inference_table_config is None
    api.query("kept", dataframe_records=RECORDS)
    assert len(waiting(workspace, "main.ml.kept_payload")) == 2
    assert len(waiting(workspace, "main.ml.old_payload")) == 3
    api.delete("kept")


def test_an_inference_table_that_cannot_be_is_refused(
    client: WorkspaceClient, registered: None, ann: WorkspaceClient
) -> None:
    def create(api: ServingEndpointsAPI, **fields: Any) -> None:
        config = dataclasses.replace(table_config(), **fields)
        api.create("none", ai_gateway=AiGatewayConfig(inference_table_config=config))

    with pytest.raises(NotFound, match=r"main\.nowhere"):
        create(client.serving_endpoints, schema_name="nowhere")
    with pytest.raises(InvalidParameterValue, match="valid name"):
        create(client.serving_endpoints, table_name_prefix="a b")
    user = ann.current_user.me().user_name
    with pytest.raises(PermissionDenied):
        create(ann.serving_endpoints)
    may = [Privilege.USE_CATALOG, Privilege.CREATE_TABLE]
    client.grants.update("CATALOG", "main", changes=[PermissionsChange(add=may, principal=user)])
    with pytest.raises(PermissionDenied, match="USE SCHEMA"):
        create(ann.serving_endpoints)
    client.grants.update("CATALOG", "main", changes=[PermissionsChange(remove=may, principal=user)])
    limits = [AiGatewayRateLimit(renewal_period=AiGatewayRateLimitRenewalPeriod.MINUTE, calls=1)]
    with pytest.raises(NotServed, match="rate_limits"):
        client.serving_endpoints.create("none", ai_gateway=AiGatewayConfig(rate_limits=limits))
    with pytest.raises(NotFound):
        client.serving_endpoints.get("none")


def waiting(workspace: Workspace, table: str) -> list[dict[str, Any]]:
    """Return the rows that wait for an inference table, as there is no engine here."""
    rows = WaitingRows(workspace.store, most_rows=100)
    [name] = [name for name in rows.names() if f'"{table}"' in name]
    last, found = rows.batch(name)
    with workspace.store.transaction(write=True):
        workspace.store.table("system batches").pop(name, None)
    assert last
    return found


def test_a_model_whose_files_changed_is_not_served(
    client: WorkspaceClient, workspace: Workspace, registered: None
) -> None:
    register("main.ml.changed", slope=1.0)
    folder = workspace.model_registry.registry.folder("main.ml.changed", 1)
    with (folder / "model.pkl").open("ab") as file:
        file.write(b".")

    waiting = client.serving_endpoints.create(
        "changed",
        config=EndpointCoreConfigInput(
            name="changed",
            served_entities=[entity(entity_name="main.ml.changed")],
        ),
    )
    with pytest.raises(OperationFailed, match="UPDATE_FAILED"):
        waiting.result()

    found = client.serving_endpoints.get("changed").as_dict()
    assert found["state"] == {"ready": "NOT_READY", "config_update": "UPDATE_FAILED"}
    [failed] = found["pending_config"]["served_entities"]
    assert "model.pkl" in failed["state"]["deployment_state_message"]
    with pytest.raises(BadRequest, match="not ready"):
        client.serving_endpoints.query("changed", dataframe_records=RECORDS)
    client.serving_endpoints.delete("changed")


def test_a_deployment_that_fails_in_an_unforeseen_way_has_failed(
    client: WorkspaceClient,
    workspace: Workspace,
    registered: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = workspace.serving_endpoints
    settle, attempts = service._settle, []

    def break_down(*_: object) -> None:
        raise RuntimeError("can't start new thread\nand more")

    def settle_late(*arguments: object) -> None:
        attempts.append(arguments)
        if len(attempts) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        settle(*arguments)

    monkeypatch.setattr(service._scorers, "get", break_down)
    monkeypatch.setattr(service, "_settle", settle_late)
    entities = [entity(environment_vars={"KEY": "s3cret"})]
    config = EndpointCoreConfigInput(name="broken", served_entities=entities)
    with pytest.raises(OperationFailed, match="UPDATE_FAILED"):
        client.serving_endpoints.create_and_wait("broken", config=config)

    [failed] = client.serving_endpoints.get("broken").as_dict()["pending_config"]["served_entities"]
    assert failed["state"]["deployment_state_message"] == (
        "delay-1: it could not be deployed: can't start new thread (RuntimeError)"
    )
    # pyspark, once imported, writes log lines as JSON: ask the records, not the text.
    (told,) = (r for r in caplog.records if "could not be deployed" in r.getMessage())
    assert told.exc_info
    assert told.getMessage().startswith("endpoint 'broken': 'delay-1'")
    assert "s3cret" not in caplog.text
    client.serving_endpoints.delete("broken")


def test_an_endpoint_serves_again_after_the_workspace_was_started_anew(
    tmp_path: Path,
) -> None:
    entities = [entity()]
    with serving(tmp_path) as (before, client, token):
        (before.state / "catalog" / "main" / "ml").mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABRICKS_HOST", client.config.host)
            patch.setenv("DATABRICKS_TOKEN", token)
            mlflow.set_experiment("/Shared/serving")
            register(MODEL, slope=3.0)
        config = EndpointCoreConfigInput(name="kept", served_entities=entities)
        client.serving_endpoints.create("kept", config=config)
    assert scorer_processes(tmp_path) == [], "a scorer outlived its workspace"

    with serving(tmp_path) as (_, client, _):
        client.serving_endpoints.wait_get_serving_endpoint_not_updating("kept")
        assert predictions(client, "kept", dataframe_records=RECORDS[:1]) == [10.0]
