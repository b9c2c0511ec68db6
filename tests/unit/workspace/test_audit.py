"""The rows of the audit log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace import audit
from laketop.workspace.audit import AUDIT, Audit, action_name, mlflow_action, shown
from laketop.workspace.store import Store
from laketop.workspace.system_tables import audit_row


@pytest.mark.parametrize(
    ("service", "method", "name"),
    [
        ("jobs", "run_now", "runNow"),
        ("jobs", "create", "create"),
        ("catalogs", "create", "createCatalog"),
        ("users", "delete", "deleteUser"),
        ("secrets", "put_secret", "putSecret"),
        ("workspace", "import_", "import"),
    ],
)
def test_actions_have_the_names_of_the_audit_log(service: str, method: str, name: str) -> None:
    assert action_name(service, method) == name


def test_what_may_be_secret_is_left_out() -> None:
    told = shown(
        {
            "scope": "s",
            "string_value": "hidden",
            "page_token": "p",
            "nothing": None,
            "number": 5,
            "deep": {"password": "hidden", "user": "u", "list": [{"client_secret": "hidden"}]},
        }
    )
    assert told["scope"] == "s"
    assert told["page_token"] == "p"
    assert told["number"] == "5"
    assert json.loads(told["deep"]) == {"user": "u", "list": [{}]}
    assert "hidden" not in json.dumps(told)


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "OPENAI_API_KEY", "apiKey"),
        *("openai_api_key_plaintext", "private_key", "fs.azure.account.key.x.dfs.core.windows.net"),
    ],
)
def test_keys_to_elsewhere_are_left_out_at_any_depth(name: str) -> None:
    told = shown({name: "hidden", "spark_conf": {name: "hidden", "spark.x": "1", "key": "k"}})
    assert {name: json.loads(text) for name, text in told.items()} == {
        "spark_conf": {"spark.x": "1", "key": "k"}
    }


@given(
    st.dictionaries(
        st.sampled_from(["value", "a_token", "Password", "content"]), st.text(min_size=9)
    )
)
def test_no_secret_by_name_is_shown(params: dict[str, str]) -> None:
    assert shown(params) == {}


def test_a_row_that_is_noted_is_a_row_of_the_table(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    with store.transaction(write=True):
        for statement in audit.SCHEMA:
            store.execute(statement)
    log = Audit(store, now_ms=lambda: 1_000, workspace_id="7")
    log.note("jobs", "delete", user="ann", agent="a", params={"job_id": 1}, status=403, error="no")
    with store.transaction(write=False):
        ((name, body),) = store.execute("SELECT name, body FROM system_rows")
    row = audit_row(json.loads(body))
    assert name == AUDIT
    assert (row["workspace_id"], row["user_identity"]["email"]) == ("7", "ann")
    assert (row["service_name"], row["action_name"]) == ("jobs", "delete")
    assert row["response"] == {"status_code": 403, "error_message": "no", "result": None}
    assert row["request_params"] == {"job_id": "1"}
    store.close()


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("POST", "/api/2.0/mlflow/experiments/create", "createMlflowExperiment"),
        ("POST", "/api/2.0/mlflow/runs/delete", "deleteMlflowRun"),
        (
            "POST",
            "/api/2.0/mlflow/unity-catalog/model-versions/create",
            "createModelVersion",
        ),
        ("POST", "/api/2.0/mlflow/experiments/set-experiment-tag", "setMlflowExperimentTag"),
        ("POST", "/api/2.0/mlflow/runs/delete-tag", "deleteMlflowRunTag"),
        ("PATCH", "/api/2.0/mlflow/logged-models/m-1", "finalizeMlflowLoggedModel"),
        ("DELETE", "/api/2.0/mlflow/logged-models/m-1/tags/t", "deleteMlflowLoggedModelTag"),
        ("POST", "/api/3.0/mlflow/traces", "createMlflowTrace"),
        ("POST", "/api/3.0/mlflow/traces/search", None),
        ("POST", "/api/2.0/mlflow/runs/log-metric", None),
        ("POST", "/api/2.0/mlflow/runs/search", None),
        ("GET", "/api/2.0/mlflow/experiments/get", None),
        ("POST", "/api/2.0/mlflow/experiments", None),
    ],
)
def test_what_mlflow_changes_has_a_name_but_for_what_runs_log(
    method: str, path: str, action: str | None
) -> None:
    assert mlflow_action(method, path) == action
