from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import io
import itertools
import json
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.errors import NotImplemented as NotServed
from databricks.sdk.service.ml import ModelTag, PermissionLevel
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from mlflow.tracking._model_registry.registry import ModelRegistryStoreRegistry
from sklearn.linear_model import LinearRegression

from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

REST_STORE = "mlflow.store._unity_catalog.registry.rest_store"
FEATURES = pd.DataFrame({"distance": [0.0, 1.0, 2.0, 3.0], "hour": [1.0, 0.0, 1.0, 0.0]})
names = (f"main.ml.m{number}" for number in itertools.count())


@pytest.fixture(scope="module", params=["mlflow", "native"])
def registry(
    workspace: Workspace, host: str, token: str, request: pytest.FixtureRequest
) -> Iterator[MlflowClient]:
    """MLflow's client, which speaks MLflow's dialect of the registry or that of Unity Catalog."""
    (workspace.state / "catalog" / "main" / "ml").mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ENABLE_UC_NATIVE_MODEL_REGISTRY", str(request.param == "native"))
        # The client makes one store for an address, and keeps it.
        stores: Any = ModelRegistryStoreRegistry._get_store_with_resolved_uri
        stores.cache_clear()
        patch.setenv("DATABRICKS_HOST", host)
        patch.setenv("DATABRICKS_TOKEN", token)
        # With a Spark session about, which another test may have left, the client completes names.
        patch.setattr(f"{REST_STORE}._get_active_spark_session", lambda: None)
        mlflow.set_tracking_uri("databricks")
        mlflow.set_registry_uri("databricks-uc")
        mlflow.set_experiment("/Shared/registry")
        yield MlflowClient()


def register(name: str, **options: Any) -> Any:
    """Log and register the next version of `name`, which predicts the distance."""
    model = LinearRegression().fit(FEATURES, FEATURES["distance"])
    with mlflow.start_run():
        mlflow.log_metric("rmse", 0.5)
        return mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=name,
            **{
                "signature": infer_signature(FEATURES, np.array([1.0])),
                "pip_requirements": ["scikit-learn"],
                **options,
            },
        )


@pytest.fixture
def name() -> str:
    return next(names)


@pytest.fixture(scope="module")
def registered(registry: MlflowClient) -> str:
    """A model with two versions; tests leave its versions as they are."""
    found = next(names)
    register(found)
    register(found)
    return found


def code(act: Callable[[], object]) -> str:
    with pytest.raises(MlflowException) as caught:
        act()
    return str(caught.value.error_code)


def test_a_logged_model_becomes_a_version_that_loads(registry: MlflowClient, name: str) -> None:
    info = register(name, params={"depth": 3})
    found = registry.get_model_version(name, "1")

    assert (found.status, found.version) == ("READY", "1")
    assert found.source == f"models:/{info.model_id}"
    assert (found.model_id, found.run_id) == (info.model_id, info.run_id)
    assert found.user_id == "me@laketop.local"
    assert [(m.key, m.value) for m in found.metrics or []] == [("rmse", 0.5)]
    assert [(p.key, p.value) for p in found.params or []] == [("depth", "3")]
    loaded = mlflow.pyfunc.load_model(f"models:/{name}/1")
    assert loaded.predict(FEATURES) == pytest.approx([0.0, 1.0, 2.0, 3.0])
    logged = mlflow.get_logged_model(info.model_id)
    assert logged.tags["mlflow.modelVersions"] == f'[{{"name": "{name}", "version": "1"}}]'


def test_an_alias_moves_to_the_version_that_it_is_set_to(
    registry: MlflowClient, registered: str
) -> None:
    registry.set_registered_model_alias(registered, "champion", "1")
    registry.set_registered_model_alias(registered, "champion", "2")
    registry.set_registered_model_alias(registered, "challenger", "1")

    assert registry.get_registered_model(registered).aliases == {
        "champion": "2",
        "challenger": "1",
    }
    assert registry.get_model_version(registered, "1").aliases == ["challenger"]
    assert registry.get_model_version_by_alias(registered, "champion").version == "2"
    loaded = mlflow.pyfunc.load_model(f"models:/{registered}@champion")
    assert loaded.predict(FEATURES[:1]) == pytest.approx([0.0])

    registry.delete_registered_model_alias(registered, "challenger")
    assert (
        code(lambda: registry.get_model_version_by_alias(registered, "challenger"))
        == "RESOURCE_DOES_NOT_EXIST"
    )


def test_an_alias_that_many_set_at_once_is_one_of_what_they_set(
    registry: MlflowClient, registered: str
) -> None:
    def promote(number: int) -> None:
        registry.set_registered_model_alias(registered, "raced", str(number % 2 + 1))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(promote, range(32)))

    assert registry.get_model_version_by_alias(registered, "raced").version in {"1", "2"}
    registry.delete_registered_model_alias(registered, "raced")


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V22", "a b", "é", "x" * 256])
def test_an_alias_that_unity_catalog_keeps_for_itself_is_refused(
    registry: MlflowClient, registered: str, alias: str
) -> None:
    act = lambda: registry.set_registered_model_alias(registered, alias, "1")  # noqa: E731 - shown to `code`

    assert code(act) == "INVALID_PARAMETER_VALUE"


def test_an_alias_of_a_version_that_is_not_there_is_refused(
    registry: MlflowClient, registered: str
) -> None:
    act = lambda: registry.set_registered_model_alias(registered, "champion", "9")  # noqa: E731 - shown to `code`

    assert code(act) == "RESOURCE_DOES_NOT_EXIST"


def test_tags_and_descriptions_are_kept_and_deleted(
    registry: MlflowClient, registered: str
) -> None:
    registry.update_registered_model(registered, "delays of flights")
    registry.update_model_version(registered, "1", "the first")
    registry.set_registered_model_tag(registered, "team", "delays")
    registry.set_model_version_tag(registered, "1", "gate", "passed")

    model = registry.get_registered_model(registered)
    version = registry.get_model_version(registered, "1")
    assert (model.description, model.tags) == ("delays of flights", {"team": "delays"})
    assert (version.description, version.tags) == ("the first", {"gate": "passed"})

    registry.delete_registered_model_tag(registered, "team")
    registry.delete_model_version_tag(registered, "1", "gate")
    assert registry.get_registered_model(registered).tags == {}
    assert registry.get_model_version(registered, "1").tags == {}


def test_models_and_versions_are_found_page_by_page(
    registry: MlflowClient, registered: str
) -> None:
    for _ in range(2):
        registry.create_registered_model(next(names))
    every = [model.name for model in registry.search_registered_models()]
    first = registry.search_registered_models(max_results=2)
    versions = registry.search_model_versions(f"name='{registered}'")

    rest, token = [model.name for model in first], first.token
    while token:
        page = registry.search_registered_models(max_results=2, page_token=token)
        rest, token = rest + [model.name for model in page], page.token
    assert rest == every
    assert sorted(version.version for version in versions) == ["1", "2"]


def test_models_of_which_nothing_was_granted_are_found_by_nobody(
    registered: str, client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    def found(caller: WorkspaceClient, what: str, **asked: str) -> set[str]:
        path = f"/api/2.0/mlflow/unity-catalog/{what.replace('_', '-')}/search"
        told: Any = caller.api_client.do("GET", path, query={"max_results": "1000", **asked})
        return {str(one["name"]) for one in told.get(what, ())}

    assert registered in found(client, "registered_models")
    assert registered not in found(ann, "registered_models")
    for asked in ({}, {"filter": f"name='{registered}'"}):
        assert registered in found(client, "model_versions", **asked)
        assert registered not in found(ann, "model_versions", **asked)


def test_names_have_three_levels_and_a_schema_that_exists(registry: MlflowClient) -> None:
    with pytest.raises(MlflowException, match=r"three levels.*databricks-uc"):
        registry.create_registered_model("model")
    with pytest.raises(MlflowException, match=r"'Main\.ml\.x'.*lower case; use 'main\.ml\.x'"):
        registry.create_registered_model("Main.ml.x")
    with pytest.raises(MlflowException, match="Catalog 'nowhere' does not exist"):
        registry.create_registered_model("nowhere.ml.m")
    with pytest.raises(MlflowException, match=r"Schema 'main\.nowhere' does not exist"):
        registry.create_registered_model("main.nowhere.m")


def test_a_name_is_given_once(registry: MlflowClient, registered: str) -> None:
    assert code(lambda: registry.create_registered_model(registered)) == "RESOURCE_ALREADY_EXISTS"


def test_what_is_not_there_is_not_found(registry: MlflowClient, registered: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: registry.get_registered_model("main.ml.unknown"),
        lambda: registry.get_model_version(registered, "77"),
        lambda: registry.get_model_version_by_alias(registered, "unknown"),
        lambda: registry.delete_registered_model("main.ml.unknown"),
        lambda: registry.delete_model_version(registered, "77"),
        lambda: registry.set_model_version_tag(registered, "77", "a", "b"),
    ]
    assert {code(act) for act in acts} == {"RESOURCE_DOES_NOT_EXIST"}


def test_renaming_is_refused_by_name(registry: MlflowClient, registered: str) -> None:
    with pytest.raises(MlflowException, match=r"(Renaming|does not rename) a registered model"):
        registry.rename_registered_model(registered, "main.ml.other")


def test_a_deleted_version_takes_its_aliases_and_files_and_its_number_is_not_given_again(
    registry: MlflowClient, workspace: Workspace, name: str
) -> None:
    register(name)
    registry.set_registered_model_alias(name, "champion", "1")
    registry.delete_model_version(name, "1")

    assert registry.get_registered_model(name).aliases == {}
    assert not (workspace.state / "models").joinpath(*name.split("."), "1").exists()
    register(name)
    assert [v.version for v in registry.search_model_versions(f"name='{name}'")] == ["2"]


def test_a_deleted_model_leaves_nothing_to_the_next_one_of_its_name(
    registry: MlflowClient, workspace: Workspace, name: str
) -> None:
    register(name)
    registry.set_registered_model_tag(name, "team", "delays")
    registry.delete_registered_model(name)
    assert not (workspace.state / "models").joinpath(*name.split(".")).exists()

    register(name)
    assert registry.get_registered_model(name).tags == {}
    assert mlflow.pyfunc.load_model(f"models:/{name}/1").predict(FEATURES[:1]) is not None


# --- what the client checks too, sent around it ---------------------------------------------------


@pytest.fixture
def raw(host: str, token: str) -> Callable[..., requests.Response]:
    def send(path: str, **fields: str) -> requests.Response:
        return requests.post(
            f"{host}/api/2.0/mlflow/unity-catalog/{path}",
            json=fields,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    return send


MLMODEL = 'flavors: {}\nsignature:\n  inputs: \'[{"type": "double", "name": "a"}]\'\n'
OUTPUTS = '  outputs: \'[{"type": "double"}]\'\n'


def create(raw: Callable[..., requests.Response], name: str) -> None:
    assert raw("registered-models/create", name=name).ok
    version = raw("model-versions/create", name=name, source="dbfs:/somewhere").json()
    assert version["model_version"]["status"] == "PENDING_REGISTRATION"


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        (None, "hold no MLmodel"),
        ("flavors: {}\n", "did not contain any signature"),
        (MLMODEL, "includes only inputs"),
        ("[", "cannot be read"),
        ("signature: text\n", "cannot be read"),
    ],
)
def test_a_version_without_a_whole_signature_fails_to_register(
    registry: MlflowClient,
    client: WorkspaceClient,
    raw: Callable[..., requests.Response],
    *,
    name: str,
    description: str | None,
    problem: str,
) -> None:
    create(raw, name)
    place = f"/Models/{name.replace('.', '/')}/1"
    if description is not None:
        client.files.upload(f"{place}/MLmodel", io.BytesIO(description.encode()))
    answer = raw("model-versions/finalize", name=name, version="1")

    assert answer.status_code == 400
    assert problem in answer.json()["message"]
    assert registry.get_model_version(name, "1").status == "FAILED_REGISTRATION"
    assert code(lambda: registry.set_registered_model_alias(name, "a", "1")) == "INVALID_STATE"


def test_a_registered_version_has_the_digest_of_every_file_and_does_not_change(
    registry: MlflowClient,
    client: WorkspaceClient,
    workspace: Workspace,
    raw: Callable[..., requests.Response],
    name: str,
) -> None:
    create(raw, name)
    place = f"/Models/{name.replace('.', '/')}/1"
    content = (MLMODEL + OUTPUTS).encode()
    client.files.upload(f"{place}/MLmodel", io.BytesIO(content))
    client.files.upload(f"{place}/data/weights", io.BytesIO(b"123"))

    for _ in range(2):
        answer = raw("model-versions/finalize", name=name, version="1")
        assert answer.json()["model_version"]["status"] == "READY"

    folder, digests = workspace.model_registry.files_of(name, 1)
    assert digests == {
        "MLmodel": hashlib.sha256(content).hexdigest(),
        "data/weights": hashlib.sha256(b"123").hexdigest(),
    }
    assert (folder / "data" / "weights").read_bytes() == b"123"
    with pytest.raises(PermissionDenied, match="is registered"):
        workspace.model_registry.check_open(f"{place}/data/weights")
    with pytest.raises(PermissionDenied, match="is registered"):
        client.files.upload(f"{place}/data/weights", io.BytesIO(b"4"), overwrite=True)


def test_who_registers_a_version_is_kept_as_its_header_tells(
    registry: MlflowClient, workspace: Workspace, host: str, token: str, name: str
) -> None:
    registry.create_registered_model(name)
    job = {"job": {"id": "7", "job_run_id": "8"}}
    told = {"entities": [job], "lineages": []}

    def create(header: str) -> requests.Response:
        return requests.post(
            f"{host}/api/2.0/mlflow/unity-catalog/model-versions/create",
            json={"name": name, "source": "dbfs:/somewhere"},
            headers={
                "Authorization": f"Bearer {token}",
                "X-Databricks-Lineage-Identifier": header,
            },
            timeout=60,
        )

    assert create(base64.b64encode(json.dumps(told).encode()).decode()).ok
    with contextlib.closing(sqlite3.connect(workspace.state / "mlflow.db")) as database:
        [(kept,)] = database.execute(
            "SELECT created_by FROM laketop_model_versions WHERE name = ?", (name,)
        ).fetchall()
    assert json.loads(kept) == told
    deep = base64.b64encode(b"[" * 5000).decode()
    for wrong in ("!", base64.b64encode(b"[1]").decode(), base64.b64encode(b"\xff").decode(), deep):
        answer = create(wrong)
        assert answer.status_code == 400
        assert "X-Databricks-Lineage-Identifier is not base64" in answer.json()["message"]


def test_who_reads_a_version_is_remembered_once(
    registry: MlflowClient,
    workspace: Workspace,
    raw: Callable[..., requests.Response],
    registered: str,
) -> None:
    job = {"type": "JOB", "job": {"id": "7", "job_run_id": "8"}}
    info = {"direction": "DOWNSTREAM", "entities": [job]}
    sent = {"name": registered, "version": "1", "model_version_lineage_info": info}
    for _ in range(2):
        assert raw("model-versions/emit-lineage", **sent).json() == {}
    with contextlib.closing(sqlite3.connect(workspace.state / "mlflow.db")) as database:
        rows = database.execute(
            "SELECT version, direction, entities FROM laketop_model_lineage WHERE name = ?",
            (registered,),
        ).fetchall()
    [(version, direction, entities)] = [row for row in rows if '"7"' in row[2]]
    assert (version, direction) == (1, "DOWNSTREAM")
    assert json.loads(entities)[0]["job"] == job["job"]
    missing = raw("model-versions/emit-lineage", **{**sent, "version": "99"})
    assert missing.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


class _Harmful:
    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.place),)


def test_a_pickle_with_a_side_effect_has_none_where_it_is_registered(
    registry: MlflowClient,
    client: WorkspaceClient,
    raw: Callable[..., requests.Response],
    tmp_path: Path,
    name: str,
) -> None:
    harm = pickle.dumps(_Harmful(str(tmp_path / "harm")))
    pickle.loads(harm)  # noqa: S301 - our own: it does what it says
    (tmp_path / "harm").unlink()
    create(raw, name)
    place = f"/Models/{name.replace('.', '/')}/1"
    description = MLMODEL.replace(
        "flavors: {}",
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: m.pkl",
    )
    client.files.upload(f"{place}/MLmodel", io.BytesIO((description + OUTPUTS).encode()))
    client.files.upload(f"{place}/m.pkl", io.BytesIO(harm))
    answer = raw("model-versions/finalize", name=name, version="1")
    assert answer.json()["model_version"]["status"] == "READY"
    registry.set_registered_model_alias(name, "champion", "1")
    client.model_versions.get(name, 1)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "source",
    ["file:///etc", "/etc", "s3://b/c", "models:/../x", "dbfs:/a/%2e%2e/b", "runs:/a/..\\b"],
)
def test_a_source_outside_of_the_workspace_is_refused(
    raw: Callable[..., requests.Response], registered: str, source: str
) -> None:
    answer = raw("model-versions/create", name=registered, source=source)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_logged_model_that_is_unknown_cannot_be_registered(
    raw: Callable[..., requests.Response], registered: str
) -> None:
    answer = raw("model-versions/create", name=registered, source="models:/m-0", model_id="m-0")

    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_cloud_credentials_are_refused_by_name(
    raw: Callable[..., requests.Response], registered: str
) -> None:
    path = "model-versions/generate-temporary-credentials"
    answer = raw(path, name=registered, version="1", operation="MODEL_VERSION_OPERATION_READ")

    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_a_version_tells_what_made_it_and_what_has_read_it(
    registry: MlflowClient, client: WorkspaceClient, name: str
) -> None:
    registry.create_registered_model(name)
    made = {
        "entities": [{"job": {"id": "7", "job_run_id": "70"}}],
        "lineages": [{"source_table": {"name": "main.ml.flights"}}],
    }
    header = {"X-Databricks-Lineage-Identifier": base64.b64encode(json.dumps(made).encode())}
    client.api_client.do(
        "POST",
        "/api/2.0/mlflow/unity-catalog/model-versions/create",
        body={"name": name, "source": "dbfs:/databricks/mlflow-tracking/1/2/artifacts/model"},
        headers={key: value.decode() for key, value in header.items()},
    )
    reads = {
        "name": name,
        "version": "1",
        "model_version_lineage_info": {
            "direction": "DOWNSTREAM",
            "entities": [{"notebook": {"id": "9"}}],
        },
    }
    for _ in range(2):  # the same reader is remembered once
        client.api_client.do(
            "POST", "/api/2.0/mlflow/unity-catalog/model-versions/emit-lineage", body=reads
        )
    path = f"/api/laketop/1/models/{name}/versions"
    assert client.api_client.do("GET", f"{path}/1/lineage") == {
        "created_by": made,
        "dependencies": [],
        "lineages": [
            {"direction": "DOWNSTREAM", "entities": [{"notebook": {"id": "9"}}]},
        ],
    }
    with pytest.raises(NotFound):
        client.api_client.do("GET", f"{path}/2/lineage")


def test_the_workspace_s_own_registry_keeps_models_by_name(client: WorkspaceClient) -> None:
    api = client.model_registry
    made = api.create_model("shop churn", tags=[ModelTag("team", "shop")]).registered_model
    assert made is not None
    made_id = getattr(api.get_model("shop churn").registered_model_databricks, "id", "")
    assert (made.name, made.user_id, made.description) == ("shop churn", "me@laketop.local", None)
    with pytest.raises(ResourceAlreadyExists, match=r"name=shop churn"):
        api.create_model("shop churn")
    api.create_model("shop return", description="who sends back")
    api.update_model("shop churn", description="who leaves")
    api.set_model_tag("shop churn", "team", "store")
    api.set_model_tag("shop churn", "stage", "dev")
    api.delete_model_tag("shop churn", "stage")
    api.rename_model("shop churn", new_name="shop leave")
    found = api.get_model("shop leave").registered_model_databricks
    assert found is not None
    assert (found.id, found.description) == (made_id, "who leaves")
    assert found.tags == [ModelTag("team", "store")]
    assert found.permission_level is PermissionLevel.CAN_MANAGE
    for name in ("shop leave", "shop return"):
        api.delete_model(name)
    with pytest.raises(ResourceDoesNotExist, match=r"name=shop leave not found"):
        api.get_model("shop leave")


def test_mlflow_reads_models_of_the_workspace_s_own_registry(
    client: WorkspaceClient, registry: MlflowClient
) -> None:
    client.model_registry.create_model("shop seen", description="who looks")
    found = MlflowClient(registry_uri="databricks").get_registered_model("shop seen")
    assert (found.name, found.description) == ("shop seen", "who looks")
    client.model_registry.delete_model("shop seen")
    with pytest.raises(MlflowException, match=r"name=shop seen not found"):
        MlflowClient(registry_uri="databricks").get_registered_model("shop seen")


def test_models_of_the_workspace_s_own_registry_are_searched_by_name(
    client: WorkspaceClient,
) -> None:
    api = client.model_registry
    for name in ("find_a", "find_b", "findXc"):
        api.create_model(name)

    def found(filter_: str, *order: str) -> list[str | None]:
        told = api.search_models(filter=filter_, order_by=list(order), max_results=1)
        return [one.name for one in told]

    assert found("name LIKE 'find%'", "name DESC") == ["find_b", "find_a", "findXc"]
    assert found("name ilike 'FINDX_'") == ["findXc"]
    assert found("name = 'find_a'") == ["find_a"]
    assert found("name LIKE 'find%'", "timestamp ASC") == ["find_a", "find_b", "findXc"]
    assert {"find_a", "findXc"} <= {one.name for one in api.list_models(max_results=1)}
    for filter_, order in (("run_id = 'x'", "name"), ("name = 'x'", "colour")):
        with pytest.raises(InvalidParameterValue, match=r"filter|order_by"):
            list(api.search_models(filter=filter_, order_by=[order]))


def test_what_cannot_be_of_a_model_of_the_workspace_s_own_registry_is_refused(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    api = client.model_registry
    for name in ("", "a/b", "a:b"):
        with pytest.raises(InvalidParameterValue, match=r"name '"):
            api.create_model(name)
    api.create_model("mine")
    with pytest.raises(InvalidParameterValue, match="Description cannot be empty"):
        api.update_model("mine", description="")
    with pytest.raises(PermissionDenied):
        ann.model_registry.get_model("mine")
    assert "mine" not in [one.name for one in ann.model_registry.list_models()]
    with pytest.raises(NotServed, match="model-versions/create"):
        api.create_model_version("mine", "dbfs:/mine")
