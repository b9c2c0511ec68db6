"""A new version starts its model's deployment job, which waits until somebody has approved."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.iam import User
from databricks.sdk.service.jobs import (
    JobParameterDefinition,
    ModelTriggerConfiguration,
    ModelTriggerConfigurationCondition,
    NotebookTask,
    Task,
    TaskDependency,
    TriggerSettings,
)
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.integration.workspace.conftest import USER, MakeUser
from tests.integration.workspace.test_jobs import _condition
from tests.integration.workspace.test_model_registry import register
from tests.integration.workspace.test_model_registry import registry as registry  # noqa: PLC0414

from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

names = (f"main.ml.deployed{number}" for number in itertools.count())
PARAMETERS = [JobParameterDefinition(name, "") for name in ("model_name", "model_version")]
APPROVAL = """\
# Databricks notebook source
import mlflow
name, version = dbutils.widgets.get("model_name"), dbutils.widgets.get("model_version")
client = mlflow.MlflowClient(registry_uri="databricks-uc")
found = client.get_model_version(name, version).tags.get("Approval_Check")
assert found == "Approved", f"version {version} of {name} is not approved: {found}"
dbutils.notebook.exit(f"{name} {version}")
"""


@pytest.fixture
def job(
    client: WorkspaceClient,
    workspace: Workspace,
    token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    told = {**workspace.settings.environment, "DATABRICKS_HOST": workspace.host}
    told["DATABRICKS_TOKEN"] = token
    monkeypatch.setattr(workspace, "environment_for_tasks", lambda: told)
    notebook = tmp_path / "approval.py"
    notebook.write_text(APPROVAL, encoding="utf-8")
    check = Task(
        task_key="Approval_Check",
        notebook_task=NotebookTask(notebook_path=str(notebook)),
        depends_on=[TaskDependency("evaluated")],
    )
    tasks = [_condition("evaluated"), check]
    created = client.jobs.create(name="deploy", tasks=tasks, parameters=PARAMETERS)
    assert created.job_id is not None
    return created.job_id


def store_of(registry: MlflowClient) -> Any:
    """The client's store, since MlflowClient alone cannot name a deployment job."""
    client: Any = registry
    return client._get_registry_client().store


def until(act: Callable[[], Any], wanted: set[str]) -> Any:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = act()
        if found["run_state"] in wanted:
            return found
        time.sleep(0.2)
    raise AssertionError(f"still {found}")


def rows_that_wait(workspace: Workspace, model: str) -> list[Any]:
    """What goes to the table `promotions` once there is an engine."""
    with workspace.store.reading():
        kept = workspace.store.execute(
            "SELECT body FROM system_rows WHERE name LIKE '%main.ml.promotions%'"
        )
    return [row for (body,) in kept if (row := json.loads(body))["model"] == model]


def test_an_approval_is_kept_with_the_champion_of_its_moment(
    registry: MlflowClient, client: WorkspaceClient, workspace: Workspace, make_user: MakeUser
) -> None:
    name = next(names)
    for _ in range(2):
        register(name)
    registry.set_registered_model_alias(name, "champion", "1")
    body = {"approver": make_user().user_name, "reason": "better in May"}
    path = f"/api/laketop/1/models/{name}/versions/2/approve"
    with pytest.raises(InvalidParameterValue, match="no active user"):
        client.api_client.do("POST", path, body={"approver": "nobody@laketop.local"})
    assert rows_that_wait(workspace, name) == []
    client.api_client.do("POST", path, body=body)
    (row,) = rows_that_wait(workspace, name)
    assert (row["previous"], row["version"], row["outcome"]) == ("1", "2", "approved")
    assert row["approved_by"] == body["approver"]
    assert row["reason"] == f"better in May (sent by {USER})"


def test_a_version_starts_its_job_which_waits_for_an_approval_and_goes_on(
    registry: MlflowClient,
    client: WorkspaceClient,
    job: int,
    make_user: Callable[[], User],
    client_of: Callable[[str | None], WorkspaceClient],
) -> None:
    name = next(names)
    created = store_of(registry).create_registered_model(name, deployment_job_id=str(job))
    assert (created.deployment_job_id, created.deployment_job_state) == (str(job), "CONNECTED")
    register(name)
    path = f"/api/laketop/1/models/{name}/versions/1"

    def told() -> Any:
        return client.api_client.do("GET", f"{path}/deployment")

    assert told()["job_id"] == job
    waiting = until(told, {"APPROVAL", "FAILED", "SUCCEEDED"})
    assert (waiting["run_state"], waiting["task"]) == ("APPROVAL", "Approval_Check")
    version: Any = registry.get_model_version(name, "1").deployment_job_state
    assert (version.run_state, version.current_task_name) == ("APPROVAL", "Approval_Check")

    with pytest.raises(InvalidParameterValue, match="is the author"):
        client.api_client.do("POST", f"{path}/approve", body={})
    other = client_of(make_user().user_name)
    with pytest.raises(PermissionDenied, match="not an admin"):
        other.api_client.do("POST", f"{path}/approve", body={"approver": "bea"})
    with pytest.raises(InvalidParameterValue, match="no active user or service principal 'bea'"):
        client.api_client.do("POST", f"{path}/approve", body={"approver": "bea"})
    bea = make_user().user_name
    approved = client.api_client.do("POST", f"{path}/approve", body={"approver": bea})
    assert approved == {
        "model": name,
        "version": "1",
        "approved_by": bea,
        "author": USER,
        "run_id": waiting["run_id"],
    }
    assert until(told, {"FAILED", "SUCCEEDED"})["run_state"] == "SUCCEEDED"
    tags = registry.get_model_version(name, "1").tags
    assert tags == {"approved_by": bea, "Approval_Check": "Approved"}
    run = client.jobs.get_run(waiting["run_id"])
    given = {one.name: one.value for one in run.job_parameters or []}
    assert given == {"model_name": name, "model_version": "1"}
    assert len(list(client.jobs.list_runs(job_id=job))) == 1


def test_the_tag_of_an_approval_names_who_sets_it(registry: MlflowClient) -> None:
    """An author who may set every tag can make nobody approve."""
    name = next(names)
    register(name)
    with pytest.raises(MlflowException, match="tells who approves") as refused:
        registry.set_model_version_tag(name, "1", "approved_by", "bea")
    assert refused.value.error_code == "PERMISSION_DENIED"
    source = registry.get_model_version(name, "1").source or ""
    with pytest.raises(MlflowException, match="tells who approves"):
        registry.create_model_version(name, source, tags={"approved_by": "bea"})
    assert "approved_by" not in registry.get_model_version(name, "1").tags
    registry.set_model_version_tag(name, "1", "approved_by", USER)  # whom no gate lets approve
    registry.delete_model_version_tag(name, "1", "approved_by")


def test_a_job_is_connected_later_and_told_when_it_is_gone(
    registry: MlflowClient, client: WorkspaceClient, job: int
) -> None:
    name = next(names)
    store = store_of(registry)
    assert store.create_registered_model(name).deployment_job_state == "NOT_SET_UP"
    changed = store.update_registered_model(name, "", deployment_job_id=str(job))
    assert changed.deployment_job_state == "CONNECTED"
    client.jobs.update(job, fields_to_remove=["parameters"])
    assert store.get_registered_model(name).deployment_job_state == "REQUIRED_PARAMETERS_CHANGED"
    client.jobs.delete(job)
    assert store.get_registered_model(name).deployment_job_state == "NOT_FOUND"
    register(name)
    with pytest.raises(NotFound, match="has started no deployment job"):
        client.api_client.do("GET", f"/api/laketop/1/models/{name}/versions/1/deployment")


def test_the_official_client_moves_aliases_of_versions_that_are_ready(
    registry: MlflowClient, client: WorkspaceClient
) -> None:
    name = next(names)
    for _ in range(2):
        register(name)
    told = client.registered_models.set_alias(name, "champion", 1)
    assert (told.alias_name, told.version_num) == ("champion", 1)
    assert client.model_versions.get_by_alias(name, "champion").version == 1
    client.registered_models.set_alias(name, "champion", 2)
    assert registry.get_model_version_by_alias(name, "champion").version == "2"
    client.registered_models.delete_alias(name, "champion")
    with pytest.raises(NotFound):
        client.model_versions.get_by_alias(name, "champion")


def test_a_trigger_starts_a_run_that_is_told_of_new_versions_and_aliases(
    registry: MlflowClient, client: WorkspaceClient, workspace: Workspace
) -> None:
    name = next(names)
    jobs = {}
    for condition, aliases in (("MODEL_VERSION_READY", None), ("MODEL_ALIAS_SET", ["champion"])):
        updates = JobParameterDefinition("events", "{{job.trigger.model.updates}}")
        model = ModelTriggerConfiguration(
            ModelTriggerConfigurationCondition(condition), securable_name=name, aliases=aliases
        )
        jobs[condition] = client.jobs.create(
            tasks=[_condition("fine")], trigger=TriggerSettings(model=model), parameters=[updates]
        ).job_id
    scheduler = workspace.clock.scheduler
    scheduler.look(workspace.now_ms())
    assert scheduler.fire(workspace.now_ms(), is_late_once=True) == []
    register(name)
    registry.set_registered_model_alias(name, "champion", "1")
    registry.set_registered_model_alias(name, "other", "1")
    scheduler.look(workspace.now_ms())
    runs = [
        client.jobs.get_run(run_id)
        for run_id in scheduler.fire(workspace.now_ms(), is_late_once=True)
    ]
    version = {"full_name": name, "version": 1}
    assert {run.job_id: json.loads((run.job_parameters or [])[0].value or "") for run in runs} == {
        jobs["MODEL_VERSION_READY"]: [version],
        jobs["MODEL_ALIAS_SET"]: [{**version, "alias_name": "champion"}],
    }
    for run in runs:  # the client knows the word only in its documentation
        told: Any = client.api_client.do(
            "GET", "/api/2.2/jobs/runs/get", query={"run_id": run.run_id}
        )
        assert told["trigger"] == "MODEL"
    for job in jobs.values():
        client.jobs.delete(job or 0)


def test_who_may_not_load_a_model_is_not_told_of_it(
    registry: MlflowClient, ann: WorkspaceClient
) -> None:
    name = next(names)
    registry.create_registered_model(name)
    for scope in (name, "main.ml", None):
        condition = ModelTriggerConfigurationCondition.MODEL_CREATED
        model = ModelTriggerConfiguration(condition, securable_name=scope)
        with pytest.raises(PermissionDenied):
            ann.jobs.create(tasks=[_condition("fine")], trigger=TriggerSettings(model=model))


def test_what_is_no_deployment_job_is_refused(
    registry: MlflowClient, client: WorkspaceClient
) -> None:
    bare = client.jobs.create(name="bare", tasks=[_condition("fine")]).job_id
    store = store_of(registry)
    for job_id, why in (
        (str(bare), "lacks the job parameters model_name, model_version"),
        ("77", "Job 77 does not exist"),
        ("seven", "is not the id of a job"),
    ):
        with pytest.raises(MlflowException, match=why):
            store.create_registered_model(next(names), deployment_job_id=job_id)


def test_a_version_that_opened_just_before_a_crash_starts_its_job_at_the_next_start(
    registry: MlflowClient, client: WorkspaceClient, workspace: Workspace, job: int
) -> None:
    name = next(names)
    register(name)
    deployments: Any = workspace.model_deployments
    deployments.expect(name, 1, str(job), USER)
    deployments.start()
    deadline = time.monotonic() + 300
    while not list(client.jobs.list_runs(job_id=job)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    deployments.opened(name, 1)
    assert len(list(client.jobs.list_runs(job_id=job))) == 1


def test_an_unknown_version_is_not_approved(client: WorkspaceClient, registry: Any) -> None:
    with pytest.raises(NotFound):
        client.api_client.do(
            "POST", "/api/laketop/1/models/main.ml.gone/versions/1/approve", body={}
        )
