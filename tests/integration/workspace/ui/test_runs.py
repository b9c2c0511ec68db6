"""One run and its tasks, looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    ForEachTask,
    Run,
    RunLifeCycleState,
    SparkPythonTask,
    Task,
    TaskDependency,
)
from tests.integration.workspace.ui.conftest import HOSTILE, Look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_SCRIPT = """\
import sys
print("\\x1b[31mred\\x1b[0m", sys.argv[1])
print("<script>alert('log')</script>")
sys.exit("it broke <b>here</b>")
"""


@pytest.fixture(scope="module")
def run(client: WorkspaceClient, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run whose task has printed and failed, with one that waited for it."""
    script = tmp_path_factory.mktemp("script") / "script.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    one = ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1")
    tasks = [
        Task(
            task_key="print", spark_python_task=SparkPythonTask(str(script), parameters=[HOSTILE])
        ),
        Task(task_key="after", condition_task=one, depends_on=[TaskDependency("print")]),
    ]
    job = client.jobs.create(name=HOSTILE, tasks=tasks)
    started = client.jobs.run_now(job.job_id or 0)
    with pytest.raises(OperationFailed):
        started.result()
    return client.jobs.get_run(started.run_id)


def _path(address: str | None, host: str) -> str:
    assert address is not None
    assert address.startswith(host)
    return address.removeprefix(host)


def test_the_address_that_clients_print_shows_the_run(look: Look, run: Run, host: str) -> None:
    page = look(_path(run.run_page_url, host))
    assert HOSTILE in page.text
    assert page.html.count('class="node bad"') == 2
    assert "print" in page.text
    assert "upstream failed" in page.text
    assert 'data-changing="yes"' not in page.html


def test_an_attempt_shows_what_it_printed_and_how_it_failed(look: Look, run: Run) -> None:
    task = next(one for one in run.tasks or () if one.task_key == "print")
    page = look(f"/jobs/{run.job_id}/runs/{task.run_id}")
    assert f"red {HOSTILE}" in page.text
    assert "<script>alert('log')</script>" in page.text
    assert "<script>alert('log')" not in page.html
    assert "\x1b" not in page.html
    assert "it broke <b>here</b>" in page.text
    assert f"/jobs/{run.job_id}/runs/{run.run_id}" in page.links
    assert json.dumps(HOSTILE) in page.text


def test_the_whole_log_is_text_whatever_it_holds(look: Look, run: Run, host: str) -> None:
    task = next(one for one in run.tasks or () if one.task_key == "print")
    page = look(f"/jobs/{run.job_id}/runs/{task.run_id}")
    address = next(one for one in page.links if one.endswith("/log"))
    log = look(address)
    assert "<script>alert('log')</script>" in log.html
    assert log.headers["content-type"] == "text/plain; charset=utf-8"
    assert log.headers["x-content-type-options"] == "nosniff"


def test_a_run_with_one_task_shows_its_log(
    look: Look, client: WorkspaceClient, tmp_path: Path
) -> None:
    script = tmp_path / "one.py"
    script.write_text("print('only')", encoding="utf-8")
    task = Task(task_key="one", spark_python_task=SparkPythonTask(str(script)))
    job = client.jobs.create(name="one", tasks=[task])
    run = client.jobs.run_now(job.job_id or 0).result()
    page = look(f"/jobs/{job.job_id}/runs/{run.run_id}")
    assert "only" in page.text
    assert 'class="node ok"' in page.html


def test_the_iterations_of_a_loop_are_listed(look: Look, client: WorkspaceClient) -> None:
    inner = ConditionTask(left="{{input}}", op=ConditionTaskOp.EQUAL_TO, right="1")
    loop = ForEachTask(inputs="[1, 2, 3]", task=Task(task_key="each", condition_task=inner))
    job = client.jobs.create(name="loop", tasks=[Task(task_key="loop", for_each_task=loop)])
    run = client.jobs.run_now(job.job_id or 0).result()
    task = (run.tasks or [])[0]
    page = look(f"/jobs/{job.job_id}/runs/{task.run_id}")
    assert "Iterations" in page.text
    assert page.text.count("for each") <= 2
    assert len([one for one in page.links if "/runs/" in one]) >= 4


def test_a_run_that_goes_on_says_to_look_again(
    look: Look, client: WorkspaceClient, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = tmp_path / "wait.py"
    lines = (f"go = pathlib.Path({str(go)!r})", "while not go.exists():", "    time.sleep(0.02)")
    script.write_text("\n".join(("import pathlib, time", *lines)), encoding="utf-8")
    task = Task(task_key="wait", spark_python_task=SparkPythonTask(str(script)))
    job = client.jobs.create(name="wait", tasks=[task])
    started = client.jobs.run_now(job.job_id or 0)
    while True:
        state = client.jobs.get_run(started.run_id).state
        if state and state.life_cycle_state == RunLifeCycleState.RUNNING:
            break
    page = look(f"/jobs/{job.job_id}/runs/{started.run_id}")
    assert 'data-changing="yes"' in page.html
    assert 'data-changing="yes"' in look("/").html
    go.touch()
    started.result()
    assert 'data-changing="yes"' not in look(f"/jobs/{job.job_id}/runs/{started.run_id}").html
