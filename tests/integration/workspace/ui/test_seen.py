"""Pages hide from a person what the API hides."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.catalog import PermissionsChange, Privilege, VolumeType
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, JobEmailNotifications, Task
from tests.integration.workspace.ui.conftest import BOB, Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.services.mlflow import Parts
    from laketop.workspace.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("default")  # what MLflow loads warns


@pytest.fixture(scope="module", autouse=True)
def ours(client: WorkspaceClient, workspace: Workspace, parts: Parts) -> dict[str, int]:
    """Make one of each; bob may use one schema, and read one table in it."""
    client.catalogs.create("hidden")
    client.schemas.create("lake", "hidden")
    client.volumes.create("hidden", "lake", "files", VolumeType.MANAGED)
    client.files.upload("/Volumes/hidden/lake/files/secret.csv", io.BytesIO(b"1"))
    folder = workspace.state / "catalog" / "hidden" / "lake"
    for name in ("open", "closed", "closed_profile_metrics"):
        log = folder / name / "_delta_log"
        log.mkdir(parents=True)
        fields = [{"name": f"of_{name}", "type": "long", "nullable": True, "metadata": {}}]
        schema = json.dumps({"type": "struct", "fields": fields})
        action = {"metaData": {"id": name, "schemaString": schema}}
        (log / f"{0:020}.json").write_text(json.dumps(action), encoding="utf-8")
    for type_, name, privilege in (
        ("catalog", "hidden", Privilege.USE_CATALOG),
        ("schema", "hidden.lake", Privilege.USE_SCHEMA),
        ("table", "hidden.lake.open", Privilege.SELECT),
    ):
        change = PermissionsChange(principal=BOB, add=[privilege])
        client.grants.update(type_, name, changes=[change])
    parts.registry.create_model("hidden.lake.model", owner="me@laketop.local")
    one = ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1")
    job = client.jobs.create(
        name="hidden job",
        tasks=[Task(task_key="one", condition_task=one)],
        email_notifications=JobEmailNotifications(on_success=["ann@example.com"]),
    )
    run = client.jobs.run_now(job.job_id or 0).result()
    return {"job": job.job_id or 0, "run": run.run_id or 0}


def test_of_the_catalog_only_what_was_granted_is_there(look: Look, look_as_bob: Look) -> None:
    assert {"open", "closed", "files"} <= set(look("/explore/data/hidden/lake").text.split())
    page = look_as_bob("/explore/data/hidden/lake")
    assert "/explore/data/hidden/lake/open" in page.links
    assert "closed" not in page.text
    assert "/explore/data/volumes/hidden/lake/files" not in page.links
    assert "of_open" in look_as_bob("/explore/data/hidden/lake/open").text
    for path in (
        "/explore/data/hidden/lake/closed",
        "/explore/data/hidden/lake/closed?tab=history",
        "/explore/data/volumes/hidden/lake/files",
        "/explore/data/models/hidden/lake/model",
        "/explore/data/models/hidden/lake/model/version/1",
    ):
        page = look_as_bob(path, status=403)
        assert "of_closed" not in page.text
        assert "secret.csv" not in page.text


def test_jobs_runs_and_their_messages_are_hidden(
    look: Look, look_as_bob: Look, ours: dict[str, int]
) -> None:
    run = f"/jobs/{ours['job']}/runs/{ours['run']}"
    for path in ("/", "/jobs", "/jobs/runs", "/outbox"):
        assert run in look(path).links, path
        page = look_as_bob(path)
        assert "hidden job" not in page.text, path
        assert run not in page.links, path
    for path in (f"/jobs/{ours['job']}", run, f"{run}/log"):
        look_as_bob(path, status=403)


def test_names_that_are_hidden_are_not_found(look: Look, look_as_bob: Look) -> None:
    admin, bob = look("/search?q=hidden"), look_as_bob("/search?q=hidden")
    assert {"/explore/data/hidden/lake/closed", "/explore/data/models/hidden/lake/model"} <= set(
        admin.links
    )
    assert "/explore/data/hidden/lake/open" in bob.links
    assert not [
        one for one in bob.links if "closed" in one or "model" in one[5:] or "/jobs/" in one[6:]
    ]
    assert "closed" not in look_as_bob("/monitors").text
    assert "closed" in look("/monitors").text
    look_as_bob("/monitors/hidden/lake/closed", status=404)
    assert "hidden.lake.model" in look("/ml/models").text
    assert "hidden.lake.model" not in look_as_bob("/ml/models").text


def test_mlflows_page_shows_models_to_admins_alone(look: Look, look_as_bob: Look) -> None:
    path = "/mlflow/ajax-api/2.0/mlflow/registered-models/search"
    assert "hidden.lake.model" in look(path).html
    assert "hidden.lake.model" not in look_as_bob(path, status=403).html
