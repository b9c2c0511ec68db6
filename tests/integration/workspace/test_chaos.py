"""Chaos asked for through run-now; the tasks need no Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import SparkPythonTask, Task


def _job(client: WorkspaceClient, folder: Path) -> int:
    file = folder / "appends.py"
    file.write_text(f"open({str(folder / 'ran')!r}, 'a').write('x')")
    python = SparkPythonTask(python_file=str(file))
    tasks = [Task(task_key=f"t{n}", spark_python_task=python, max_retries=2) for n in range(4)]
    job_id = client.jobs.create(name="chaos", tasks=tasks).job_id
    assert job_id is not None
    return job_id


def _run(client: WorkspaceClient, **body: Any) -> tuple[str, list[dict[str, Any]]]:
    started: Any = client.api_client.do("POST", "/api/2.2/jobs/run-now", body=body)
    run = client.jobs.wait_get_run_job_terminated_or_skipped(started["run_id"])
    assert run.state is not None
    assert run.state.result_state is not None
    notes: Any = client.api_client.do("GET", f"/api/laketop/1/runs/{run.run_id}/chaos")
    return run.state.result_state.value, notes["notes"]


def test_a_seed_does_the_same_twice_and_retries_cope(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    job_id = _job(client, tmp_path)
    first = _run(client, job_id=job_id, chaos_seed=7)
    assert first == _run(client, job_id=job_id, chaos_seed=7)
    assert first[0] == "SUCCESS"
    assert any("crash" in note["did"] or "lost" in note["did"] for note in first[1])


def test_without_a_seed_nothing_is_done(client: WorkspaceClient, tmp_path: Path) -> None:
    assert _run(client, job_id=_job(client, tmp_path)) == ("SUCCESS", [])
    assert (tmp_path / "ran").read_text() == "xxxx"
