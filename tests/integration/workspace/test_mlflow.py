from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import mlflow.store.db.utils
import numpy as np
import pandas as pd
import pytest
import requests
import xgboost
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.platform import NotImplemented as NotServed
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import AssessmentSource, Feedback, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression, Ridge

from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

FEATURES = pd.DataFrame({"distance": [0.0, 1.0, 2.0, 3.0], "hour": [1.0, 0.0, 1.0, 0.0]})


@pytest.fixture(scope="module", autouse=True)
def on_workspace(host: str, token: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", host)
        patch.setenv("DATABRICKS_TOKEN", token)
        mlflow.set_tracking_uri("databricks")
        mlflow.set_registry_uri("databricks-uc")
        yield


@pytest.fixture(scope="module")
def mlflow_client(on_workspace: None) -> MlflowClient:
    return MlflowClient()


@pytest.fixture
def experiment(request: pytest.FixtureRequest, mlflow_client: MlflowClient) -> str:
    name = f"/Users/me@laketop.local/{request.node.name}"
    mlflow.set_experiment(name)
    found = mlflow_client.get_experiment_by_name(name)
    assert found is not None
    return str(found.experiment_id)


def test_what_a_run_logs_is_there(mlflow_client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run(run_name="first", tags={"team": "delays"}) as run:
        mlflow.log_param("depth", 3)
        mlflow.log_metric("auc", 0.5, step=1)
        mlflow.log_metric("auc", 0.7, step=2)
        mlflow.log_metrics({"recall": 0.25})
        mlflow.set_tag("stage", "try")
        mlflow.log_input(from_pandas(FEATURES, name="flights"), context="training")
    found = mlflow_client.get_run(run.info.run_id)

    assert found.info.status == "FINISHED"
    assert found.data.params == {"depth": "3"}
    assert found.data.metrics == {"auc": 0.7, "recall": 0.25}
    assert (found.data.tags["team"], found.data.tags["stage"]) == ("delays", "try")
    assert found.inputs is not None
    assert [i.dataset.name for i in found.inputs.dataset_inputs] == ["flights"]
    history = mlflow_client.get_metric_history(run.info.run_id, "auc")
    assert [(m.step, m.value) for m in history] == [(1, 0.5), (2, 0.7)]
    [best] = mlflow_client.search_runs([experiment], "metrics.auc > 0.6 and tags.team = 'delays'")
    assert best.info.run_id == run.info.run_id


def test_a_batch_is_logged_whole(mlflow_client: MlflowClient, experiment: str) -> None:
    run = mlflow_client.create_run(experiment)
    metrics = [Metric(f"m{n}", float(n), 1, n) for n in range(100)]
    mlflow_client.log_batch(run.info.run_id, metrics, [Param("p", "1")], [RunTag("t", "v")])

    assert mlflow_client.get_run(run.info.run_id).data.metrics == {
        f"m{n}": float(n) for n in range(100)
    }


def test_artifacts_travel_through_the_files_api(
    mlflow_client: MlflowClient, experiment: str, workspace: Workspace, tmp_path: Path
) -> None:
    with mlflow.start_run() as run:
        mlflow.log_dict({"a": 1}, "conf/a b.json")
        mlflow.log_text("hello", "note.txt")
    run_id = run.info.run_id

    listed = {a.path for a in mlflow_client.list_artifacts(run_id)}
    inside = [(a.path, a.file_size) for a in mlflow_client.list_artifacts(run_id, "conf")]
    file = mlflow_client.download_artifacts(run_id, "conf/a b.json", str(tmp_path))
    kept = workspace.state / "artifacts" / experiment / "Runs" / run_id / "artifacts" / "note.txt"

    assert listed == {"conf", "note.txt"}
    assert [path for path, _ in inside] == ["conf/a b.json"]
    assert json.loads(Path(file).read_text()) == {"a": 1}
    assert kept.read_text() == "hello"


def test_artifacts_are_listed_to_clients_that_ask_mlflow_for_them(
    host: str, token: str, experiment: str
) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "note.txt")
    answer = requests.get(
        f"{host}/api/2.0/mlflow/artifacts/list",
        params={"run_id": run.info.run_id},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )

    assert answer.json()["files"] == [{"path": "note.txt", "is_dir": False, "file_size": 5}]


def test_a_logged_model_is_placed_as_a_workspace_places_it_and_loads_by_its_id(
    experiment: str, workspace: Workspace
) -> None:
    model = LinearRegression().fit(FEATURES, FEATURES["distance"])
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(FEATURES, np.array([1.0])),
            pip_requirements=["scikit-learn"],
        )
    logged = mlflow.get_logged_model(info.model_id)
    place = f"dbfs:/databricks/mlflow-tracking/{experiment}/logged_models/{info.model_id}/artifacts"

    assert logged.artifact_location == place
    assert (
        workspace.state / "artifacts" / experiment / "LoggedModels" / info.model_id / "artifacts"
    ).is_dir()
    loaded = mlflow.pyfunc.load_model(f"models:/{info.model_id}")
    assert loaded.predict(FEATURES) == pytest.approx([0.0, 1.0, 2.0, 3.0])
    [found] = mlflow.search_logged_models([experiment], output_format="list")
    assert found.model_id == info.model_id


def test_a_trace_is_kept(experiment: str) -> None:
    @mlflow.trace
    def double(number: int) -> int:
        return 2 * number

    assert double(4) == 8
    mlflow.flush_trace_async_logging()
    [trace] = mlflow.search_traces(locations=[experiment], return_type="list")
    assert trace.info.request_preview is not None


@pytest.mark.parametrize("name", ["flights", "Users/me@laketop.local/x", "/Users/../x", "/"])
def test_an_experiment_is_named_by_an_absolute_path(mlflow_client: MlflowClient, name: str) -> None:
    with pytest.raises(MlflowException, match="absolute path within the workspace") as caught:
        mlflow_client.create_experiment(name)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_an_experiment_goes_into_a_folder_that_exists(
    mlflow_client: MlflowClient, workspace: Workspace
) -> None:
    with pytest.raises(MlflowException, match="/Shared/team does not exist") as caught:
        mlflow_client.create_experiment("/Shared/team/flights")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"

    (workspace.state / "files" / "Shared" / "team").mkdir(parents=True)
    created = mlflow_client.create_experiment("/Shared/team/flights")

    assert mlflow_client.get_experiment(created).name == "/Shared/team/flights"


def test_experiments_are_deleted_and_restored(mlflow_client: MlflowClient, experiment: str) -> None:
    mlflow_client.delete_experiment(experiment)
    assert mlflow_client.get_experiment(experiment).lifecycle_stage == "deleted"
    mlflow_client.restore_experiment(experiment)
    assert mlflow_client.get_experiment(experiment).lifecycle_stage == "active"


def test_there_is_no_default_experiment(mlflow_client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="No experiment was found"):
        mlflow_client.create_run("0")


def test_an_artifact_location_of_another_storage_is_refused(mlflow_client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="'file:///tmp/x' is not supported"):
        mlflow_client.create_experiment("/Shared/elsewhere", artifact_location="file:///tmp/x")


def test_a_route_of_mlflow_that_a_workspace_does_not_have_is_not_found(
    host: str, token: str
) -> None:
    answer = requests.get(
        f"{host}/api/3.0/mlflow/gateway/secrets/list",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


def test_a_route_of_databricks_that_mlflow_s_handlers_do_not_serve_names_itself(
    client: WorkspaceClient,
) -> None:
    for ask in (
        lambda: client.model_registry.create_model_version("m", "dbfs:/m"),
        lambda: list(client.model_registry.list_webhooks()),
        lambda: client.experiments.delete_runs("1", 1),
    ):
        with pytest.raises(NotServed, match=r"laketop does not serve '[A-Z]+ /api/2\.0/mlflow/"):
            ask()


def test_without_a_token_mlflow_is_not_asked(host: str) -> None:
    answer = requests.get(f"{host}/api/2.0/mlflow/experiments/search?max_results=1", timeout=60)

    assert answer.status_code == 401


def test_runs_that_log_at_once_lose_nothing(mlflow_client: MlflowClient, experiment: str) -> None:
    run = mlflow_client.create_run(experiment)

    def log(number: int) -> None:
        mlflow_client.log_metric(run.info.run_id, "loss", float(number), step=number)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(64)))

    history = mlflow_client.get_metric_history(run.info.run_id, "loss")
    assert sorted(m.step for m in history) == list(range(64))


def test_commits_are_flushed_to_the_disk(workspace: Workspace, experiment: str) -> None:
    engine = workspace.mlflow.parts().backend.tracking.engine
    with engine.connect() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()

    assert (mode, synchronous) == ("wal", 2)


def test_a_database_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    from laketop.workspace import mlflow_database

    for leftover in ("mlflow.db.draft", "mlflow.db.draft-journal"):
        (tmp_path / leftover).write_bytes(b"half of it")
    mlflow_database.make(tmp_path / "mlflow.db")

    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        assert connection.execute("SELECT count(*) FROM experiments").fetchone() == (0,)


def test_a_database_that_cannot_be_made_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laketop.workspace import mlflow_database

    make_tables: Any = mlflow.store.db.utils._initialize_tables

    def make_and_break(engine: object) -> None:
        make_tables(engine)
        raise KeyboardInterrupt

    monkeypatch.setattr("mlflow.store.db.utils._initialize_tables", make_and_break)
    with pytest.raises(KeyboardInterrupt):
        mlflow_database.make(tmp_path / "mlflow.db")

    assert not (tmp_path / "mlflow.db").exists()


def test_an_experiment_that_is_made_is_in_the_audit_log(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    name = "/Shared/audited"
    client.experiments.create_experiment(name)
    with pytest.raises(Exception, match="already exists"):
        client.experiments.create_experiment(name)
    with workspace.store.transaction(write=False):
        noted = "SELECT body FROM system_rows WHERE body LIKE '%/Shared/audited%' ORDER BY id"
        bodies = workspace.store.execute(noted)
    rows = [json.loads(body) for (body,) in bodies]
    assert [row["action_name"] for row in rows] == ["createMlflowExperiment"] * 2
    assert [row["status_code"] for row in rows] == [200, 400]
    assert {row["request_params"]["name"] for row in rows} == {name}


# --- what stands on tracking ---------------------------------------------------------------------

DELAYS = pd.Series([0.0, 10.0, 20.0, 30.0], name="delay")


def _only_run(experiment: str) -> Run:
    [run] = MlflowClient().search_runs([experiment])
    return run


def test_autolog_of_scikit_learn_keeps_parameters_metrics_and_data(experiment: str) -> None:
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        Ridge(alpha=0.5).fit(FEATURES, DELAYS)
    finally:
        mlflow.sklearn.autolog(disable=True)
    run = _only_run(experiment)
    assert run.info.status == "FINISHED"
    assert run.data.params["alpha"] == "0.5"
    assert run.data.metrics["training_r2_score"] > 0.9
    assert run.data.tags["estimator_name"] == "Ridge"
    assert run.inputs is not None
    assert len(run.inputs.dataset_inputs) == 1


def test_autolog_of_xgboost_keeps_each_iteration_and_the_importances(experiment: str) -> None:
    mlflow.xgboost.autolog(log_models=False, silent=True)
    matrix = xgboost.DMatrix(FEATURES, DELAYS)
    try:
        xgboost.train(
            {"max_depth": 2, "nthread": 1},
            matrix,
            num_boost_round=3,
            evals=[(matrix, "train")],
            verbose_eval=False,
        )
    finally:
        mlflow.xgboost.autolog(disable=True)
    run = _only_run(experiment)
    assert (run.data.params["max_depth"], run.data.params["num_boost_round"]) == ("2", "3")
    history = MlflowClient().get_metric_history(run.info.run_id, "train-rmse")
    assert [one.step for one in history] == [0, 1, 2]
    artifacts = [one.path for one in MlflowClient().list_artifacts(run.info.run_id)]
    assert "feature_importance_weight.json" in artifacts


def test_autolog_of_lightgbm_keeps_each_iteration_and_the_importances(experiment: str) -> None:
    mlflow.lightgbm.autolog(log_models=False, silent=True)
    rows = lightgbm.Dataset(FEATURES, DELAYS, free_raw_data=False)
    try:
        lightgbm.train(
            {"objective": "regression", "num_leaves": 3, "min_data_in_leaf": 1, "verbose": -1},
            rows,
            num_boost_round=3,
            valid_sets=[rows],
            valid_names=["train"],
        )
    finally:
        mlflow.lightgbm.autolog(disable=True)
    run = _only_run(experiment)
    assert (run.data.params["num_leaves"], run.data.params["num_boost_round"]) == ("3", "3")
    history = MlflowClient().get_metric_history(run.info.run_id, "train-l2")
    assert [one.step for one in history] == [0, 1, 2]
    artifacts = [one.path for one in MlflowClient().list_artifacts(run.info.run_id)]
    assert "feature_importance_split.json" in artifacts


def test_a_local_project_runs_and_logs_into_its_run(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", programs)
    (tmp_path / "MLproject").write_text(
        "name: p\n"
        "entry_points:\n"
        "  main:\n"
        "    parameters: {depth: {type: float, default: 1}}\n"
        "    command: python main.py {depth}\n"
    )
    (tmp_path / "main.py").write_text(
        "import sys, mlflow\n"
        "with mlflow.start_run():\n"
        "    mlflow.log_metric('d', float(sys.argv[1]))\n"
    )
    ended = mlflow.projects.run(  # type: ignore[no-untyped-call]  # MLflow's own
        str(tmp_path),
        parameters={"depth": 3},
        env_manager="local",
        experiment_id=experiment,
    )
    assert ended.get_status() == "FINISHED"
    run = _only_run(experiment)
    assert run.info.run_id == ended.run_id
    assert (run.data.metrics, run.data.params["depth"]) == ({"d": 3.0}, "3")
    assert run.data.tags["mlflow.project.entryPoint"] == "main"


def test_a_dataset_comes_back_as_it_was_logged(experiment: str) -> None:
    rows = FEATURES.assign(delay=DELAYS)
    data = from_pandas(rows, source="https://example.org/flights.csv", targets="delay", name="f")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"month": "may"})
    found = mlflow.get_run(run.info.run_id)
    assert found.info.experiment_id == experiment
    assert found.inputs is not None
    [logged] = found.inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("f", data.digest)
    assert logged.dataset.profile == data.to_dict()["profile"]
    assert logged.dataset.schema == data.to_dict()["schema"]
    tags = {tag.key: tag.value for tag in logged.tags}
    assert tags == {"mlflow.data.context": "training", "month": "may"}
    source = mlflow.data.get_source(logged)
    assert source.to_dict() == {"url": "https://example.org/flights.csv"}


def test_the_results_of_an_evaluation_are_kept(experiment: str) -> None:
    rows = FEATURES.assign(delay=DELAYS, predicted=DELAYS + np.array([1.0, -1.0, 1.0, -1.0]))
    with mlflow.start_run():
        mlflow.models.evaluate(  # type: ignore[no-untyped-call]  # MLflow's own
            data=rows,
            targets="delay",
            predictions="predicted",
            model_type="regressor",
            evaluators="default",
            evaluator_config={"log_explainer": False, "log_model_explainability": False},
        )
    run = _only_run(experiment)
    assert run.data.metrics["mean_absolute_error"] == 1.0
    assert run.data.metrics["example_count"] == 4


@mlflow.trace
def _predicted(distance: float) -> float:
    return distance * 10


def test_traces_are_paged_tagged_and_deleted(experiment: str) -> None:
    client = MlflowClient()
    for distance in range(5):
        _predicted(float(distance))
    mlflow.flush_trace_async_logging()
    first = client.search_traces(locations=[experiment], max_results=3)
    rest = client.search_traces(locations=[experiment], max_results=3, page_token=first.token)
    ids = [one.info.trace_id for one in (*first, *rest)]
    assert (len(first), len(rest), len(set(ids)), rest.token) == (3, 2, 5, None)
    client.set_trace_tag(ids[0], "checked", "yes")
    [tagged] = client.search_traces(locations=[experiment], filter_string="tags.checked = 'yes'")
    assert tagged.info.trace_id == ids[0]
    client.delete_trace_tag(ids[0], "checked")
    assert "checked" not in client.get_trace(ids[0]).info.tags
    assert client.delete_traces(experiment, trace_ids=ids[:2]) == 2
    left = client.search_traces(locations=[experiment])
    assert sorted(one.info.trace_id for one in left) == sorted(ids[2:])


def test_assessments_of_a_trace_are_kept_changed_and_deleted(experiment: str) -> None:
    _predicted(1.0)
    mlflow.flush_trace_async_logging()
    [trace] = MlflowClient().search_traces(locations=[experiment])
    trace_id = trace.info.trace_id
    by = AssessmentSource(source_type="HUMAN", source_id="ann")
    good = mlflow.log_feedback(trace_id=trace_id, name="good", value=True, source=by)
    mlflow.log_expectation(trace_id=trace_id, name="wanted", value=10.0, source=by)
    assert good.assessment_id is not None
    found = {one.name: one for one in mlflow.get_trace(trace_id).info.assessments}
    assert found.keys() == {"good", "wanted"}
    mlflow.update_assessment(trace_id, good.assessment_id, Feedback(name="good", value=False))
    changed = mlflow.get_assessment(trace_id, good.assessment_id).feedback
    assert changed is not None
    assert changed.value is False
    mlflow.delete_assessment(trace_id, good.assessment_id)
    assert [one.name for one in mlflow.get_trace(trace_id).info.assessments] == ["wanted"]
