"""Several workspaces side by side over one metastore, through the official clients."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import secrets
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
    Unauthenticated,
)
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks.sdk.service.iam import ServicePrincipal
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, RunNowResponse, Task
from databricks.sdk.service.workspace import ImportFormat
from mlflow import MlflowClient
from tests.integration.workspace.conftest import USER, Served, serving

from laketop.workspace.service import routes_of
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

ROUTE = "/api/laketop/1/workspaces"
FILE = "/Shared/note.txt"
TASK = Task(
    task_key="one",
    condition_task=ConditionTask(left="1", right="1", op=ConditionTaskOp.EQUAL_TO),
)


def make(client: WorkspaceClient, name: str) -> dict[str, Any]:
    told: Any = client.api_client.do("POST", ROUTE, body={"name": name})
    return dict(told)


def names(client: WorkspaceClient) -> list[str]:
    told: Any = client.api_client.do("GET", ROUTE)
    return [one["workspace_name"] for one in told["workspaces"]]


def in_workspace(served: Served, name: str, user: str = USER) -> WorkspaceClient:
    token = served.workspace.workspaces.all()[name].tokens.issue(user)
    return WorkspaceClient(host=served.host, token=token)


def signed_in(host: str | None, robot: ServicePrincipal, secret: str | None) -> WorkspaceClient:
    """Return a client by OAuth, whatever token other tests have put into the environment."""
    return WorkspaceClient(
        host=host,
        client_id=robot.application_id,
        client_secret=secret,
        auth_type="oauth-m2m",
    )


@pytest.fixture(scope="module")
def staging(served: Served) -> WorkspaceClient:
    make(served.client, "staging")
    return in_workspace(served, "staging")


@pytest.fixture(scope="module")
def prod(served: Served) -> WorkspaceClient:
    make(served.client, "prod")
    return in_workspace(served, "prod")


@pytest.fixture
def name() -> str:
    return f"n{secrets.token_hex(4)}"


# --- which workspace a token means ---


def test_a_token_names_its_workspace(
    client: WorkspaceClient, staging: WorkspaceClient, prod: WorkspaceClient
) -> None:
    ids = [one.get_workspace_id() for one in (client, staging, prod)]
    assert len(set(ids)) == 3
    assert {one.current_user.me().user_name for one in (client, staging, prod)} == {USER}
    told: Any = staging.api_client.do("GET", "/api/laketop/1/status")
    assert (told["workspace"], int(told["workspace_id"])) == ("staging", ids[1])


def test_workspaces_are_listed_in_the_order_in_which_they_were_made(
    staging: WorkspaceClient, prod: WorkspaceClient
) -> None:
    assert names(staging) == names(prod)
    assert names(prod)[0] == "dev"
    assert {"staging", "prod"} <= set(names(prod))


def test_a_request_for_another_workspace_than_the_tokens_is_refused(
    client: WorkspaceClient, staging: WorkspaceClient
) -> None:
    theirs = str(client.get_workspace_id())
    for header in ("X-Databricks-Org-Id", "X-Databricks-Workspace-Id"):
        with pytest.raises(PermissionDenied, match="of workspace 'staging'"):
            staging.api_client.do("GET", "/api/2.0/secrets/scopes/list", headers={header: theirs})
    own = str(staging.get_workspace_id())
    staging.api_client.do(
        "GET", "/api/2.0/secrets/scopes/list", headers={"X-Databricks-Org-Id": own}
    )


def test_discovery_names_a_workspace_only_where_there_is_one(
    host: str, staging: WorkspaceClient
) -> None:
    with urllib.request.urlopen(f"{host}/.well-known/databricks-config", timeout=30) as answer:
        assert "workspace_id" not in json.load(answer)
    assert staging.config.host == host


@pytest.mark.parametrize("bad", ["", "Prod", "a/b", "..", "-a", "a-", "a b", "x" * 64, "ä"])
def test_names_that_no_folder_should_have_are_refused(client: WorkspaceClient, bad: str) -> None:
    with pytest.raises(InvalidParameterValue):
        make(client, bad)


def test_a_name_is_taken_once(client: WorkspaceClient, staging: WorkspaceClient) -> None:
    for taken in ("dev", "staging"):
        with pytest.raises(ResourceAlreadyExists):
            make(client, taken)
    assert staging.get_workspace_id()


def test_only_admins_make_and_delete_workspaces(
    ann: WorkspaceClient, staging: WorkspaceClient
) -> None:
    with pytest.raises(PermissionDenied):
        make(ann, "hers")
    with pytest.raises(PermissionDenied):
        ann.api_client.do("DELETE", f"{ROUTE}/staging")
    assert "hers" not in names(staging)


# --- what is each workspace's own ---


def test_secrets_are_read_with_tokens_of_their_workspace_alone(
    client: WorkspaceClient, staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    staging.secrets.create_scope(name)
    staging.secrets.put_secret(name, "key", string_value="of staging")
    for other in (client, prod):
        assert name not in [one.name for one in other.secrets.list_scopes()]
        with pytest.raises(NotFound):
            other.secrets.get_secret(name, "key")
    prod.secrets.create_scope(name)
    prod.secrets.put_secret(name, "key", string_value="of prod")
    for one, said in ((staging, b"of staging"), (prod, b"of prod")):
        assert base64.b64decode(one.secrets.get_secret(name, "key").value or "") == said


def test_files_are_seen_in_their_workspace_alone(
    client: WorkspaceClient, staging: WorkspaceClient, prod: WorkspaceClient
) -> None:
    for one, said in ((staging, b"staging"), (prod, b"prod")):
        one.workspace.upload(FILE, io.BytesIO(said), format=ImportFormat.AUTO, overwrite=True)
    assert staging.workspace.download(FILE).read() == b"staging"
    assert prod.workspace.download(FILE).read() == b"prod"
    with pytest.raises(NotFound):
        client.workspace.get_status(FILE)
    with pytest.raises(InvalidParameterValue):
        client.workspace.get_status("/Shared/../../workspaces/staging/files/Shared/note.txt")


def test_jobs_and_runs_are_their_workspaces_and_no_id_is_two_workspaces(
    client: WorkspaceClient, staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    jobs = {one: one.jobs.create(name=name, tasks=[TASK]).job_id or 0 for one in (staging, prod)}
    assert len(set(jobs.values())) == 2
    assert not list(client.jobs.list(name=name))
    for one, job_id in jobs.items():
        assert [job.job_id for job in one.jobs.list(name=name)] == [job_id]
        other = prod if one is staging else staging
        with pytest.raises(NotFound):
            other.jobs.get(job_id)
        with pytest.raises(BadRequest):
            other.jobs.run_now(job_id)
    run: RunNowResponse = staging.jobs.run_now(jobs[staging]).response
    staging.jobs.wait_get_run_job_terminated_or_skipped(run.run_id or 0)
    assert run.run_id in [one.run_id for one in staging.jobs.list_runs()]
    for other in (client, prod):
        assert run.run_id not in [one.run_id for one in other.jobs.list_runs()]
        with pytest.raises(NotFound):
            other.jobs.get_run(run.run_id or 0)


def test_warehouses_clusters_and_queries_are_their_workspaces(
    staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    made = staging.clusters.create(
        cluster_name=name, spark_version="17.3.x-scala2.13", num_workers=0
    ).result()
    assert name not in [one.cluster_name for one in prod.clusters.list()]
    with pytest.raises(InvalidParameterValue):
        prod.clusters.delete(made.cluster_id or "").result()
    ours, theirs = ({one.id for one in w.warehouses.list()} for w in (staging, prod))
    assert ours
    assert theirs
    assert not ours & theirs


def test_experiments_are_their_workspaces(
    staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    path = f"/Shared/{name}"
    with tracking(staging) as ours:
        made = ours.create_experiment(path)
        run = ours.create_run(made)
        ours.log_metric(run.info.run_id, "rmse", 1.0)
    with tracking(prod) as theirs:
        assert theirs.get_experiment_by_name(path) is None
        with pytest.raises(Exception, match="not found"):
            theirs.get_run(run.info.run_id)


def test_tokens_are_listed_and_revoked_in_their_workspace_alone(
    staging: WorkspaceClient, prod: WorkspaceClient
) -> None:
    made = staging.tokens.create(comment="of staging")
    assert made.token_info is not None
    there = [one.token_id for one in prod.token_management.list()]
    assert made.token_info.token_id not in there
    with pytest.raises(NotFound):
        prod.token_management.delete(made.token_info.token_id or "")
    other = WorkspaceClient(host=staging.config.host, token=made.token_value)
    assert other.get_workspace_id() == staging.get_workspace_id()
    staging.token_management.delete(made.token_info.token_id or "")
    with pytest.raises(Unauthenticated):
        other.current_user.me()


def test_oauth_opens_the_workspace_in_which_the_secret_was_made(
    staging: WorkspaceClient, prod: WorkspaceClient, robot: ServicePrincipal
) -> None:
    made = staging.service_principal_secrets_proxy.create(robot.id or "")
    client = signed_in(staging.config.host, robot, made.secret)
    assert client.current_user.me().user_name == robot.application_id
    assert client.get_workspace_id() == staging.get_workspace_id()
    assert client.get_workspace_id() != prod.get_workspace_id()


def test_no_list_of_a_workspace_names_what_is_anothers(
    served: Served, staging: WorkspaceClient, prod: WorkspaceClient
) -> None:
    mark = f"m{secrets.token_hex(6)}"
    ask = staging.api_client.do
    for path, body in {
        "/api/2.0/secrets/scopes/create": {"scope": mark},
        "/api/2.0/workspace/mkdirs": {"path": f"/{mark}"},
        "/api/2.2/jobs/create": {"name": mark, "tasks": [TASK.as_dict()]},
        "/api/2.1/clusters/create": {"cluster_name": mark, "spark_version": "x"},
        "/api/2.0/policies/clusters/create": {"name": mark, "definition": "{}"},
        "/api/2.0/instance-pools/create": {"instance_pool_name": mark, "node_type_id": "local"},
        "/api/2.0/sql/warehouses": {"name": mark},
        "/api/2.0/sql/queries": {"query": {"display_name": mark, "query_text": "SELECT 1"}},
        "/api/2.0/token/create": {"comment": mark},
        "/api/2.0/lakeview/dashboards": {"display_name": mark, "serialized_dashboard": "{}"},
        "/api/2.0/pipelines": {"name": mark},
    }.items():
        ask("POST", path, body=body)
    shown = {one: _lists_naming(served, client, mark) for one, client in _both(staging, prod)}
    assert len(shown["staging"]) > 9, shown
    assert not shown["prod"]


def _both(*clients: WorkspaceClient) -> list[tuple[str, WorkspaceClient]]:
    return list(zip(("staging", "prod"), clients, strict=True))


def _lists_naming(served: Served, client: WorkspaceClient, mark: str) -> list[str]:
    """Return the routes that answer without being told what of, and name `mark`."""
    found = []
    for service in served.workspace.services.values():
        for route in routes_of(service):
            if route.method != "GET" or "{" in route.template:
                continue
            # Not by the SDK, which tries again what is not there just now, such as an engine.
            asked = requests.get(
                f"{served.host}{route.template}",
                params={"path": "/"},
                headers={"authorization": f"Bearer {client.config.token}"},
                timeout=60,
            )
            if mark in asked.text:
                found.append(route.template)
    return found


# --- what they share ---


def test_catalogs_volumes_and_grants_are_shared(
    staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    staging.catalogs.create(name)
    staging.schemas.create("s", name)
    assert prod.catalogs.get(name).metastore_id == staging.metastores.current().metastore_id
    change = PermissionsChange(add=[Privilege.USE_CATALOG], principal="ann@laketop.local")
    staging.grants.update("catalog", name, changes=[change])
    granted = prod.grants.get("catalog", name).privilege_assignments or []
    assert [one.principal for one in granted] == ["ann@laketop.local"]
    prod.api_client.do(
        "POST",
        "/api/2.1/unity-catalog/volumes",
        body={"catalog_name": name, "schema_name": "s", "name": "v", "volume_type": "MANAGED"},
    )
    path = f"/Volumes/{name}/s/v/a.txt"
    prod.files.upload(path, io.BytesIO(b"hello"))
    found = staging.files.download(path).contents
    assert found is not None
    assert found.read() == b"hello"


def test_registered_models_are_shared(
    staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    staging.schemas.create(name, "main")
    staging.registered_models.create(
        catalog_name="main", schema_name=name, name="m", comment="from staging"
    )
    assert prod.registered_models.get(f"main.{name}.m").comment == "from staging"


def test_users_are_shared_and_leave_every_workspace(
    served: Served, staging: WorkspaceClient, prod: WorkspaceClient, name: str
) -> None:
    made = staging.users_v2.create(user_name=f"{name}@laketop.local")
    theirs = in_workspace(served, "prod", f"{name}@laketop.local")
    assert theirs.current_user.me().id == made.id
    with pytest.raises(PermissionDenied):
        theirs.users_v2.delete(made.id or "")
    prod.users_v2.delete(made.id or "")
    with pytest.raises(Unauthenticated):
        theirs.current_user.me()


def test_the_audit_log_tells_which_workspace_was_asked(
    served: Served, staging: WorkspaceClient, name: str
) -> None:
    staging.secrets.create_scope(name)
    staging.groups_v2.create(display_name=name)
    ours, own = served.workspace, served.workspace.workspaces.all()["staging"]
    for one, action in ((own, "createScope"), (ours, "create")):
        rows = [json.loads(body) for (body,) in _rows(one) if name in body]
        assert [row["workspace_id"] for row in rows] == [int(own.workspace_id)], action


def _rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    with workspace.store.reading():
        return workspace.store.execute("SELECT body FROM system_rows")


@contextlib.contextmanager
def tracking(client: WorkspaceClient) -> Iterator[MlflowClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", client.config.host or "")
        patch.setenv("DATABRICKS_TOKEN", client.config.token or "")
        yield MlflowClient(tracking_uri="databricks", registry_uri="databricks-uc")


# --- the page ---


def test_the_page_is_of_the_workspace_whose_link_signed_in(
    host: str, staging: WorkspaceClient, name: str
) -> None:
    job = staging.jobs.create(name=name, tasks=[TASK])
    link: Any = staging.api_client.do("POST", "/api/laketop/1/page/link", body={})
    with urllib.request.urlopen(link["url"], timeout=30) as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]
    asked = urllib.request.Request(f"{host}/jobs/{job.job_id}", headers={"cookie": cookie})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        shown = answer.read().decode()
    assert answer.status == HTTPStatus.OK
    assert name in shown
    assert "staging" in shown


# --- how they come and go ---


def test_workspaces_outlive_the_process(tmp_path: Path) -> None:
    with serving(tmp_path, tmp_path / "cache") as first:
        made = make(first.client, "prod")
        client = in_workspace(first, "prod")
        client.secrets.create_scope("kept")
        job_id = client.jobs.create(name="kept", tasks=[TASK]).job_id or 0
        token = client.config.token
    with serving(tmp_path, tmp_path / "cache") as again:
        client = WorkspaceClient(host=again.host, token=token)
        assert client.get_workspace_id() == made["workspace_id"]
        assert [one.name for one in client.secrets.list_scopes()] == ["kept"]
        assert not list(again.client.secrets.list_scopes())
        assert (client.jobs.create(name="more", tasks=[TASK]).job_id or 0) > job_id
        own = (tmp_path / ".laketop" / "workspaces" / "prod" / "token").read_text()
        assert WorkspaceClient(host=again.host, token=own).current_user.me().user_name == USER


def test_a_deleted_workspace_is_gone_with_its_tokens_and_files(
    served: Served, client: WorkspaceClient, robot: ServicePrincipal, name: str
) -> None:
    make(client, name)
    theirs = in_workspace(served, name)
    theirs.secrets.create_scope(f"s-{name}")
    job_id = theirs.jobs.create(name="j", tasks=[TASK]).job_id or 0
    secret = theirs.service_principal_secrets_proxy.create(robot.id or "").secret
    folder = served.workspace.workspaces.all()[name].state
    client.api_client.do("DELETE", f"{ROUTE}/{name}")
    assert not folder.exists()
    assert name not in names(client)
    with pytest.raises(Unauthenticated):
        theirs.current_user.me()
    with pytest.raises(NotFound):
        client.api_client.do("DELETE", f"{ROUTE}/{name}")
    make(client, name)
    again = in_workspace(served, name)
    assert not list(again.secrets.list_scopes())
    with pytest.raises(ValueError, match="invalid_client"):
        signed_in(served.host, robot, secret).current_user.me()
    assert [one for one in _rows(served.workspace) if f"s-{name}" in one[0]]  # of the audit log
    assert (again.jobs.create(name="j", tasks=[TASK]).job_id or 0) > job_id
    client.api_client.do("DELETE", f"{ROUTE}/{name}")


def test_the_first_workspace_stays(client: WorkspaceClient, staging: WorkspaceClient) -> None:
    for one in (client, staging):
        with pytest.raises(BadRequest, match="stays"):
            one.api_client.do("DELETE", f"{ROUTE}/dev")


def test_a_workspace_with_active_runs_is_not_deleted(
    served: Served, client: WorkspaceClient, name: str
) -> None:
    make(client, name)
    busy = served.workspace.workspaces.all()[name]
    with busy.store.transaction(write=True):
        busy.store.execute(
            "INSERT INTO runs VALUES (1, 1, 'me', 'JOB_RUN', 0, 1, 0, '{}', '{}')",
        )
    with pytest.raises(ResourceConflict, match="1 active runs"):
        client.api_client.do("DELETE", f"{ROUTE}/{name}")
    with busy.store.transaction(write=True):
        busy.store.execute("DELETE FROM runs")
    client.api_client.do("DELETE", f"{ROUTE}/{name}")


def test_the_processes_of_a_workspace_have_its_tokens(
    served: Served, staging: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"DATABRICKS_TOKEN": "t0k", "SPARK_REMOTE": "sc://h/;token=t0k", "OTHER": "x"}
    monkeypatch.setattr(served.workspace, "environment_for_tasks", lambda: given)
    own = served.workspace.workspaces.all()["staging"]
    for user in (USER, "laketop"):
        told = own.environment_as(user)
        assert told["SPARK_REMOTE"] == f"sc://h/;token={told['DATABRICKS_TOKEN']}"
        assert own.tokens.user_of(told["DATABRICKS_TOKEN"]) == user
        assert served.workspace.tokens.user_of(told["DATABRICKS_TOKEN"]) is None
        assert told["LAKETOP_WORKSPACE"] == "staging"
    assert staging.get_workspace_id() == int(own.workspace_id)
