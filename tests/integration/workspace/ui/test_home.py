"""The overview, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.workspace.ui.conftest import Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace


def test_it_says_what_this_is_and_leads_to_everything(
    look: Look, client: WorkspaceClient, workspace: Workspace
) -> None:
    before = look("/")
    assert "Nothing has run yet" in before.text
    client.jobs.create(name="one", tasks=[])
    page = look("/")
    assert workspace.workspace_id in page.text
    assert workspace.user in page.text
    for address in ("/jobs", "/jobs/runs", "/explore/data", "/ml/models", "/ml/experiments"):
        assert address in page.links
    assert "1 jobs" in page.text


def test_what_mlflow_has_never_held_is_told_without_loading_it(
    look: Look, workspace: Workspace
) -> None:
    assert "No model is registered yet" in look("/ml/models").text
    assert "There is no experiment yet" in look("/ml/experiments").text
    assert "Nothing is named so" in look("/search?q=nothing").text
    assert not (workspace.state / "mlflow.db").exists()
