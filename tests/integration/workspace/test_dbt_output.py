"""What dbt has written is fetched by the link of `runs/get-output`; a file stands for it here."""

from __future__ import annotations

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, OperationFailed
from databricks.sdk.service.jobs import DbtTask, Task

from laketop.runner.tasks.dbt import ARTIFACTS
from laketop.workspace.workspace import Workspace


def test_artifacts_of_dbt_are_fetched_by_their_link_without_a_token(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    dbt = DbtTask(commands=["dbt run"], project_directory="/nowhere")
    job_id = client.jobs.create(name="dbt", tasks=[Task("it", dbt_task=dbt)]).job_id
    assert job_id is not None
    run_id = client.jobs.run_now(job_id).run_id
    with pytest.raises(OperationFailed):  # there is no project
        client.jobs.wait_get_run_job_terminated_or_skipped(run_id)
    run = client.jobs.get_run(run_id)
    assert run.tasks is not None
    task_run_id = run.tasks[0].run_id
    assert task_run_id is not None
    assert client.jobs.get_run_output(task_run_id).dbt_output is None
    with pytest.raises(NotFound, match="no artifacts of dbt"):
        client.api_client.do("GET", f"/api/laketop/1/runs/{task_run_id}/dbt-artifacts")

    file = workspace.state / "runs" / str(run_id) / str(task_run_id) / ARTIFACTS
    file.write_bytes(b"packed")
    told = client.jobs.get_run_output(task_run_id).dbt_output
    assert told is not None
    assert told.artifacts_link is not None
    assert requests.get(told.artifacts_link, timeout=60).content == b"packed"
    assert (
        requests.get(told.artifacts_link.replace("runs/", "runs/1"), timeout=60).status_code == 403
    )
