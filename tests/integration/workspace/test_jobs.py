"""Jobs and their runs, through the official client; the tasks need no Spark."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, OperationFailed, ResourceDoesNotExist
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.compute import Environment
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    CronSchedule,
    JobEmailNotifications,
    JobEnvironment,
    JobEnvironmentVariables,
    JobEnvironmentVariablesSpec,
    JobParameterDefinition,
    JobSettings,
    PauseStatus,
    PipelineParams,
    PipelineTask,
    QueueSettings,
    ResolvedConditionTaskValues,
    Run,
    RunJobTask,
    RunLifeCycleState,
    RunResultState,
    SparkPythonTask,
    SubmitTask,
    Task,
    TaskDependency,
)
from hypothesis import settings
from tests.integration.processes import is_running
from tests.integration.workspace.conftest import serving
from tests.integration.workspace.forking import forking_server

from laketop.cli import _runs
from laketop.cli._silence import SILENT_SECONDS
from laketop.workspace.daemon import Contact
from laketop.workspace.workspace import Workspace

if TYPE_CHECKING:
    from tests.integration.workspace.conftest import Served

_SECONDS = 300


def _condition(key: str, left: str = "1", right: str = "1", **more: Any) -> Task:
    condition = ConditionTask(left=left, op=ConditionTaskOp.EQUAL_TO, right=right)
    return Task(task_key=key, condition_task=condition, **more)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script.py"


def _python(file: Path, source: str, *parameters: str, key: str = "main", **more: Any) -> Task:
    """Return a task that runs `source`, which needs nothing but the standard library."""
    file.write_text(source)
    task = SparkPythonTask(python_file=str(file), parameters=list(parameters))
    return Task(task_key=key, spark_python_task=task, **more)


def _job(client: WorkspaceClient, *tasks: Task, **more: Any) -> int:
    job_id = client.jobs.create(name="job", tasks=list(tasks), **more).job_id
    assert job_id is not None
    return job_id


def _start(client: WorkspaceClient, job_id: int, **more: Any) -> int:
    run_id = client.jobs.run_now(job_id, **more).run_id
    assert isinstance(run_id, int)
    return run_id


def _ended(client: WorkspaceClient, run_id: int) -> Run:
    end = time.monotonic() + _SECONDS
    while True:
        run = client.jobs.get_run(run_id)
        assert run.state is not None
        if run.state.life_cycle_state in {
            RunLifeCycleState.TERMINATED,
            RunLifeCycleState.SKIPPED,
            RunLifeCycleState.INTERNAL_ERROR,
        }:
            return run
        assert time.monotonic() < end, run.state


def _result(run: Run) -> RunResultState | None:
    assert run.state is not None
    return run.state.result_state


def _tasks(run: Run) -> dict[str, Any]:
    return {task.task_key: task for task in run.tasks or []}


def _until(is_so: Any) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- jobs ---


def test_a_job_is_returned_with_its_settings_as_they_were_sent(client: WorkspaceClient) -> None:
    settings = JobSettings(
        name="as sent",
        tasks=[_condition("a"), _condition("b", depends_on=[TaskDependency("a", "true")])],
        parameters=[JobParameterDefinition("day", "monday")],
        max_concurrent_runs=3,
        tags={"team": "ml"},
        timeout_seconds=60,
    )
    job_id = client.jobs.create(**settings.as_shallow_dict()).job_id
    assert job_id is not None
    job = client.jobs.get(job_id)
    assert job.settings is not None
    assert job.settings.as_dict() == settings.as_dict()
    assert job.creator_user_name == job.run_as_user_name == "me@laketop.local"
    assert job.created_time is not None


def test_a_job_is_changed_reset_and_deleted(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"), _condition("b"), tags={"x": "1"})
    changed = JobSettings(tasks=[_condition("b", right="2"), _condition("c")], name="new")
    client.jobs.update(job_id, new_settings=changed, fields_to_remove=["tags", "tasks/a"])
    settings = client.jobs.get(job_id).settings
    assert settings is not None
    assert [task.task_key for task in settings.tasks or []] == ["b", "c"]
    assert (settings.name, settings.tags) == ("new", None)
    client.jobs.reset(job_id, new_settings=JobSettings(name="reset"))
    settings = client.jobs.get(job_id).settings
    assert settings is not None
    assert settings.as_dict() == {"name": "reset"}
    client.jobs.delete(job_id)
    with pytest.raises(ResourceDoesNotExist, match=f"Job {job_id} does not exist"):
        client.jobs.get(job_id)


def test_an_omitted_run_as_survives_a_reset(client: WorkspaceClient) -> None:
    body = {"name": "j", "run_as": {"user_name": "ann@laketop.local"}}
    made = client.api_client.do("POST", "/api/2.2/jobs/create", body=body)
    assert isinstance(made, dict)
    client.jobs.reset(made["job_id"], new_settings=JobSettings(name="other"))
    assert client.jobs.get(made["job_id"]).run_as_user_name == "ann@laketop.local"


def test_jobs_are_listed_newest_first_in_pages_and_by_name(client: WorkspaceClient) -> None:
    made = [client.jobs.create(name=f"Paged {n // 2}").job_id for n in range(6)]
    assert [job.job_id for job in client.jobs.list(limit=2)][:6] == made[::-1]
    assert [job.job_id for job in client.jobs.list(name="paged 1")] == [made[3], made[2]]
    assert len(_page(client, "list", limit=100)["jobs"]) >= 6
    for limit in (0, 101):
        with pytest.raises(InvalidParameterValue, match="limit is not from 1 to 100"):
            _page(client, "list", limit=limit)


def _page(client: WorkspaceClient, what: str, **query: Any) -> dict[str, Any]:
    found: Any = client.api_client.do("GET", f"/api/2.2/jobs/{what}", query=query)
    return dict(found)


def test_a_job_with_many_tasks_comes_in_pages(client: WorkspaceClient) -> None:
    job_id = _job(client, *(_condition(f"t{number}") for number in range(250)))
    settings = client.jobs.get(job_id).settings
    assert settings is not None
    assert len(settings.tasks or []) == 250


def test_what_cannot_be_a_job_is_refused(client: WorkspaceClient) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"tasks": [{}]}, "tasks"),
        ({"tasks": [{"task_key": "a"}, {"task_key": "a"}]}, "used twice"),
        ({"tasks": [{"task_key": "a", "depends_on": [{"task_key": "b"}]}]}, "does not exist"),
        ({"tasks": [{"task_key": "a", "depends_on": [{"task_key": "a"}]}]}, "wait for each other"),
        ({"tasks": [{"task_key": "a", "run_if": "NEVER"}]}, "run_if"),
        ({"max_concurrent_runs": 1001}, "max_concurrent_runs"),
        ({"max_concurrent_runs": "many"}, "max_concurrent_runs"),
        ({"tags": {str(n): "" for n in range(26)}}, "25 tags"),
        ({"name": "x" * 4097}, "4096"),
        ({"parameters": [{"name": "a b", "default": ""}]}, "'a b'"),
    ]
    for body, message in refused:
        with pytest.raises(InvalidParameterValue, match=message):
            client.api_client.do("POST", "/api/2.2/jobs/create", body=body)


def test_older_versions_of_the_api_are_the_same_jobs(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"))
    for version in ("2.0", "2.1"):
        path = f"/api/{version}/jobs/get"
        found = client.api_client.do("GET", path, query={"job_id": job_id})
        assert isinstance(found, dict)
        assert found["settings"]["name"] == "job"


# --- runs ---


def test_a_run_succeeds_and_fills_both_spellings(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"), _condition("b", depends_on=[TaskDependency("a")]))
    waiter = client.jobs.run_now(job_id)
    run = _ended(client, waiter.run_id)
    assert _result(run) is RunResultState.SUCCESS
    assert run.status is not None
    assert run.status.termination_details is not None
    assert run.run_page_url == f"{client.config.host}/jobs/{job_id}/runs/{run.run_id}"
    assert run.creator_user_name == "me@laketop.local"
    for task in _tasks(run).values():
        assert task.state.result_state is RunResultState.SUCCESS
        assert task.condition_task.outcome == "true"
        assert task.start_time <= task.end_time


def test_the_waiter_of_the_client_ends(client: WorkspaceClient) -> None:
    run = client.jobs.run_now_and_wait(_job(client, _condition("a")))
    assert _result(run) is RunResultState.SUCCESS


def test_the_branch_not_taken_is_excluded(client: WorkspaceClient) -> None:
    run = client.jobs.run_now_and_wait(
        _job(
            client,
            _condition("ask", right="2"),
            _condition("yes", depends_on=[TaskDependency("ask", "true")]),
            _condition("no", depends_on=[TaskDependency("ask", "false")]),
        )
    )
    tasks = _tasks(run)
    assert tasks["yes"].state.result_state is RunResultState.EXCLUDED
    assert tasks["no"].state.result_state is RunResultState.SUCCESS


def test_the_values_of_references_are_told_when_asked_for(client: WorkspaceClient) -> None:
    job_id = _job(
        client,
        _condition("ask", left="{{job.parameters.day}}", right="monday"),
        _condition("plain", right="2", depends_on=[TaskDependency("ask", "true")]),
        _condition("never", depends_on=[TaskDependency("ask", "false")]),
        parameters=[JobParameterDefinition("day", "monday")],
    )
    run = client.jobs.run_now_and_wait(job_id)
    told = _tasks(client.jobs.get_run(run.run_id or 0, include_resolved_values=True))
    values = {key: task.resolved_values for key, task in told.items()}
    assert values["ask"] is not None
    assert values["ask"].condition_task == ResolvedConditionTaskValues("monday", "monday")
    assert values["plain"] is not None
    assert values["plain"].condition_task is not None
    assert values["plain"].condition_task.right == "2"
    assert values["never"] is None
    assert all(task.resolved_values is None for task in _tasks(run).values())
    condition = told["ask"].condition_task
    assert condition is not None
    assert condition.left == "{{job.parameters.day}}"


def test_a_script_runs_with_its_parameters_and_its_log_is_kept(
    client: WorkspaceClient, token: str, script: Path
) -> None:
    source = "import sys; print('called with', sys.argv[1:])"
    run = _ended(
        client,
        _start(
            client,
            _job(
                client,
                _python(script, source, "{{job.parameters.day}}"),
                parameters=[JobParameterDefinition("day", "monday")],
            ),
            job_parameters={"day": "friday"},
        ),
    )
    assert _result(run) is RunResultState.SUCCESS, run.state
    task_run_id = _tasks(run)["main"].run_id
    output = client.jobs.get_run_output(task_run_id)
    assert output.logs == "called with ['friday']\n"
    assert output.metadata is not None
    assert output.metadata.run_id == task_run_id
    answer = requests.get(
        f"{client.config.host}/api/laketop/1/runs/{task_run_id}/log?offset=7",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.content == b"with ['friday']\n"
    assert answer.headers["x-laketop-next-offset"] == "23"
    assert [(p.name, p.value) for p in run.job_parameters or []] == [("day", "friday")]


def test_a_failed_run_is_an_internal_error_that_names_its_task(
    client: WorkspaceClient, script: Path
) -> None:
    job_id = _job(client, _python(script, "raise ValueError('no luck')"))
    with pytest.raises(OperationFailed, match="Task main failed with message"):
        client.jobs.run_now_and_wait(job_id)
    run = next(client.jobs.list_runs(job_id=job_id, expand_tasks=True))
    assert _result(run) is RunResultState.FAILED  # type: ignore[arg-type]  # a BaseRun will do
    output = client.jobs.get_run_output(_tasks(run)["main"].run_id)  # type: ignore[arg-type]  # as above
    assert "no luck" in (output.error or "")
    assert "ValueError" in (output.logs or "") + (output.error_trace or "")


def test_tasks_that_belong_to_no_job_are_run(client: WorkspaceClient, script: Path) -> None:
    script.write_text("print('once')")
    task = SparkPythonTask(python_file=str(script))
    waiter = client.jobs.submit(
        run_name="once", tasks=[SubmitTask(task_key="main", spark_python_task=task)]
    )
    run = _ended(client, waiter.run_id)
    assert (_result(run), run.run_name) == (RunResultState.SUCCESS, "once")
    assert client.jobs.get_run_output(waiter.run_id).logs == "once\n"
    assert run.job_id not in {job.job_id for job in client.jobs.list()}


def test_a_run_is_canceled_with_its_processes(
    client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    source = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    run_id = _start(client, _job(client, _python(script, source)))
    _until(lambda: mark.exists() and mark.read_text())
    client.jobs.cancel_run(run_id)
    run = _ended(client, run_id)
    assert _result(run) is RunResultState.CANCELED
    assert not is_running(int(mark.read_text()))


def test_a_run_is_canceled_while_the_engine_starts(
    client: WorkspaceClient, workspace: Workspace, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = threading.Event(), threading.Event()

    def environment() -> dict[str, str]:
        asked.set()
        answers.wait(3 * _SECONDS)
        return dict(os.environ)

    monkeypatch.setattr(workspace, "environment_for_tasks", environment)
    try:
        run_id = _start(client, _job(client, _python(script, "print('never')")))
        assert asked.wait(_SECONDS)
        client.jobs.cancel_run(run_id)
        assert _result(_ended(client, run_id)) is RunResultState.CANCELED
        decided = client.jobs.run_now_and_wait(_job(client, _condition("a")))
        assert _result(decided) is RunResultState.SUCCESS
    finally:
        answers.set()


def test_an_unknown_run_does_not_exist(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist, match="Run 999999 does not exist"):
        client.jobs.get_run(999999)
    with pytest.raises(ResourceDoesNotExist, match="Run 999999 does not exist"):
        client.jobs.get_run_output(999999)
    with pytest.raises(InvalidParameterValue, match="Run 999999 does not exist"):
        client.jobs.cancel_run(999999)


def test_the_output_of_a_run_of_many_tasks_is_refused(client: WorkspaceClient) -> None:
    run_id = _start(client, _job(client, _condition("a"), _condition("b")))
    with pytest.raises(InvalidParameterValue, match="multiple tasks is not supported"):
        client.jobs.get_run_output(run_id)


def test_a_task_run_is_a_run_too(client: WorkspaceClient) -> None:
    run = client.jobs.run_now_and_wait(_job(client, _condition("a"), _condition("b")))
    task = client.jobs.get_run(_tasks(run)["b"].run_id)
    assert (_result(task), task.job_run_id) == (RunResultState.SUCCESS, run.run_id)


def test_a_task_type_that_is_not_there_is_refused_by_name_when_it_is_run(
    client: WorkspaceClient,
) -> None:
    pipeline = Task(task_key="q", pipeline_task=PipelineTask(pipeline_id="p"))
    job_id = _job(client, pipeline, _condition("a"))
    with pytest.raises(NotServed, match=r"'pipeline' of task 'q'.*run the other tasks alone"):
        client.jobs.run_now(job_id)
    assert list(client.jobs.list_runs(job_id=job_id)) == []
    assert _result(_ended(client, _start(client, job_id, only=["a"]))) is RunResultState.SUCCESS


def test_parameters_of_other_task_types_are_refused_by_name(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"))
    with pytest.raises(NotServed, match="pipeline_params"):
        client.jobs.run_now(job_id, pipeline_params=PipelineParams(full_refresh=True))
    with pytest.raises(InvalidParameterValue, match="do not mix"):
        client.jobs.run_now(job_id, job_parameters={"a": "1"}, python_params=["x"])


def test_parameters_of_a_script_replace_those_of_its_task(
    client: WorkspaceClient, script: Path
) -> None:
    job_id = _job(client, _python(script, "import sys; print(sys.argv[1:])", "old"))
    run_id = _start(client, job_id, python_params=["new"])
    _ended(client, run_id)
    assert client.jobs.get_run_output(run_id).logs == "['new']\n"


def test_a_task_sees_the_environments_of_its_job_and_they_are_not_shown(
    client: WorkspaceClient, script: Path
) -> None:
    keys = {"environment_key": "default", "environment_variables_key": "common"}
    task = _python(script, "import os; print(os.environ['STAGE'])", **keys)
    environment = JobEnvironment("default", Environment(environment_version="4"))
    variables = JobEnvironmentVariablesSpec(variables={"STAGE": "test"})
    job_id = _job(
        client,
        task,
        environments=[environment],
        environment_variables=[JobEnvironmentVariables("common", variables)],
    )
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.SUCCESS, run.state
    assert client.jobs.get_run_output((run.tasks or [])[0].run_id or 0).logs == "test\n"
    raw = client.api_client.do("GET", "/api/2.2/jobs/runs/get", query={"run_id": run.run_id})
    assert isinstance(raw, dict)
    assert not {"environments", "environment_variables"} & set(raw["tasks"][0])


def test_a_run_that_has_ended_is_deleted_with_what_it_left(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    job_id = _job(client, _condition("a"))
    run_id = _start(client, job_id, idempotency_token="deleted later")
    _ended(client, run_id)
    folder = workspace.state / "runs" / str(run_id)
    assert folder.is_dir()
    client.jobs.delete_run(run_id)
    with pytest.raises(ResourceDoesNotExist):
        client.jobs.get_run(run_id)
    _until(lambda: not folder.exists())
    with pytest.raises(InvalidParameterValue, match="made for this idempotency_token"):
        client.jobs.run_now(job_id, idempotency_token="deleted later")


def test_all_runs_of_a_job_are_canceled_and_an_active_one_is_not_deleted(
    client: WorkspaceClient, script: Path
) -> None:
    job_id = _job(client, _python(script, "import time; time.sleep(60)"))
    first, second = _start(client, job_id), _start(client, job_id)
    with pytest.raises(InvalidParameterValue, match="is active"):
        client.jobs.delete_run(first)
    client.jobs.cancel_all_runs(all_queued_runs=True)
    assert _result(_ended(client, second)) is RunResultState.CANCELED
    client.jobs.cancel_all_runs(job_id=job_id)
    assert _result(_ended(client, first)) is RunResultState.CANCELED
    with pytest.raises(InvalidParameterValue, match="needs a job_id"):
        client.jobs.cancel_all_runs()


def test_notifications_are_written_to_the_outbox(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    who = JobEmailNotifications(on_success=["me@here"], on_failure=["you@here"])
    run_id = _start(client, _job(client, _condition("a"), email_notifications=who))
    _ended(client, run_id)
    outbox = workspace.state / "outbox"
    _until(lambda: list(outbox.glob(f"*-{run_id}-on_success.json")))
    (file,) = outbox.glob(f"*-{run_id}-*.json")
    assert '"me@here"' in file.read_text()


# --- limits, queue, idempotency ---


def _waiting(client: WorkspaceClient, script: Path, gate: Path, **more: Any) -> int:
    source = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    return _job(client, _python(script, source), **more)


def test_runs_beyond_the_limit_queue_and_begin_in_order(
    client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job_id = _waiting(client, script, gate, queue=QueueSettings(enabled=True))
    first, second, third = (_start(client, job_id) for _ in range(3))
    queued = client.jobs.get_run(second)
    assert queued.state is not None
    assert queued.state.life_cycle_state is RunLifeCycleState.QUEUED
    assert queued.state.queue_reason == "Queued due to reaching maximum concurrent runs of 1."
    client.jobs.cancel_run(third)
    assert _result(_ended(client, third)) is RunResultState.CANCELED
    gate.touch()
    ends = [_ended(client, run_id) for run_id in (first, second)]
    assert [_result(run) for run in ends] == [RunResultState.SUCCESS] * 2
    # Each run has a clock of its own, made by reading two others one after the other.
    assert (ends[0].end_time or 0) <= (ends[1].start_time or 0) + 100


def test_runs_beyond_the_limit_are_skipped_without_a_queue(
    client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job_id = _waiting(client, script, gate, queue=QueueSettings(enabled=False))
    first, second = (_start(client, job_id) for _ in range(2))
    third = _start(client, job_id, queue=QueueSettings(enabled=True))
    skipped = _ended(client, second)
    assert skipped.state is not None
    assert skipped.state.life_cycle_state is RunLifeCycleState.SKIPPED
    assert _result(skipped) is RunResultState.MAXIMUM_CONCURRENT_RUNS_REACHED
    gate.touch()
    for run_id in (first, third):
        assert _result(_ended(client, run_id)) is RunResultState.SUCCESS


def test_a_job_that_allows_no_run_skips_every_run(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"), max_concurrent_runs=0)
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.MAXIMUM_CONCURRENT_RUNS_REACHED


def test_raising_the_limit_lets_queued_runs_begin_and_neither_lowering_it_nor_a_pause_ends_any(
    client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    job_id = _waiting(client, script, gate)
    runs = [_start(client, job_id) for _ in range(2)]
    client.jobs.update(job_id, new_settings=JobSettings(max_concurrent_runs=2))
    state = client.jobs.get_run(runs[1]).state
    assert state is not None
    assert state.life_cycle_state is not RunLifeCycleState.QUEUED
    paused = CronSchedule("0 0 0 * * ?", "UTC", pause_status=PauseStatus.PAUSED)
    client.jobs.update(job_id, new_settings=JobSettings(max_concurrent_runs=1, schedule=paused))
    gate.touch()
    for run_id in runs:
        assert _result(_ended(client, run_id)) is RunResultState.SUCCESS


_TOKENS = max(5, settings().max_examples // 20)
"""Source: reliability R4."""
_FOUR_CALLERS = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from databricks.sdk import WorkspaceClient
host, token, job_id = sys.argv[1:]
clients = [WorkspaceClient(host=host, token=token) for _ in range(4)]
barrier = threading.Barrier(4)
def call(client, key):
    barrier.wait()
    return client.jobs.run_now(int(job_id), idempotency_token=key).run_id
print(flush=True)
with ThreadPoolExecutor(4) as threads:
    for line in sys.stdin:
        print(json.dumps([*threads.map(call, clients, [line.strip()] * 4)]), flush=True)
"""


def test_the_same_token_of_eight_callers_in_two_processes_makes_one_run(served: Served) -> None:
    client = served.client
    job_id = _job(client, _condition("a"), max_concurrent_runs=1000)
    order = [sys.executable, "-c", _FOUR_CALLERS, served.host, served.token, str(job_id)]
    with contextlib.ExitStack() as stack:
        callers = [
            stack.enter_context(subprocess.Popen(order, stdin=PIPE, stdout=PIPE, text=True))
            for _ in range(2)
        ]
        for one in callers:
            assert _said_by(one) == "\n"
        for number in range(_TOKENS):
            for one in callers:
                assert one.stdin is not None
                one.stdin.write(f"{job_id}-{number}\n")
                one.stdin.flush()
            found = [run_id for one in callers for run_id in json.loads(_said_by(one))]
            assert (len(found), len(set(found))) == (8, 1)
        for one in callers:
            assert one.stdin is not None
            one.stdin.close()
    assert len(list(client.jobs.list_runs(job_id=job_id))) == _TOKENS


def _said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_token_too_long_is_refused(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"))
    with pytest.raises(InvalidParameterValue, match="64 characters"):
        client.jobs.run_now(job_id, idempotency_token="x" * 65)


def test_runs_are_listed_newest_first_in_pages_and_by_state(client: WorkspaceClient) -> None:
    job_id = _job(client, _condition("a"), max_concurrent_runs=1000)
    made = [_start(client, job_id) for _ in range(5)]
    for run_id in made:
        _ended(client, run_id)
    listed = list(client.jobs.list_runs(job_id=job_id, limit=2))
    assert [run.run_id for run in listed] == made[::-1]
    assert not any(run.tasks for run in listed)
    assert list(client.jobs.list_runs(job_id=job_id, active_only=True)) == []
    assert len(list(client.jobs.list_runs(job_id=job_id, completed_only=True))) == 5
    assert len(_page(client, "runs/list", job_id=job_id, limit=25)["runs"]) == 5
    assert len(_page(client, "runs/list", job_id=job_id, limit=0)["runs"]) == 5  # as many as may be
    with pytest.raises(InvalidParameterValue, match="limit is not from 0 to 25"):
        _page(client, "runs/list", limit=26)
    with pytest.raises(InvalidParameterValue, match="exclude each other"):
        next(client.jobs.list_runs(active_only=True, completed_only=True))


# --- jobs that start jobs ---


def test_a_job_starts_another_and_takes_its_result_over(client: WorkspaceClient) -> None:
    child = _job(client, _condition("a"))
    parent = _job(client, Task(task_key="start", run_job_task=RunJobTask(job_id=child)))
    run = client.jobs.run_now_and_wait(parent)
    assert _result(run) is RunResultState.SUCCESS
    task_run_id = _tasks(run)["start"].run_id
    output = client.jobs.get_run_output(task_run_id).run_job_output
    assert output is not None
    assert output.run_id is not None
    of_child = client.jobs.get_run(output.run_id)
    assert of_child.job_id == child
    assert of_child.trigger is not None
    assert of_child.trigger.value == "RUN_JOB_TASK"
    assert of_child.trigger_info is not None
    assert of_child.trigger_info.run_id == task_run_id


def test_while_a_task_waits_for_a_run_that_it_has_started_both_are_told(
    served: Served, client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    source = (
        f"import os, time\nprint('waits for approval', flush=True)\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    )
    child = _job(client, _python(script, source, key="promote"))
    parent = _job(client, Task(task_key="retrain", run_job_task=RunJobTask(job_id=child)))
    run_id = _start(client, parent)
    try:
        _until(lambda: list(client.jobs.list_runs(job_id=child, active_only=True)))
        (started,) = client.jobs.list_runs(job_id=child)
        output = client.jobs.get_run_output(run_id).run_job_output
        assert output is not None
        assert output.run_id == started.run_id
        contact = Contact(served.host, served.token, "", 0, "", "")
        silence, looks = _runs.silence_of(contact), itertools.count(step=SILENT_SECONDS)
        told: list[str] = []

        def is_told() -> bool:
            told.extend(silence.look(_runs.get(contact, run_id), next(looks)))
            return bool(told)

        _until(is_told)
        assert told == ["  retrain > promote, still running, said last: waits for approval"]
    finally:
        gate.touch()
    ended = _ended(client, run_id)
    assert _result(ended) is RunResultState.SUCCESS
    assert client.jobs.get_run_output(run_id).run_job_output == output


def test_jobs_that_start_each_other_in_a_circle_fail(client: WorkspaceClient) -> None:
    first = _job(client, _condition("a"))
    second = _job(client, Task(task_key="start", run_job_task=RunJobTask(job_id=first)))
    circle = JobSettings(tasks=[Task(task_key="back", run_job_task=RunJobTask(job_id=second))])
    client.jobs.reset(first, new_settings=circle)
    run = _ended(client, _start(client, first))
    assert _result(run) is RunResultState.FAILED
    child = next(client.jobs.list_runs(job_id=second, expand_tasks=True))
    error = client.jobs.get_run_output((child.tasks or [])[0].run_id or 0).error
    assert f"{first} -> {second} -> {first}" in (error or "")


def test_jobs_that_start_each_other_four_levels_deep_are_refused(client: WorkspaceClient) -> None:
    jobs = [_job(client, _condition("a"))]
    for _ in range(4):
        task = Task(task_key="start", run_job_task=RunJobTask(job_id=jobs[-1]))
        jobs.append(_job(client, task))
    *_, third, fourth = jobs
    assert _result(_ended(client, _start(client, third))) is RunResultState.SUCCESS
    assert _result(_ended(client, _start(client, fourth))) is RunResultState.FAILED
    deepest = next(client.jobs.list_runs(job_id=jobs[1], expand_tasks=True))
    error = client.jobs.get_run_output((deepest.tasks or [])[0].run_id or 0).error
    assert "more than 3 levels deep" in (error or "")


def test_parameters_of_tasks_are_handed_on_to_the_job_that_is_started(
    client: WorkspaceClient, script: Path
) -> None:
    child = _job(client, _python(script, "import sys; print(sys.argv[1:])", "old"))
    call = RunJobTask(job_id=child, python_params=["handed on"])
    run = _ended(client, _start(client, _job(client, Task(task_key="start", run_job_task=call))))
    assert _result(run) is RunResultState.SUCCESS
    started = next(client.jobs.list_runs(job_id=child))
    assert client.jobs.get_run_output(started.run_id or 0).logs == "['handed on']\n"


def test_a_job_that_starts_an_unknown_job_fails(client: WorkspaceClient) -> None:
    job_id = _job(client, Task(task_key="start", run_job_task=RunJobTask(job_id=999999)))
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.FAILED
    assert "999999" in (client.jobs.get_run_output(run.run_id or 0).error or "")


def test_canceling_a_run_cancels_what_it_started(
    client: WorkspaceClient, script: Path, tmp_path: Path
) -> None:
    child = _waiting(client, script, tmp_path / "never")
    parent = _job(client, Task(task_key="start", run_job_task=RunJobTask(job_id=child)))
    run_id = _start(client, parent)
    _until(lambda: list(client.jobs.list_runs(job_id=child, active_only=True)))
    client.jobs.cancel_run(run_id)
    assert _result(_ended(client, run_id)) is RunResultState.CANCELED
    child_run = next(client.jobs.list_runs(job_id=child))
    assert _result(_ended(client, child_run.run_id or 0)) is RunResultState.CANCELED


# --- the end of the process ---


def test_shutting_down_leaves_nothing_running(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    source = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with serving(tmp_path, tmp_path / "cache") as served:
        client = served.client
        run_id = _start(client, _job(client, _python(tmp_path / "s.py", source)))
        _until(lambda: mark.exists() and mark.read_text())
    assert not is_running(int(mark.read_text()))
    with serving(tmp_path, tmp_path / "cache") as served:
        assert _result(served.client.jobs.get_run(run_id)) is RunResultState.CANCELED


def test_runs_are_kept_for_sixty_days_of_the_machines_time(tmp_path: Path) -> None:
    day_ms = 86_400_000
    with serving(tmp_path, tmp_path / "cache") as served:
        client = served.client
        old, young = (
            _start(client, _job(client, _python(tmp_path / f"{key}.py", "print(1)")))
            for key in "ab"
        )
        folders = {run_id: served.workspace.state / "runs" / str(run_id) for run_id in (old, young)}
        for run_id, days in ((old, 61), (young, 59)):
            _ended(client, run_id)
            assert folders[run_id].is_dir()
            with served.workspace.store.transaction(write=True):
                served.workspace.store.execute(
                    "UPDATE runs SET more = json_set(more, '$.made_ms',"
                    " json_extract(more, '$.made_ms') - ?) WHERE run_id = ?",
                    (days * day_ms, run_id),
                )
        client.api_client.do("POST", "/api/laketop/1/clock/set", body={"now_ms": 4_000_000_000_000})
    with serving(tmp_path, tmp_path / "cache") as served:
        assert [run.run_id for run in served.client.jobs.list_runs()] == [young]
        with pytest.raises(ResourceDoesNotExist, match="does not exist"):
            served.client.jobs.get_run(old)
        assert [folders[run_id].is_dir() for run_id in (old, young)] == [False, True]


def test_runs_that_a_kill_left_active_are_settled_or_retried(tmp_path: Path) -> None:
    with forking_server(tmp_path, 2) as server:
        assert server.stdout is not None
        pid, port, token = server.stdout.readline().split()
        client = WorkspaceClient(host=f"http://127.0.0.1:{port}", token=token)
        gate = tmp_path / "never"
        job_id = _waiting(client, tmp_path / "s.py", gate)
        active, queued = (_start(client, job_id) for _ in range(2))
        source, began = f"open({str(tmp_path)!r} + '/began', 'a').write('x')", tmp_path / "began"
        source += f"\nimport os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
        again = _python(tmp_path / "r.py", source, max_retries=1)
        after = _condition("after", depends_on=[TaskDependency("main")])
        retried = _start(client, _job(client, again, after))
        done = _start(client, _job(client, _condition("a")))
        _ended(client, done)
        _until(began.exists)
        os.kill(int(pid), signal.SIGKILL)
        pid, port, token = server.stdout.readline().split()
        client = WorkspaceClient(host=f"http://127.0.0.1:{port}", token=token)
        for run_id in (active, queued):
            state = _ended(client, run_id).state
            assert state is not None
            assert state.life_cycle_state is RunLifeCycleState.INTERNAL_ERROR
            assert state.state_message == "laketop stopped while the run was active"
        assert _result(_ended(client, done)) is RunResultState.SUCCESS
        _until(lambda: began.read_text() == "xx")
        gate.touch()
        run = _ended(client, retried)
        assert _result(run) is RunResultState.SUCCESS
        told = [(one.task_key, one.attempt_number, one.state) for one in run.tasks or ()]
        assert [(key, number, state and state.result_state) for key, number, state in told] == [
            ("main", 0, RunResultState.FAILED),
            ("main", 1, RunResultState.SUCCESS),
            ("after", 0, RunResultState.SUCCESS),
        ]
        assert _result(_ended(client, _start(client, job_id))) is RunResultState.SUCCESS
        os.kill(int(pid), signal.SIGKILL)
    with sqlite3.connect(tmp_path / ".laketop/laketop.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
