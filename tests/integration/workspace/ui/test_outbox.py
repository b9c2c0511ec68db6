"""The outbox, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, JobEmailNotifications, Task
from tests.integration.workspace.ui.conftest import HOSTILE, Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def test_messages_are_listed_by_pages_and_lead_to_their_runs(
    look: Look, client: WorkspaceClient
) -> None:
    assert "Nobody was to be told" in look("/outbox").text
    one = ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1")
    job = client.jobs.create(
        name=HOSTILE,
        tasks=[Task(task_key="one", condition_task=one)],
        email_notifications=JobEmailNotifications(on_success=[f"{HOSTILE}@example.com"]),
    )
    for _ in range(51):
        run = client.jobs.run_now(job.job_id or 0).result()
    page = look("/outbox")
    assert HOSTILE in page.text
    assert f"{HOSTILE}@example.com" in page.text
    assert f"/jobs/{job.job_id}/runs/{run.run_id}" in page.links
    older = look(next(one for one in page.links if "page=" in one))
    assert page.html.count("<tr>") == 51
    assert older.html.count("<tr>") == 2
