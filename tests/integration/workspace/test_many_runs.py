"""Many runs at a time and a job of many tasks, by one client and by eight; no task needs a process.

Source: reliability R13.
"""

from __future__ import annotations

import concurrent.futures

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    QueueSettings,
    Run,
    RunResultState,
    Task,
    TaskDependency,
)

RUNS, TASKS = 200, 1_000


def condition(key: str, *needs: str) -> Task:
    return Task(
        task_key=key,
        depends_on=[TaskDependency(task_key=need, outcome="true") for need in needs],
        condition_task=ConditionTask(op=ConditionTaskOp.EQUAL_TO, left="1", right="1"),
    )


def wait_for(client: WorkspaceClient, run_id: int) -> Run:
    client.jobs.wait_get_run_job_terminated_or_skipped(run_id)
    return client.jobs.get_run(run_id)


@pytest.mark.parametrize("callers", [1, 8])
def test_200_runs_that_are_started_at_once_all_end_and_each_is_listed_once(
    client: WorkspaceClient, callers: int
) -> None:
    tasks = [condition("a"), condition("b", "a")]
    job = client.jobs.create(
        name="many", tasks=tasks, max_concurrent_runs=RUNS, queue=QueueSettings(enabled=True)
    )
    job_id = job.job_id or 0
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        started = list(pool.map(lambda _: client.jobs.run_now(job_id).run_id, range(RUNS)))
        ended = list(pool.map(lambda run_id: wait_for(client, run_id), started))
    assert len(set(started)) == RUNS
    states = {run.state.result_state if run.state else None for run in ended}
    assert states == {RunResultState.SUCCESS}
    listed = [run.run_id for run in client.jobs.list_runs(job_id=job_id, limit=25)]
    assert sorted(run_id or 0 for run_id in listed) == sorted(started)


def test_a_job_of_1000_tasks_runs_whole_and_its_run_comes_in_pages(client: WorkspaceClient) -> None:
    # A tree: each task waits for the one at half its number, so that many are ready at a time.
    tasks = [condition(f"t{n}", *([f"t{n // 2}"] if n else [])) for n in range(TASKS)]
    made = client.jobs.create(name="large", tasks=tasks)
    run = client.jobs.run_now(made.job_id or 0)
    ended = wait_for(client, run.run_id)
    found = [task.state.result_state if task.state else None for task in ended.tasks or []]
    assert found == [RunResultState.SUCCESS] * TASKS
    query = {"run_id": run.run_id}
    page = client.api_client.do("GET", "/api/2.2/jobs/runs/get", query=query)
    assert isinstance(page, dict)
    assert len(page["tasks"]) == 100
    assert page["next_page_token"]
