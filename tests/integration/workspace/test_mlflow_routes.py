"""Every route of the official client that MLflow's handlers serve, through that client."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import ResourceDoesNotExist
from databricks.sdk.service.ml import (
    Dataset,
    DatasetInput,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Metric,
    ModelOutput,
    Param,
    RunInfo,
    UpdateRunStatus,
    ViewType,
)

from laketop.workspace.audit import MLFLOW_LOGS, mlflow_action
from laketop.workspace.known import known_routes
from laketop.workspace.mlflow_routes import ROUTES

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def experiment(client: WorkspaceClient, workspace: Workspace) -> str:
    workspace.mlflow.parts()
    name = f"/Shared/e{secrets.token_hex(4)}"
    return client.experiments.create_experiment(name).experiment_id or ""


@pytest.fixture
def run(client: WorkspaceClient, experiment: str) -> str:
    run = client.experiments.create_run(experiment_id=experiment, run_name="r", start_time=1).run
    assert run is not None
    assert run.info is not None
    return run.info.run_id or ""


def test_the_routes_are_those_that_mlflow_is_mounted_for(workspace: Workspace) -> None:
    workspace.mlflow.parts()
    from laketop.workspace.mlflow_app import tracking_routes

    def plain(pattern: str) -> str:
        return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", pattern)

    mounted = {
        plain(f"{method} {path}") for path, _, methods in tracking_routes() for method in methods
    }
    known = {pattern for patterns in known_routes().values() for pattern in patterns}
    assert {plain(route) for route in ROUTES} == mounted & known


_READS = {
    *("experiments/search", "runs/search", "logged-models/search", "traces/search"),
    *("traces/batchGetInfos", "traces/calculate-filter-correlation", "traces/metrics"),
    "unity-catalog/model-versions/generate-temporary-credentials",
}
"""What is asked for by POST."""


def test_whatever_mlflow_changes_is_noted_but_for_what_runs_log(workspace: Workspace) -> None:
    workspace.mlflow.parts()
    from laketop.workspace.mlflow_app import tracking_routes
    from laketop.workspace.unity_dialect import routes

    unnoted = set()
    for path, methods in (
        *((path, methods) for path, _, methods in tracking_routes()),
        *((f"/api/2.0{path}", [method]) for method, path, _ in routes()),
    ):
        for method in methods:
            filled = re.sub(r"<[^>]*>", "x", path)
            if method != "GET" and mlflow_action(method, filled) is None:
                unnoted.add(re.sub(r"<[^>]*>", "{}", path).partition("/mlflow/")[2])
    assert unnoted == MLFLOW_LOGS | _READS


def test_experiments(client: WorkspaceClient, experiment: str) -> None:
    api = client.experiments
    made = api.get_experiment(experiment).experiment
    assert made is not None
    api.set_experiment_tag(experiment, "k", "v")
    name = f"/Shared/e{secrets.token_hex(4)}"
    api.update_experiment(experiment, new_name=name)
    found = api.get_by_name(name).experiment
    assert found is not None
    assert (found.experiment_id, [tag.value for tag in found.tags or [] if tag.key == "k"]) == (
        experiment,
        ["v"],
    )
    told = api.search_experiments(filter=f"name = '{name}'", max_results=10)
    assert [one.experiment_id for one in told] == [experiment]
    assert experiment in {one.experiment_id for one in api.search_experiments()}
    assert experiment in {one.experiment_id for one in api.list_experiments()}
    api.delete_experiment(experiment)
    assert experiment not in {one.experiment_id for one in api.list_experiments()}
    every = api.list_experiments(view_type=ViewType.ALL, max_results=1)
    assert experiment in {one.experiment_id for one in every}
    deleted = api.get_experiment(experiment).experiment
    assert deleted is not None
    assert deleted.lifecycle_stage == "deleted"
    api.restore_experiment(experiment)
    with pytest.raises(ResourceDoesNotExist):
        api.get_experiment("987654321")


def test_runs_and_what_they_log(client: WorkspaceClient, experiment: str, run: str) -> None:
    api = client.experiments
    api.log_metric("m", 1.5, 1000, run_id=run, step=1)
    api.log_param("p", "v", run_id=run)
    metrics = [Metric(key="m", value=2.5, timestamp=2000, step=2)]
    api.log_batch(run_id=run, metrics=metrics, params=[Param(key="q", value="w")])
    api.set_tag("t", "v", run_id=run)
    api.set_tag("u", "v", run_id=run)
    api.delete_tag(run, "u")
    dataset = Dataset(name="d", digest="1", source_type="local", source="s")
    api.log_inputs(run, datasets=[DatasetInput(dataset=dataset)])
    model = {"artifact_path": "model", "run_id": run, "utc_time_created": "x", "flavors": {}}
    api.log_model(run_id=run, model_json=json.dumps(model))
    got = api.get_run(run).run
    assert got is not None
    assert got.data is not None
    assert got.inputs is not None
    assert {(one.key, one.value) for one in got.data.metrics or []} == {("m", 2.5)}
    assert {(one.key, one.value) for one in got.data.params or []} == {("p", "v"), ("q", "w")}
    tags = {one.key for one in got.data.tags or []}
    assert {"t", "mlflow.log-model.history"} <= tags
    assert "u" not in tags
    assert [one.dataset and one.dataset.name for one in got.inputs.dataset_inputs or []] == ["d"]
    assert [one.value for one in api.get_history("m", run_id=run)] == [1.5, 2.5]
    assert list(api.list_artifacts(run_id=run)) == []
    told = api.search_runs(experiment_ids=[experiment], filter="metrics.m > 2")
    assert [one.info and one.info.run_id for one in told] == [run]
    ended = api.update_run(run_id=run, status=UpdateRunStatus.FINISHED, end_time=3000).run_info
    assert isinstance(ended, RunInfo)
    assert ended.end_time == 3000
    api.delete_run(run)
    assert list(api.search_runs(experiment_ids=[experiment])) == []
    api.restore_run(run)
    assert len(list(api.search_runs(experiment_ids=[experiment]))) == 1
    with pytest.raises(ResourceDoesNotExist):
        api.get_run("0" * 32)


def test_logged_models(client: WorkspaceClient, experiment: str, run: str) -> None:
    api = client.experiments
    made = api.create_logged_model(experiment, name="m", source_run_id=run).model
    assert made is not None
    assert made.info is not None
    id_ = made.info.model_id or ""
    api.log_logged_model_params(id_, params=[LoggedModelParameter(key="p", value="v")])
    api.set_logged_model_tags(id_, tags=[LoggedModelTag(key=key, value="v") for key in ("t", "u")])
    api.delete_logged_model_tag(id_, "u")
    api.log_outputs(run, models=[ModelOutput(model_id=id_, step=1)])
    api.finalize_logged_model(id_, LoggedModelStatus.LOGGED_MODEL_READY)
    got = api.get_logged_model(id_).model
    assert got is not None
    assert got.info is not None
    assert got.data is not None
    assert got.info.status is LoggedModelStatus.LOGGED_MODEL_READY
    assert [(one.key, one.value) for one in got.data.params or []] == [("p", "v")]
    assert [one.key for one in got.info.tags or []] == ["t"]
    found = api.search_logged_models(experiment_ids=[experiment]).models or []
    assert [one.info and one.info.model_id for one in found] == [id_]
    api.delete_logged_model(id_)
    with pytest.raises(ResourceDoesNotExist):
        api.get_logged_model(id_)
