"""MLflow's own page: its files, what its scripts ask for, and that nothing is changed by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from mlflow.tracking import MlflowClient
from tests.integration.workspace.conftest import Served
from tests.integration.workspace.ui.conftest import Look

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns
_NAME = "/Shared/looked at"


@pytest.fixture(scope="module")
def logged(served: Served) -> Iterator[Any]:
    """Return a run with a parameter, a metric over ten steps, and an artifact."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", served.host)
        patch.setenv("DATABRICKS_TOKEN", served.token)
        client = MlflowClient("databricks", "databricks-uc")
        experiment = client.create_experiment(_NAME)
        run = client.create_run(experiment)
        client.log_param(run.info.run_id, "depth", 3)
        for step in range(10):
            client.log_metric(run.info.run_id, "auc", step / 10, step=step)
        client.log_text(run.info.run_id, "<script>alert(1)</script>", "notes/card.html")
        client.set_terminated(run.info.run_id)
        yield client.get_run(run.info.run_id)


@pytest.fixture(scope="module")
def browser(served: Served) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    asked = {"Authorization": f"Bearer {served.token}"}
    address = f"{served.host}/api/laketop/1/page/link"
    link = session.post(address, headers=asked, json={}, timeout=60).json()["url"]
    assert session.get(link, timeout=60).status_code == 200
    return session


@pytest.fixture(scope="module")
def base(served: Served) -> str:
    return f"{served.host}/mlflow"


def test_the_page_and_its_scripts_are_served_with_a_policy_of_their_own(
    browser: requests.Session, base: str
) -> None:
    page = browser.get(base, timeout=60)
    assert page.url == f"{base}/"
    assert page.status_code == 200
    assert "<title>MLflow</title>" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy
    script = page.text.partition('src="')[2].partition('"')[0]
    answer = browser.get(f"{base}/{script}", timeout=60)
    assert answer.status_code == 200
    assert "javascript" in answer.headers["Content-Type"]
    assert "set-cookie" not in page.headers


def test_it_shows_the_runs_of_the_workspace(
    browser: requests.Session, base: str, logged: Any
) -> None:
    api = f"{base}/ajax-api/2.0/mlflow"
    found = browser.post(f"{api}/experiments/search", json={"max_results": 10}, timeout=60).json()
    assert [one["name"] for one in found["experiments"]] == [_NAME]
    wanted: Any = {"experiment_ids": [logged.info.experiment_id]}
    runs = browser.post(f"{api}/runs/search", json=wanted, timeout=60).json()["runs"]
    assert [run["info"]["run_id"] for run in runs] == [logged.info.run_id]
    history = browser.get(
        f"{api}/metrics/get-history-bulk",
        params={"run_id": logged.info.run_id, "metric_key": "auc"},
        timeout=60,
    ).json()
    assert [point["value"] for point in history["metrics"]] == [step / 10 for step in range(10)]


def test_a_run_is_answered_to_graphql_too(
    browser: requests.Session, base: str, logged: Any
) -> None:
    query = """query GetRun($data: MlflowGetRunInput!) @component(name: "MLflow.Run") {
      mlflowGetRun(input: $data) { run { info { runId } experiment { name }
        modelVersions { name version } data { params { key value } } } } }"""
    asked: Any = {"query": query, "variables": {"data": {"runId": logged.info.run_id}}}
    told = browser.post(f"{base}/graphql", json=asked, timeout=60).json()
    assert told["errors"] is None
    run = told["data"]["mlflowGetRun"]["run"]
    assert run["experiment"]["name"] == _NAME
    assert run["data"]["params"] == [{"key": "depth", "value": "3"}]
    assert not run["modelVersions"]


def test_artifacts_are_listed_and_never_shown_as_pages_of_ours(
    browser: requests.Session, base: str, logged: Any
) -> None:
    listed = browser.get(
        f"{base}/ajax-api/2.0/mlflow/artifacts/list",
        params={"run_id": logged.info.run_id, "path": "notes"},
        timeout=60,
    ).json()
    assert [one["path"] for one in listed["files"]] == ["notes/card.html"]
    given = {"run_uuid": logged.info.run_id, "path": "notes/card.html"}
    file = browser.get(f"{base}/get-artifact", params=given, timeout=60)
    assert file.text == "<script>alert(1)</script>"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    outside = {**given, "path": "../../../../../laketop.db"}
    assert browser.get(f"{base}/get-artifact", params=outside, timeout=60).status_code == 400


def test_nothing_is_changed_by_looking(browser: requests.Session, base: str, logged: Any) -> None:
    api = f"{base}/ajax-api/2.0/mlflow"
    run = {"run_id": logged.info.run_id}
    for method, path, body in (
        ("POST", "experiments/create", {"name": "/Shared/made by looking"}),
        ("POST", "runs/delete", run),
        ("POST", "runs/set-tag", {**run, "key": "k", "value": "v"}),
        ("POST", "runs/log-metric", {**run, "key": "auc", "value": 1, "timestamp": 1}),
        ("PATCH", "registered-models/update", {"name": "main.default.x"}),
        ("DELETE", "logged-models/m-1", {}),
        ("POST", "upload-artifact", {}),
    ):
        answer = browser.request(method, f"{api}/{path}", json=body, timeout=60)
        assert answer.status_code == 403, path
        assert answer.json()["error_code"] == "PERMISSION_DENIED"


def test_it_tells_nobody_that_it_is_used(browser: requests.Session, base: str) -> None:
    told = browser.get(f"{base}/ajax-api/3.0/mlflow/ui-telemetry", timeout=60).json()
    assert told["disable_ui_telemetry"] is True
    assert browser.get(f"{base}/ajax-api/3.0/mlflow/server-info", timeout=60).status_code == 200
    asked = f"{base}/ajax-api/2.0/mlflow/gateway-proxy?gateway_path=api/2.0/endpoints/"
    assert browser.get(asked, timeout=60).json() == {"endpoints": []}


def test_who_is_no_admin_does_not_look(look_as_bob: Look, logged: Any) -> None:
    del logged  # it is there to be seen
    for path in ("/mlflow/", "/mlflow/ajax-api/2.0/mlflow/runs/search"):
        assert "it is for admins" in look_as_bob(path, status=403).text


def test_a_path_out_of_its_folder_is_not_found(browser: requests.Session, base: str) -> None:
    for path in (
        "static-files/..%2f..%2fhandlers.py",
        "static-files/%2e%2e/__init__.py",
        "nothing",
    ):
        assert browser.get(f"{base}/{path}", timeout=60).status_code == 404
