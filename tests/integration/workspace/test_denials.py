"""What users who are no admins may not do, until somebody lets them."""

from __future__ import annotations

import base64
import io
import json
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    OperationFailed,
    PermissionDenied,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    JobRunAs,
    JobSettings,
    RunJobTask,
    RunResultState,
    Task,
)
from databricks.sdk.service.sql import CreateQueryRequestQuery
from databricks.sdk.service.workspace import AclPermission, ImportFormat

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

TASKS = [
    Task(
        task_key="only",
        condition_task=ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1"),
    )
]


def allow(
    client: WorkspaceClient, kind: str, object_id: str, who: str | None, level: PermissionLevel
) -> None:
    entry = AccessControlRequest(user_name=who, permission_level=level)
    client.permissions.update(kind, object_id, access_control_list=[entry])


def denied(level: str, *calls: Callable[[], Any]) -> None:
    for call in calls:
        with pytest.raises(PermissionDenied, match=f"does not have {level} permission"):
            call()


def test_a_job_of_another_is_hidden_until_it_is_shown(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    job = client.jobs.create(name="hidden", tasks=TASKS).job_id or 0
    me = ann.current_user.me().user_name
    renamed = JobSettings(name="x")
    assert job not in {one.job_id for one in ann.jobs.list()}
    denied("CAN_VIEW", lambda: ann.jobs.get(job), lambda: ann.permissions.get("jobs", str(job)))
    denied(
        "CAN_MANAGE_RUN",
        lambda: ann.jobs.run_now(job),
        lambda: ann.jobs.cancel_all_runs(job_id=job),
    )
    allow(client, "jobs", str(job), me, PermissionLevel.CAN_VIEW)
    assert ann.jobs.get(job).job_id == job
    assert job in {one.job_id for one in ann.jobs.list()}
    denied("CAN_MANAGE_RUN", lambda: ann.jobs.run_now(job))
    allow(client, "jobs", str(job), me, PermissionLevel.CAN_MANAGE_RUN)
    run = ann.jobs.run_now(job).run_id
    assert run in {one.run_id for one in ann.jobs.list_runs(job_id=job)}
    denied(
        "CAN_MANAGE",
        lambda: ann.jobs.update(job, new_settings=renamed),
        lambda: ann.jobs.reset(job, renamed),
        lambda: ann.jobs.delete(job),
        lambda: ann.permissions.set("jobs", str(job)),
    )
    allow(client, "jobs", str(job), me, PermissionLevel.CAN_MANAGE)
    ann.jobs.update(job, new_settings=renamed)
    ann.jobs.delete(job)


def test_runs_are_seen_by_who_may_see_their_job(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    job = client.jobs.create(name="runs", tasks=TASKS).job_id or 0
    run = client.jobs.run_now(job).run_id
    assert run not in {one.run_id for one in ann.jobs.list_runs()}
    denied("CAN_VIEW", lambda: ann.jobs.get_run(run))
    denied("CAN_MANAGE_RUN", lambda: ann.jobs.cancel_run(run))
    allow(client, "jobs", str(job), ann.current_user.me().user_name, PermissionLevel.CAN_VIEW)
    assert ann.jobs.get_run(run).run_id == run
    assert run in {one.run_id for one in ann.jobs.list_runs()}


def test_a_task_starts_only_the_jobs_that_whoever_it_acts_as_may_start(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    target = client.jobs.create(name="target", tasks=TASKS).job_id or 0
    call = Task(task_key="call", run_job_task=RunJobTask(target))
    job = ann.jobs.create(name="calls", tasks=[call]).job_id or 0

    def run() -> tuple[object, str]:
        done = client.jobs.run_now(job).result()
        task = (done.tasks or [])[0]
        output = client.jobs.get_run_output(task.run_id or 0)
        return task.state and task.state.result_state, output.error or ""

    with pytest.raises(OperationFailed):
        run()
    assert not list(client.jobs.list_runs(job_id=target))
    name = ann.current_user.me().user_name
    allow(client, "jobs", str(target), name, PermissionLevel.CAN_MANAGE_RUN)
    assert run()[0] is RunResultState.SUCCESS


def test_a_job_whose_creator_is_gone_acts_as_nobody(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    job = ann.jobs.create(name="orphan", tasks=TASKS).job_id or 0
    client.users_v2.delete(ann.current_user.me().id or "")
    with pytest.raises(PermissionDenied, match="is no principal of this workspace"):
        client.jobs.run_now(job)
    adopted = JobSettings(run_as=JobRunAs(user_name="me@laketop.local"))
    client.jobs.update(job, new_settings=adopted)
    assert client.jobs.run_now(job).result().state is not None


def test_a_group_is_let_in_with_its_members(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    from databricks.sdk.service.iam import ComplexValue

    job = client.jobs.create(name="grouped").job_id or 0
    name = f"g{secrets.token_hex(4)}"
    member = ComplexValue(value=ann.current_user.me().id)
    group = client.groups_v2.create(display_name=name, members=[member])
    entry = AccessControlRequest(group_name=name, permission_level=PermissionLevel.CAN_VIEW)
    client.permissions.update("jobs", str(job), access_control_list=[entry])
    assert ann.jobs.get(job).job_id == job
    client.groups_v2.delete(group.id or "")
    denied("CAN_VIEW", lambda: ann.jobs.get(job))


def test_only_admins_run_as_somebody_else(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    me, other = ann.current_user.me().user_name, JobRunAs(user_name="me@laketop.local")
    with pytest.raises(PermissionDenied, match="cannot run as"):
        ann.jobs.create(name="x", run_as=other)
    own = ann.jobs.create(name="x", run_as=JobRunAs(user_name=me)).job_id or 0
    with pytest.raises(PermissionDenied, match="cannot run as"):
        ann.jobs.update(own, new_settings=JobSettings(run_as=other))
    assert client.jobs.get(own).run_as_user_name == me


def test_tasks_have_the_token_of_whom_they_run_as(
    workspace: Workspace, ann: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = ann.current_user.me().user_name or ""
    own: Mapping[str, str] = {
        "DATABRICKS_TOKEN": "own",
        "SPARK_REMOTE": "sc://localhost/;token=own",
        "OTHER": "x",
    }
    monkeypatch.setattr(workspace, "environment_for_tasks", lambda: own)
    assert workspace.environment_as("me@laketop.local") == own
    told = workspace.environment_as(name)
    assert workspace.tokens.user_of(told["DATABRICKS_TOKEN"]) == name
    assert told["SPARK_REMOTE"] == f"sc://localhost/;token={told['DATABRICKS_TOKEN']}"
    assert workspace.environment_as(name) == told


def test_homes_are_their_owners_and_shared_is_everybodys(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    me = ann.current_user.me().user_name or ""
    client.workspace.mkdirs("/Users/me@laketop.local/private")
    home = "/Users/me@laketop.local"
    assert home not in {one.path for one in ann.workspace.list("/Users")}
    denied(
        "CAN_READ",
        lambda: ann.workspace.get_status(home),
        lambda: list(ann.workspace.list(home)),
        lambda: ann.workspace.export(f"{home}/private"),
    )
    content = base64.b64encode(b"x").decode()
    denied(
        "CAN_EDIT",
        lambda: ann.workspace.mkdirs(f"{home}/mine"),
        lambda: ann.workspace.import_(f"{home}/f", content=content, format=ImportFormat.RAW),
    )
    denied("CAN_MANAGE", lambda: ann.workspace.delete(f"{home}/private"))
    for folder in (f"/Users/{me}/own", f"/Shared/{secrets.token_hex(4)}"):
        ann.workspace.mkdirs(folder)
        ann.workspace.import_(f"{folder}/f", content=content, format=ImportFormat.RAW)
        ann.workspace.delete(folder, recursive=True)


@pytest.mark.parametrize("whole", [True, False])
def test_a_share_ends_with_what_was_shared(
    client: WorkspaceClient, ann: WorkspaceClient, whole: bool
) -> None:
    me = ann.current_user.me().user_name
    folder = f"/Users/me@laketop.local/{secrets.token_hex(4)}"
    client.workspace.mkdirs(f"{folder}/below")
    number = str(client.workspace.get_status(f"{folder}/below").object_id)
    allow(client, "directories", number, me, PermissionLevel.CAN_MANAGE)
    assert ann.workspace.get_status(f"{folder}/below")
    client.workspace.delete(folder if whole else f"{folder}/below", recursive=True)
    client.workspace.mkdirs(f"{folder}/below")
    denied("CAN_READ", lambda: ann.workspace.get_status(f"{folder}/below"))


def test_a_folder_that_is_shared_is_shared_with_what_is_below(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    folder = f"/Users/me@laketop.local/{secrets.token_hex(4)}"
    client.workspace.mkdirs(f"{folder}/below")
    number = str(client.workspace.get_status(folder).object_id)
    me = ann.current_user.me().user_name
    allow(client, "directories", number, me, PermissionLevel.CAN_READ)
    assert ann.workspace.get_status(f"{folder}/below").path == f"{folder}/below"
    denied("CAN_EDIT", lambda: ann.workspace.mkdirs(f"{folder}/more"))
    allow(client, "directories", number, me, PermissionLevel.CAN_EDIT)
    ann.workspace.mkdirs(f"{folder}/more")


def test_a_scope_is_its_creators_until_others_are_let_in(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    scope, me = f"s{secrets.token_hex(4)}", ann.current_user.me().user_name or ""
    client.secrets.create_scope(scope)
    client.secrets.put_secret(scope, "k", string_value="v")
    assert scope not in {one.name for one in ann.secrets.list_scopes()}
    denied(
        "READ",
        lambda: ann.secrets.get_secret(scope, "k"),
        lambda: list(ann.secrets.list_secrets(scope)),
    )
    client.secrets.put_acl(scope, me, AclPermission.READ)
    assert ann.secrets.get_secret(scope, "k").value
    denied(
        "WRITE",
        lambda: ann.secrets.put_secret(scope, "k", string_value="w"),
        lambda: ann.secrets.delete_secret(scope, "k"),
    )
    client.secrets.put_acl(scope, me, AclPermission.WRITE)
    ann.secrets.put_secret(scope, "k", string_value="w")
    denied(
        "MANAGE",
        lambda: ann.secrets.delete_scope(scope),
        lambda: ann.secrets.put_acl(scope, me, AclPermission.MANAGE),
        lambda: list(ann.secrets.list_acls(scope)),
    )


def test_a_warehouse_is_used_by_who_may(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    first = next(iter(ann.warehouses.list())).id or ""
    made = client.warehouses.create(name=secrets.token_hex(4), cluster_size="Small").id
    assert made not in {one.id for one in ann.warehouses.list()}
    ann.warehouses.get(first)
    denied("CAN_VIEW", lambda: ann.warehouses.get(made))
    denied("CAN_USE", lambda: ann.statement_execution.execute_statement("SELECT 1", made))
    denied("CAN_MANAGE", lambda: ann.warehouses.delete(first), lambda: ann.warehouses.stop(first))
    me = ann.current_user.me().user_name
    allow(client, "warehouses", made, me, PermissionLevel.CAN_USE)
    assert ann.warehouses.get(made).id == made


def test_a_query_is_its_owners(client: WorkspaceClient, ann: WorkspaceClient) -> None:
    wanted = CreateQueryRequestQuery(display_name="q", query_text="SELECT 1")
    made = client.queries.create(query=wanted).id or ""
    assert made not in {one.id for one in ann.queries.list()}
    denied("CAN_VIEW", lambda: ann.queries.get(made))
    denied("CAN_MANAGE", lambda: ann.queries.delete(made))
    own = ann.queries.create(query=wanted).id or ""
    assert own in {one.id for one in ann.queries.list()}
    ann.queries.delete(own)


def test_a_group_owns_nothing(client: WorkspaceClient) -> None:
    job = str(client.jobs.create(name="j").job_id)
    entry = AccessControlRequest(group_name="users", permission_level=PermissionLevel.IS_OWNER)
    with pytest.raises(InvalidParameterValue, match="Groups can not be owners"):
        client.permissions.set("jobs", job, access_control_list=[entry])


def test_an_experiment_is_as_the_folder_it_lies_in(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    me = ann.current_user.me().user_name or ""
    name = f"/Users/me@laketop.local/{secrets.token_hex(4)}"
    experiment = client.experiments.create_experiment(name).experiment_id or ""
    run = client.experiments.create_run(experiment_id=experiment).run
    assert run is not None
    assert run.info is not None
    run_id = run.info.run_id or ""
    assert experiment not in {
        one.experiment_id for one in ann.experiments.search_experiments(max_results=100)
    }
    assert experiment not in {one.experiment_id for one in ann.experiments.list_experiments()}
    denied(
        "CAN_READ",
        lambda: ann.experiments.get_experiment(experiment),
        lambda: ann.experiments.get_by_name(name),
        lambda: ann.experiments.get_run(run_id),
        lambda: list(ann.experiments.search_runs(experiment_ids=[experiment])),
    )
    denied(
        "CAN_EDIT",
        lambda: ann.experiments.create_run(experiment_id=experiment),
        lambda: ann.experiments.log_metric("m", 1.0, 1, run_id=run_id),
        lambda: ann.experiments.create_experiment(f"{name}2"),
    )
    allow(client, "experiments", experiment, me, PermissionLevel.CAN_EDIT)
    ann.experiments.log_metric("m", 1.0, 1, run_id=run_id)
    assert ann.experiments.get_run(run_id).run
    assert experiment in {
        one.experiment_id for one in ann.experiments.search_experiments(max_results=100)
    }
    denied("CAN_MANAGE", lambda: ann.experiments.delete_experiment(experiment))
    own = ann.experiments.create_experiment(f"/Shared/{secrets.token_hex(4)}").experiment_id or ""
    ann.experiments.create_run(experiment_id=own)
    ann.experiments.delete_experiment(own)


Experiments = tuple[str, str, str, str]


@pytest.fixture
def experiments(client: WorkspaceClient, ann: WorkspaceClient) -> Experiments:
    """Return experiment and run of ann, and those of somebody else."""
    made = []
    for one, folder in ((ann, "/Shared"), (client, "/Users/me@laketop.local")):
        name = f"{folder}/{secrets.token_hex(4)}"
        experiment = one.experiments.create_experiment(name).experiment_id or ""
        run = one.experiments.create_run(experiment_id=experiment).run
        assert run is not None
        assert run.info is not None
        made += [experiment, run.info.run_id or ""]
    return made[0], made[1], made[2], made[3]


def test_an_experiment_is_decided_by_what_mlflow_acts_on(
    ann: WorkspaceClient, experiments: Experiments
) -> None:
    own, run, theirs, their_run = experiments
    headers = {**ann.config.authenticate(), "Content-Type": "application/json"}

    def status(method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, str]:
        answer = requests.request(
            method,
            f"{ann.config.host}/api/2.0/mlflow/{path}",
            headers=headers,
            params=query,
            json=body,
            timeout=60,
        )
        return answer.status_code, answer.text

    metric = {"key": "m", "value": 1.0, "timestamp": 1, "step": 0}
    both = {"run_id": run, "run_uuid": their_run}
    for method, path, query, body in (
        ("POST", "runs/log-metric", {"run_id": run}, {"run_uuid": their_run, **metric}),
        ("POST", "runs/log-metric", {"run_id": run}, {"runUuid": their_run, **metric}),
        ("POST", "runs/log-metric", {}, {**both, **metric}),
        ("POST", "runs/search", {"experiment_ids": own}, {"experimentIds": [theirs]}),
        ("POST", "runs/search", {}, {"experiment_ids": [own, theirs]}),
        ("GET", "runs/get", {"run_id": their_run}, {"run_id": run}),
        ("GET", "experiments/get", {"experiment_id": theirs}, {"experiment_id": own}),
        ("GET", "experiments/get", {}, {"experimentId": theirs}),
    ):
        code, text = status(method, path, query, body)
        assert (code, "PERMISSION_DENIED" in text) == (403, True), (path, query, body, text)
    assert status("POST", "runs/log-metric", {}, {"run_uuid": run, **metric})[0] == 200
    assert status("POST", "runs/search", {}, {"experimentIds": [own]})[0] == 200
    for path, twice in (  # JSON in JSON, which MLflow's own server reads once more
        ("runs/log-metric", json.dumps({**both, **metric})),
        ("runs/search", json.dumps({"experiment_ids": [theirs]})),
        ("runs/search", json.dumps({"experiment_ids": [own]})),
    ):
        code, text = status("POST", path, {}, twice)
        assert (code, "MALFORMED_REQUEST" in text) == (400, True), (path, twice, text)
    assert status("GET", "runs/get", {"run_id": run}, {"run_id": their_run})[0] == 200


def test_artifacts_are_as_their_experiment(
    client: WorkspaceClient, ann: WorkspaceClient, experiments: Experiments
) -> None:
    own, run, theirs, their_run = experiments
    root = "/WorkspaceInternal/Mlflow/Artifacts"
    place = f"{root}/{theirs}/Runs/{their_run}/artifacts"
    client.files.upload(f"{place}/f", io.BytesIO(b"1"))
    url = "/api/2.0/fs/create-download-url"
    upload = f"/api/2.0/fs/files{place}/g"
    denied(
        "CAN_READ",
        lambda: list(ann.files.list_directory_contents(place)),
        lambda: ann.files.download(f"{place}/f"),
        lambda: ann.files.list_directory_contents(f"{root}/{theirs}").__next__(),
        lambda: ann.api_client.do("POST", url, body={"path": f"{place}/f"}),
    )
    denied(
        "CAN_EDIT",
        lambda: ann.files.upload(f"{place}/f", io.BytesIO(b"2"), overwrite=True),
        lambda: ann.files.delete(f"{place}/f"),
        lambda: ann.files.create_directory(f"{place}/d"),
        lambda: ann.api_client.do("POST", upload, query={"action": "initiate-upload"}),
    )
    with pytest.raises(PermissionDenied, match="is not an admin"):
        list(ann.files.list_directory_contents(root))
    with pytest.raises(NotFound, match="experiment '987654321' does not exist"):
        ann.files.upload(f"{root}/987654321/Runs/r/artifacts/f", io.BytesIO(b"2"))
    allow(client, "experiments", theirs, ann.current_user.me().user_name, PermissionLevel.CAN_READ)
    assert [one.name for one in ann.files.list_directory_contents(place)] == ["f"]
    denied("CAN_EDIT", lambda: ann.files.delete(f"{place}/f"))
    mine = f"{root}/{own}/Runs/{run}/artifacts/f"
    ann.files.upload(mine, io.BytesIO(b"3"))
    ann.files.delete(mine)
