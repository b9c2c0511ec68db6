"""Repairs of runs, through the official client; the tasks need no Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.jobs import (
    JobParameterDefinition,
    NotebookTask,
    Run,
    RunResultState,
    SparkPythonTask,
    SubmitTask,
    Task,
    TaskDependency,
    ViewsToExport,
    ViewType,
)
from tests.integration.workspace.test_jobs import _condition, _ended, _job, _result, _start

from laketop.workspace.notebook_formats import from_html, source_of

if TYPE_CHECKING:
    from pathlib import Path

    from databricks.sdk import WorkspaceClient


def _guarded(folder: Path, key: str, *parents: str, **more: Any) -> Task:
    """Return a task that fails until the file `key` is there, and tells how often it ran."""
    notebook = folder / f"{key}_notebook.py"
    notebook.write_text(
        "# Databricks notebook source\n"
        "from pathlib import Path\n"
        f"assert Path({str(folder / key)!r}).exists(), 'not yet'\n"
        f"dbutils.jobs.taskValues.set('count', '{{}}')\n"
        "dbutils.notebook.exit(dbutils.widgets.get('say'))\n"
    )
    depends_on = [TaskDependency(parent) for parent in parents]
    task = NotebookTask(notebook_path=str(notebook), base_parameters={"say": "own"})
    return Task(task_key=key, notebook_task=task, depends_on=depends_on, **more)


def _repair(client: WorkspaceClient, run_id: int, **more: Any) -> int:
    response: Any = client.jobs.repair_run(run_id, **more).response
    return int(response.repair_id)


def _words(run: Run) -> list[tuple[str, str]]:
    return [
        (task.task_key or "", task.state.result_state.value)
        for task in run.tasks or []
        if task.state is not None and task.state.result_state is not None
    ]


def test_failed_tasks_run_again_and_the_others_keep_what_they_did(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    job_id = _job(
        client, _condition("fine"), _guarded(tmp_path, "a", "fine"), _guarded(tmp_path, "b", "a")
    )
    run_id = _start(client, job_id)
    failed = _ended(client, run_id)
    assert _words(failed) == [("fine", "SUCCESS"), ("a", "FAILED"), ("b", "UPSTREAM_FAILED")]
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    repair_id = _repair(client, run_id, rerun_all_failed_tasks=True)
    again = _ended(client, run_id)
    assert _result(again) is RunResultState.SUCCESS
    assert _words(again) == [
        ("fine", "SUCCESS"),
        ("a", "FAILED"),
        ("a", "SUCCESS"),
        ("b", "UPSTREAM_FAILED"),
        ("b", "SUCCESS"),
    ]
    assert again.start_time == failed.start_time
    assert (again.run_duration or 0) >= (failed.run_duration or 0)
    with_history = client.jobs.get_run(run_id, include_history=True)
    original, repair = with_history.repair_history or []
    assert (original.type.value, original.id) == ("ORIGINAL", None)  # type: ignore[union-attr]  # it is there
    assert original.state.result_state is RunResultState.FAILED  # type: ignore[union-attr]  # it is there
    assert original.task_run_ids == [task.run_id for task in failed.tasks or []]
    assert (repair.type.value, repair.id) == ("REPAIR", repair_id)  # type: ignore[union-attr]  # it is there
    tasks = again.tasks or []
    assert repair.task_run_ids == [tasks[2].run_id, tasks[4].run_id]


def test_a_second_repair_has_to_know_of_the_first(client: WorkspaceClient, tmp_path: Path) -> None:
    job_id = _job(client, _guarded(tmp_path, "a"))
    run_id = _start(client, job_id)
    _ended(client, run_id)
    first = _repair(client, run_id, rerun_tasks=["a"])
    _ended(client, run_id)
    with pytest.raises(InvalidParameterValue, match="latest_repair_id"):
        client.jobs.repair_run(run_id, rerun_tasks=["a"])
    with pytest.raises(InvalidParameterValue, match="latest_repair_id"):
        client.jobs.repair_run(run_id, rerun_tasks=["a"], latest_repair_id=1)
    (tmp_path / "a").touch()
    client.jobs.repair_run(run_id, rerun_tasks=["a"], latest_repair_id=first)
    assert _result(_ended(client, run_id)) is RunResultState.SUCCESS


def test_a_repair_uses_the_settings_of_now_and_other_parameters(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    say = [JobParameterDefinition("say", "first")]
    job_id = _job(client, _guarded(tmp_path, "a"), parameters=say)
    run_id = _start(client, job_id)
    _ended(client, run_id)
    settings = client.jobs.get(job_id).settings
    assert settings is not None
    settings.tasks = [_guarded(tmp_path / "..", tmp_path.name)]  # a file that is there
    settings.tasks[0].task_key = "a"
    client.jobs.reset(job_id, settings)
    client.jobs.repair_run(run_id, rerun_tasks=["a"], job_parameters={"say": "other"})
    again = _ended(client, run_id)
    assert _result(again) is RunResultState.SUCCESS
    output = client.jobs.get_run_output((again.tasks or [])[-1].run_id or 0)
    assert output.notebook_output is not None
    assert output.notebook_output.result == "other"
    file = tmp_path.with_name(f"{tmp_path.name}_notebook.py")
    code = file.read_text(encoding="utf-8")
    file.write_text("# Databricks notebook source\n", encoding="utf-8")
    [view] = client.jobs.export_run((again.tasks or [])[-1].run_id or 0).views or []
    assert (view.name, view.type) == (file.stem, ViewType.NOTEBOOK)
    page = str(view.content).encode()
    assert source_of(from_html(page, name="a")).decode().split() == code.split()
    dashboards = client.jobs.export_run(run_id, views_to_export=ViewsToExport.DASHBOARDS)
    assert not dashboards.views


def test_what_cannot_be_repaired_is_refused(client: WorkspaceClient) -> None:
    run_id = _start(client, _job(client, _condition("a"), _condition("b")))
    ended = _ended(client, run_id)
    with pytest.raises(InvalidParameterValue, match="is not of a notebook"):
        client.jobs.export_run((ended.tasks or [])[0].run_id or 0)
    with pytest.raises(InvalidParameterValue, match="multiple tasks"):
        client.jobs.export_run(run_id)
    with pytest.raises(InvalidParameterValue, match="one of the two"):
        client.jobs.repair_run(run_id)
    with pytest.raises(InvalidParameterValue, match="one of the two"):
        client.jobs.repair_run(run_id, rerun_tasks=["a"], rerun_all_failed_tasks=True)
    with pytest.raises(InvalidParameterValue, match="'c', which does not exist"):
        client.jobs.repair_run(run_id, rerun_tasks=["c"])
    with pytest.raises(InvalidParameterValue, match="no task of the run has failed"):
        client.jobs.repair_run(run_id, rerun_all_failed_tasks=True)
    with pytest.raises((InvalidParameterValue, ResourceDoesNotExist), match="does not exist"):
        client.jobs.repair_run(999999, rerun_tasks=["a"])


def test_a_run_in_progress_is_not_repaired(client: WorkspaceClient, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    task = Task(task_key="slow", spark_python_task=SparkPythonTask(python_file=str(slow)))
    run_id = _start(client, _job(client, task))
    with pytest.raises(InvalidParameterValue, match="in progress"):
        client.jobs.repair_run(run_id, rerun_tasks=["slow"])
    client.jobs.cancel_run(run_id)
    assert _result(_ended(client, run_id)) is RunResultState.CANCELED


def test_a_submitted_run_is_repaired_with_its_own_settings(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    notebook = _guarded(tmp_path, "a").notebook_task
    submitted: Any = client.jobs.submit(tasks=[SubmitTask(task_key="a", notebook_task=notebook)])
    run_id = submitted.response.run_id
    assert _result(_ended(client, run_id)) is RunResultState.FAILED
    (tmp_path / "a").touch()
    client.jobs.repair_run(run_id, rerun_all_failed_tasks=True)
    assert _result(_ended(client, run_id)) is RunResultState.SUCCESS
