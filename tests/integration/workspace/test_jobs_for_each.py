"""for_each tasks, through the official client; the nested tasks need no Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.jobs import (
    ForEachTask,
    PipelineTask,
    RunResultState,
    SparkPythonTask,
    Task,
)
from tests.integration.workspace.test_jobs import _ended, _job, _result, _start, _tasks

if TYPE_CHECKING:
    from pathlib import Path

    from databricks.sdk import WorkspaceClient


def _each(inputs: str, nested: Task, **more: object) -> Task:
    return Task(task_key="each", for_each_task=ForEachTask(inputs=inputs, task=nested, **more))  # type: ignore[arg-type]  # concurrency alone


def test_iterations_run_show_up_and_leave_their_output(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    script = tmp_path / "one.py"
    script.write_text("import sys\nprint('said', sys.argv[1])\nassert sys.argv[1] != 'bad'\n")
    python = SparkPythonTask(python_file=str(script), parameters=["{{input}}"])
    nested = Task(task_key="one", spark_python_task=python)
    job_id = _job(client, _each('["good", "bad"]', nested, concurrency=2))
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.FAILED
    each = _tasks(run)["each"]
    assert each.for_each_task.stats.task_run_stats.failed_iterations == 1
    assert each.for_each_task.stats.task_run_stats.succeeded_iterations == 1
    whole = client.jobs.get_run(each.run_id)
    assert [task.task_key for task in whole.tasks or []] == ["each"]
    good, bad = whole.iterations or []
    assert good.task_key == bad.task_key == "one"
    assert good.run_id is not None
    assert client.jobs.get_run_output(good.run_id).logs == "said good\n"
    assert bad.run_id is not None
    assert "AssertionError" in (client.jobs.get_run_output(bad.run_id).error or "")
    assert _result(client.jobs.get_run(bad.run_id)) is RunResultState.FAILED


def test_what_cannot_be_repeated_is_refused_by_name(client: WorkspaceClient) -> None:
    nested = Task(task_key="one", pipeline_task=PipelineTask(pipeline_id="p"))
    with pytest.raises(NotServed, match="'pipeline' of task 'one'"):
        client.jobs.run_now(_job(client, _each("[]", nested)))
    with pytest.raises(InvalidParameterValue, match="repeats a for_each task"):
        client.jobs.run_now(_job(client, _each("[]", _each("[]", nested))))
