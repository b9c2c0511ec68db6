"""Lists by pages of one, which hold what one page holds; and lists that are huge."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.catalog import ConnectionType, VolumeType, WorkspaceBinding
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, Task
from databricks.sdk.service.sql import CreateAlertRequestAlert, CreateQueryRequestQuery

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

Make = Callable[["WorkspaceClient", str], object]
_UNITY = "/api/2.1/unity-catalog"
_LISTS: tuple[tuple[str, str, str, Make], ...] = (
    (
        "/api/2.0/sql/alerts",
        "results",
        "page_size",
        lambda c, n: c.alerts.create(alert=CreateAlertRequestAlert(display_name=n)),
    ),
    (
        "/api/2.0/sql/queries",
        "results",
        "page_size",
        lambda c, n: c.queries.create(query=CreateQueryRequestQuery(display_name=n)),
    ),
    (
        f"{_UNITY}/volumes?catalog_name=main&schema_name=default",
        "volumes",
        "max_results",
        lambda c, n: c.volumes.create("main", "default", n, VolumeType.MANAGED),
    ),
    (
        f"{_UNITY}/connections",
        "connections",
        "max_results",
        lambda c, n: c.connections.create(n, ConnectionType.MYSQL, {"host": "h"}),
    ),
    (
        f"{_UNITY}/catalogs",
        "catalogs",
        "max_results",
        lambda c, n: c.catalogs.create(n),
    ),
    (
        f"{_UNITY}/schemas?catalog_name=main",
        "schemas",
        "max_results",
        lambda c, n: c.schemas.create(n, "main"),
    ),
)


@pytest.mark.parametrize(("route", "field", "size", "make"), _LISTS, ids=[x[0] for x in _LISTS])
def test_pages_of_one_hold_what_one_page_holds(
    client: WorkspaceClient, *, route: str, field: str, size: str, make: Make
) -> None:
    for _ in range(3):
        make(client, f"n{secrets.token_hex(4)}")
    [whole] = _pages(client, route, {})
    ones = [*_pages(client, route, {size: 1})]

    assert len(whole[field]) >= 3
    assert [len(page[field]) for page in ones if page.get(field)] == [1] * len(whole[field])
    assert [one for page in ones for one in page.get(field, [])] == whole[field]
    with pytest.raises(InvalidParameterValue):
        [*_pages(client, route, {size: -1})]


def _pages(client: WorkspaceClient, route: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    path, _, given = route.partition("?")
    asked: dict[str, Any] = dict(pair.split("=") for pair in given.split("&") if pair) | query
    while True:
        page = client.api_client.do("GET", path, query=asked)
        assert isinstance(page, dict)
        yield page
        token = page.get("next_page_token")
        if not token:
            return
        asked = {**asked, "page_token": token}


def test_git_folders_come_by_pages(client: WorkspaceClient, workspace: Workspace) -> None:
    known = {**dict.fromkeys(("url", "provider"), "x"), "creator_user_name": "me@laketop.local"}
    ids = [10**14 + number for number in range(45)]
    with workspace.store.transaction(write=True):
        for one in ids:
            workspace.repos._repos[str(one)] = {**known, "id": one, "path": f"/Repos/me/{one}"}
    try:
        first = client.api_client.do("GET", "/api/2.0/repos")
        assert isinstance(first, dict)
        assert len(first["repos"]) == 20
        assert [one.id for one in client.repos.list()] == ids
        assert [one.id for one in client.repos.list(path_prefix=f"/Repos/me/{ids[7]}")] == [ids[7]]
    finally:
        with workspace.store.transaction(write=True):
            for one in ids:
                del workspace.repos._repos[str(one)]


def test_bindings_come_by_pages(client: WorkspaceClient) -> None:
    route = "/api/laketop/1/workspaces"
    catalog = f"b{secrets.token_hex(4)}"
    client.catalogs.create(catalog)
    client.api_client.do("POST", route, body={"name": "paged"})
    try:
        told = client.api_client.do("GET", route)
        assert isinstance(told, dict)
        ids = sorted(one["workspace_id"] for one in told["workspaces"])
        add = [WorkspaceBinding(one) for one in ids]
        client.workspace_bindings.update_bindings("catalog", catalog, add=add)
        pages = [*_pages(client, f"{_UNITY}/bindings/catalog/{catalog}", {"max_results": 1})]
        assert [[one["workspace_id"] for one in page["bindings"]] for page in pages] == [
            [one] for one in ids
        ]
    finally:
        client.api_client.do("DELETE", f"{route}/paged")
        client.catalogs.delete(catalog, force=True)


def _tasks(client: WorkspaceClient) -> object:
    task = ConditionTask(op=ConditionTaskOp.EQUAL_TO, left="1", right="1")
    tasks = [Task(task_key=f"t{number}", condition_task=task) for number in range(5000)]
    return client.jobs.create(tasks=tasks)


def _entries(client: WorkspaceClient) -> object:
    job_id = str(client.jobs.create(name="j").job_id)
    level = PermissionLevel.CAN_VIEW
    entries = [
        AccessControlRequest(user_name=f"u{n}@laketop.local", permission_level=level)
        for n in range(20_000)
    ]
    return client.permissions.update("jobs", job_id, access_control_list=entries)


def _metrics(client: WorkspaceClient) -> object:
    experiment = client.experiments.create_experiment(f"/Shared/{secrets.token_hex(4)}")
    run = client.experiments.create_run(experiment_id=experiment.experiment_id).run
    assert run is not None
    assert run.info is not None
    metrics = [{"key": f"m{n}", "value": 1, "timestamp": 1, "step": n} for n in range(20_000)]
    body = {"run_id": run.info.run_id, "metrics": metrics}
    return client.api_client.do("POST", "/api/2.0/mlflow/runs/log-batch", body=body)


def _groups(client: WorkspaceClient) -> object:
    members = [{"value": str(number)} for number in range(50_000)]
    body = {"displayName": f"g{secrets.token_hex(4)}", "members": members}
    return client.api_client.do("POST", "/api/2.0/preview/scim/v2/Groups", body=body)


_REFUSALS = {"INVALID_PARAMETER_VALUE", "MAX_REQUEST_SIZE_EXCEEDED"}


@pytest.mark.parametrize("send", [_tasks, _entries, _metrics, _groups])
def test_a_huge_list_is_taken_or_refused_and_the_next_request_is_answered(
    client: WorkspaceClient, send: Callable[[WorkspaceClient], object]
) -> None:
    try:
        send(client)
    except DatabricksError as error:
        if error.error_code not in _REFUSALS and not isinstance(error, NotFound):
            raise
    assert client.current_user.me().user_name == "me@laketop.local"


def test_a_folder_of_thousands_is_listed_whole(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    folder = workspace.state / "files" / "Shared" / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"f{number:04}").touch()
    listed = [one.path for one in client.workspace.list("/Shared/many")]
    assert listed == [f"/Shared/many/f{number:04}" for number in range(3000)]
    client.volumes.create("main", "default", "many", VolumeType.MANAGED)
    inside = workspace.state / "catalog/main/default/_files/many"
    inside.mkdir(parents=True, exist_ok=True)
    for number in range(3000):
        (inside / f"f{number:04}").touch()
    found = client.files.list_directory_contents("/Volumes/main/default/many", page_size=700)
    assert [one.name for one in found] == [f"f{number:04}" for number in range(3000)]
    client.files.upload("/Volumes/main/default/many/more", io.BytesIO(b"x"))
