"""A server that is killed at each state of a run: it goes on, with one success of each task."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    Run,
    RunLifeCycleState,
    RunResultState,
    SparkPythonTask,
    Task,
    TaskDependency,
)
from tests.integration.workspace.forking import forking_server

SCRIPT = """\
import pathlib, sys, time
key, folder = sys.argv[1], pathlib.Path(sys.argv[2])
(folder / "began").open("a").write(key)
while not (folder / key).exists():
    time.sleep(0.01)
if key == "e" and (folder / "began").read_text().count("e") == 1:
    sys.exit("once")
"""
PARENTS = {
    "a": "",
    "b": "a",
    "c": "a",
    "d": "bc",
    "e": "d",
    "f": "e",
    "g": "e",
    "h": "fg",
    "i": "h",
}
TEN = {**PARENTS, "j": "i"}
SCRIPTS = "abcej"
"""The others compare two texts."""
FINAL = (RunLifeCycleState.TERMINATED, RunLifeCycleState.INTERNAL_ERROR)
HOUR_MS = 3_600_000


class Server:
    """The server that is alive now, and what can be done to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._take_next()

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._take_next()

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def _take_next(self) -> None:
        assert self._process.stdout is not None
        pid, port, token = self._process.stdout.readline().split()
        self._pid = int(pid)
        self.client = WorkspaceClient(host=f"http://127.0.0.1:{port}", token=token)


def ten_tasks(folder: Path) -> list[Task]:
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    tasks = []
    for key, above in TEN.items():
        more: dict[str, Any] = {"max_retries": -1}
        if key in SCRIPTS:
            more["spark_python_task"] = SparkPythonTask(str(script), [key, str(folder)])
        else:
            more = {"condition_task": ConditionTask(ConditionTaskOp.EQUAL_TO, "1", "1")}
        if key == "e":
            more["min_retry_interval_millis"] = HOUR_MS
        tasks.append(Task(task_key=key, depends_on=[TaskDependency(up) for up in above], **more))
    return tasks


def until(is_so: Any) -> None:
    end = time.monotonic() + 300
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def states(run: Run) -> set[tuple[str, str]]:
    return {
        (task.task_key, task.state.life_cycle_state.value)
        for task in run.tasks or ()
        if task.state is not None and task.state.life_cycle_state is not None
    }


def is_final(run: Run) -> bool:
    return run.state is not None and run.state.life_cycle_state in FINAL


@pytest.fixture
def began(tmp_path: Path) -> Path:
    file = tmp_path / "began"
    file.touch()
    return file


def test_a_run_of_ten_tasks_is_killed_at_each_state_and_succeeds(
    tmp_path: Path, began: Path
) -> None:
    with forking_server(tmp_path, 6) as process:
        server = Server(process)
        job_id = server.client.jobs.create(name="ten", tasks=ten_tasks(tmp_path)).job_id
        assert job_id is not None
        run_id = int(server.client.jobs.run_now(job_id).run_id)
        server.kill()  # all is BLOCKED, PENDING or just RUNNING
        until(lambda: "a" in began.read_text())
        server.kill()  # the first is RUNNING
        (tmp_path / "a").touch()
        until(lambda: {"b", "c"} <= set(began.read_text()))
        server.kill()  # two are RUNNING
        for key in "bce":
            (tmp_path / key).touch()
        waiting = ("e", "WAITING_FOR_RETRY")
        until(lambda: waiting in states(server.client.jobs.get_run(run_id)))
        server.kill()
        assert waiting in states(server.client.jobs.get_run(run_id))
        move = {"by_ms": HOUR_MS}
        server.client.api_client.do("POST", "/api/laketop/1/clock/advance", body=move)
        until(lambda: "j" in began.read_text())
        server.kill()  # the last is RUNNING
        (tmp_path / "j").touch()
        until(lambda: is_final(server.client.jobs.get_run(run_id)))
        run = server.client.jobs.get_run(run_id)
        server.stop()
    assert run.state is not None
    assert run.state.result_state is RunResultState.SUCCESS
    ended = [(one.task_key, one.state.result_state) for one in run.tasks or () if one.state]
    good = Counter(key for key, result in ended if result is RunResultState.SUCCESS)
    assert good == dict.fromkeys(TEN, 1)
    assert began.read_text().count("e") == 2  # the kill cost no retry, and gave none
    assert sum(key in SCRIPTS for key, _ in ended) >= len(began.read_text())  # all is written down


def test_a_run_that_is_killed_while_it_is_canceled_ends_and_does_not_go_on(
    tmp_path: Path, began: Path
) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SCRIPT
    with forking_server(tmp_path, 2) as process:
        server = Server(process)
        tasks = ten_tasks(tmp_path)
        (tmp_path / "script.py").write_text(deaf, encoding="utf-8")
        job_id = server.client.jobs.create(name="ten", tasks=tasks).job_id
        assert job_id is not None
        run_id = int(server.client.jobs.run_now(job_id).run_id)
        until(began.read_text)
        server.client.jobs.cancel_run(run_id)
        until(lambda: ("a", "TERMINATING") in states(server.client.jobs.get_run(run_id)))
        server.kill()
        run = server.client.jobs.get_run(run_id)
        server.stop()
    assert run.state is not None
    assert run.state.life_cycle_state is RunLifeCycleState.INTERNAL_ERROR
    assert began.read_text() == "a"
