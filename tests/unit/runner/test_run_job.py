"""The run_job task; the job that it starts is a function."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laketop.errors import ConfigError
from laketop.runner.context import ChildRun, Outcome, TaskContext
from laketop.runner.tasks.run_job import RunJobTask

if TYPE_CHECKING:
    from collections.abc import Mapping


class Jobs:
    """Starts nothing, answers `result`, remembers what it was asked."""

    def __init__(self, result: str = "SUCCESS", message: str = "") -> None:
        self.asked: tuple[int, dict[str, str]] | None = None
        self.of_tasks: dict[str, Any] = {}
        self._child = ChildRun(run_id=55, result_state=result, message=message)

    def __call__(
        self, job_id: int, parameters: Mapping[str, str], of_tasks: Mapping[str, Any]
    ) -> ChildRun:
        self.asked = (job_id, dict(parameters))
        self.of_tasks = dict(of_tasks)
        return self._child


def run(settings: dict[str, Any], jobs: Jobs, **job_parameters: str) -> Outcome:
    """Run a run_job task with these settings."""
    task = {"task_key": "call", "run_job_task": settings}
    context = TaskContext(
        run_id=1,
        job_id=2,
        task_run_id=3,
        task_key="call",
        attempt=0,
        task=task,
        job_parameters=job_parameters,
        task_values={},
        directory=Path(),
        environment={},
        python=Path(sys.executable),
        resolve=Path,
        cancelled=threading.Event(),
        run_job=jobs,
    )
    return RunJobTask().run(task, context)


def test_the_job_is_started_and_its_run_is_known() -> None:
    jobs = Jobs()
    outcome = run({"job_id": 9, "job_parameters": {"a": "1"}}, jobs)
    assert jobs.asked == (9, {"a": "1"})
    assert outcome == Outcome("SUCCESS", child_run_id=55)


def test_a_parameter_of_the_own_job_beats_one_of_the_task() -> None:
    jobs = Jobs()
    run({"job_id": "9", "job_parameters": {"a": "task", "b": "task"}}, jobs, a="job", c="job")
    assert jobs.asked == (9, {"a": "job", "b": "task", "c": "job"})


@pytest.mark.parametrize(
    ("child", "result"),
    [
        ("SUCCESS_WITH_FAILURES", "SUCCESS"),
        ("FAILED", "FAILED"),
        ("CANCELED", "CANCELED"),
        ("TIMEDOUT", "TIMEDOUT"),
        ("MAXIMUM_CONCURRENT_RUNS_REACHED", "FAILED"),
        ("DISABLED", "FAILED"),
    ],
)
def test_the_result_of_the_child_is_taken_over(child: str, result: str) -> None:
    assert run({"job_id": 9}, Jobs(child)).result_state == result


def test_a_failed_child_is_named_with_its_message() -> None:
    outcome = run({"job_id": 9}, Jobs("FAILED", "Task a failed"))
    assert outcome.error == "run 55 of job 9 ended FAILED: Task a failed"


def test_a_job_id_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nightly'"):
        run({"job_id": "nightly"}, Jobs())


def test_parameters_of_the_tasks_of_the_other_job_are_handed_on() -> None:
    jobs = Jobs()
    run({"job_id": 9, "notebook_params": {"a": "b"}, "python_params": ["x"]}, jobs, c="job")
    assert jobs.asked == (9, {"c": "job"})
    assert jobs.of_tasks == {"notebook_params": {"a": "b"}, "python_params": ["x"]}


def test_parameters_of_a_job_and_of_its_tasks_do_not_mix() -> None:
    with pytest.raises(ConfigError, match="both job_parameters and notebook_params"):
        run({"job_id": 9, "job_parameters": {"a": "1"}, "notebook_params": {"a": "b"}}, Jobs())
