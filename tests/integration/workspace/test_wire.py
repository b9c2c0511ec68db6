"""Conversations with the workspace, against those recorded in `fixtures/wire/`.

`--update` records them anew. With `LAKETOP_TARGET=real` the workspace is the one that
databricks-sdk finds in the environment: what is recorded of Databricks has to hold here too.
"""

from __future__ import annotations

import base64
import contextlib
import difflib
import io
import json
import os
import secrets
from collections.abc import Callable, Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service import jobs
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks.sdk.service.workspace import AclPermission, ImportFormat, Language
from tests.integration.workspace.wire import RECORDED, differences, recorded_by

Conversation = Callable[[WorkspaceClient, str, str], None]
IS_REAL = os.environ.get("LAKETOP_TARGET") == "real"
OURS, THEIRS = "laketop", "databricks"


def refused() -> contextlib.AbstractContextManager[object]:
    return pytest.raises(DatabricksError)


def secret_scopes(w: WorkspaceClient, name: str, user: str) -> None:
    w.secrets.create_scope(name)
    with refused():
        w.secrets.create_scope(name)
    w.secrets.put_secret(name, "key", string_value="value")
    w.secrets.get_secret(name, "key")
    w.secrets.list_acls(name)
    w.secrets.put_acl(name, user, AclPermission.MANAGE)
    with refused():
        w.secrets.get_secret(name, "none")
    w.secrets.delete_secret(name, "key")
    w.secrets.delete_scope(name)
    with refused():
        w.secrets.delete_scope(name)


def workspace_objects(w: WorkspaceClient, name: str, user: str) -> None:
    folder = f"/Users/{user}/{name}"
    w.workspace.mkdirs(folder)
    source = base64.b64encode(b"# Databricks notebook source\nprint(1)\n").decode()
    note = f"{folder}/note"
    w.workspace.import_(note, content=source, format=ImportFormat.SOURCE, language=Language.PYTHON)
    with refused():
        w.workspace.import_(
            note, content=source, format=ImportFormat.SOURCE, language=Language.PYTHON
        )
    w.workspace.get_status(note)
    list(w.workspace.list(folder))
    w.workspace.export(note)
    with refused():
        w.workspace.get_status(f"{folder}/none")
    with refused():
        w.workspace.delete(folder)
    w.workspace.delete(folder, recursive=True)


def a_job(w: WorkspaceClient, name: str, user: str) -> None:
    del user
    asks = jobs.ConditionTask(
        op=jobs.ConditionTaskOp.EQUAL_TO, left="1", right="{{job.parameters.n}}"
    )
    nothing = jobs.Task(
        task_key="after",
        depends_on=[jobs.TaskDependency("asks", outcome="false")],
        condition_task=asks,
    )
    made = w.jobs.create(
        name=name,
        parameters=[jobs.JobParameterDefinition(name="n", default="1")],
        tasks=[jobs.Task(task_key="asks", condition_task=asks), nothing],
    )
    job_id = made.job_id or 0
    w.jobs.get(job_id)
    list(w.jobs.list(name=name))
    run = w.jobs.run_now(job_id)
    run.result()
    w.jobs.run_now(job_id, job_parameters={"n": "2"}, idempotency_token=name).result()
    list(w.jobs.list_runs(job_id=job_id))
    with refused():
        w.jobs.repair_run(run.run_id, rerun_tasks=["none"])
    w.jobs.update(job_id, new_settings=jobs.JobSettings(max_concurrent_runs=3))
    w.jobs.delete_run(run.run_id)
    with refused():
        w.jobs.get_run(run.run_id)
    w.jobs.delete(job_id)
    with refused():
        w.jobs.get(job_id)
    with refused():
        w.jobs.create(name=name, tasks=[nothing])


def files_of_a_volume(w: WorkspaceClient, name: str, user: str) -> None:
    del user
    w.schemas.create(name, "main")
    w.api_client.do(
        "POST",
        "/api/2.1/unity-catalog/volumes",
        body={
            "catalog_name": "main",
            "schema_name": name,
            "name": "v",
            "volume_type": "MANAGED",
        },
    )
    folder = f"/Volumes/main/{name}/v"
    w.files.upload(f"{folder}/a.txt", io.BytesIO(b"text"))
    with refused():
        w.files.upload(f"{folder}/a.txt", io.BytesIO(b"text"), overwrite=False)
    w.files.get_metadata(f"{folder}/a.txt")
    list(w.files.list_directory_contents(folder))
    with refused():
        w.files.get_metadata(f"{folder}/none")
    w.files.delete(f"{folder}/a.txt")
    with refused():
        w.files.delete(f"{folder}/a.txt")
    w.volumes.delete(f"main.{name}.v")
    w.schemas.delete(f"main.{name}")


def schemas_and_grants(w: WorkspaceClient, name: str, user: str) -> None:
    w.schemas.create(name, "main", comment="c", properties={"k": "v"})
    with refused():
        w.schemas.create(name, "main")
    full_name = f"main.{name}"
    w.schemas.get(full_name)
    w.schemas.update(full_name, comment="another")
    change = PermissionsChange(principal=user, add=[Privilege.USE_SCHEMA, Privilege.SELECT])
    w.grants.update("schema", full_name, changes=[change])
    w.grants.get("schema", full_name)
    with refused():
        w.tables.get(f"{full_name}.none")
    w.schemas.delete(full_name)
    with refused():
        w.schemas.get(full_name)


def tokens(w: WorkspaceClient, name: str, user: str) -> None:
    del user
    made = w.tokens.create(comment=name, lifetime_seconds=600)
    info = made.token_info
    assert info is not None
    w.tokens.delete(info.token_id or "")
    with refused():
        w.tokens.delete(info.token_id or "")


def a_cluster_policy(w: WorkspaceClient, name: str, user: str) -> None:
    del user
    rules = json.dumps({"spark_version": {"type": "fixed", "value": "auto:latest-lts"}})
    made = w.cluster_policies.create(name=name, definition=rules)
    w.cluster_policies.get(made.policy_id or "")
    with refused():
        w.cluster_policies.create(name=f"{name} 2", definition="[")
    w.cluster_policies.delete(made.policy_id or "")
    with refused():
        w.cluster_policies.get(made.policy_id or "")
    with refused():
        w.clusters.get("none")


CONVERSATIONS: tuple[Conversation, ...] = (
    secret_scopes,
    workspace_objects,
    a_job,
    files_of_a_volume,
    schemas_and_grants,
    tokens,
    a_cluster_policy,
)


@pytest.fixture
def speaker(request: pytest.FixtureRequest) -> Iterator[WorkspaceClient]:
    if IS_REAL:
        yield WorkspaceClient()
    else:
        yield request.getfixturevalue("served").client


@pytest.mark.parametrize("talk", CONVERSATIONS, ids=lambda talk: talk.__name__)
def test_a_conversation_is_as_recorded(
    talk: Conversation, speaker: WorkspaceClient, request: pytest.FixtureRequest
) -> None:
    user, name = speaker.current_user.me().user_name or "", f"wire_{secrets.token_hex(4)}"
    known = {name: "<name>", user: "<user>", speaker.config.host: "<host>"}
    recorder = recorded_by(speaker, known)
    talk(speaker, name, user)
    file = RECORDED / f"{talk.__name__}.json"
    source = THEIRS if IS_REAL else OURS
    now = {"recorded": source, "exchanges": recorder.exchanges}
    was = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"exchanges": []}
    if request.config.getoption("--update"):
        file.write_text(text_of(now), encoding="utf-8")
        print(shown(was, now))
    elif was["recorded"] == source:
        assert was == now, shown(was, now)
    else:
        assert differences(was["exchanges"], recorder.exchanges) == []


def test_another_workspace_may_have_other_values_and_no_other_fields() -> None:
    told = {"request": "GET /a", "status": 200, "answer": {"n": 1, "of": [{"x": "<id 1>"}]}}
    other = {**told, "answer": {"n": 2, "of": [{"x": "y", "more": 1}], "more": 1}}
    lacks = {**told, "answer": {"n": "2", "of": [{}]}}
    failed = {**told, "status": 404, "answer": {"error_code": "NOT_FOUND"}}
    assert differences([told], [other]) == []
    assert differences([told], [lacks]) == ["GET /a.n: 1, now '2'", "GET /a.of[0]: no 'x'"]
    assert differences([told], [failed]) == ["GET /a: 200, now GET /a: 404"]
    assert differences([told], []) == ["0 requests, recorded were 1"]


def text_of(told: object) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def shown(was: object, now: object) -> str:
    return "\n".join(difflib.unified_diff(text_of(was).split("\n"), text_of(now).split("\n")))
