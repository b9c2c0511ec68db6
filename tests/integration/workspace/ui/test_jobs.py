"""Jobs and lists of runs, looked at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    CronSchedule,
    PauseStatus,
    Task,
    TaskDependency,
)
from tests.integration.workspace.ui.conftest import HOSTILE, Look

from laketop.workspace.ui.pages.jobs import when

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def _task(key: str, *after: str) -> Task:
    condition = ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1")
    depends = [TaskDependency(task_key=one) for one in after]
    return Task(task_key=key, condition_task=condition, depends_on=depends or None)


@pytest.fixture(scope="module")
def job_id(client: WorkspaceClient) -> int:
    made = client.jobs.create(
        name=HOSTILE,
        description=HOSTILE,
        tasks=[_task("ingest"), _task("train", "ingest"), _task("score", "train")],
        schedule=CronSchedule("0 0 6 * * ?", "UTC", PauseStatus.PAUSED),
        tags={"team": HOSTILE},
    )
    assert made.job_id
    return made.job_id


def test_a_job_is_listed_with_what_starts_it_and_how_it_ran_last(
    look: Look, client: WorkspaceClient, job_id: int
) -> None:
    run = client.jobs.run_now(job_id).result()
    page = look("/jobs")
    assert HOSTILE in page.text
    assert "0 0 6 * * ? UTC (paused)" in page.text
    assert f"/jobs/{job_id}" in page.links
    assert f"/jobs/{job_id}/runs/{run.run_id}" in page.links


def test_a_job_shows_its_graph_its_runs_and_its_settings(
    look: Look, client: WorkspaceClient, job_id: int
) -> None:
    run = client.jobs.run_now(job_id).result()
    page = look(f"/jobs/{job_id}")
    assert page.html.count('class="edge') == 2
    assert f"/jobs/{job_id}/runs/{run.run_id}" in page.links
    assert "success" in page.text
    settings = look(f"/jobs/{job_id}?tab=settings")
    assert '"quartz_cron_expression": "0 0 6 * * ?"' in settings.text


def test_runs_are_listed_by_pages(look: Look, client: WorkspaceClient, job_id: int) -> None:
    for _ in range(26):
        client.jobs.run_now(job_id).result()
    first = look(f"/jobs/{job_id}")
    older = next(address for address in first.links if "page=" in address)
    second = look(older)

    def listed(html: str) -> set[str]:
        return set(re.findall(r"<td><a href=\"(/jobs/\d+/runs/\d+)\"", html))

    assert len(listed(first.html)) == 25
    assert listed(second.html)
    assert not listed(first.html) & listed(second.html)
    assert f"/jobs/{job_id}" in second.links
    assert len(listed(look("/jobs/runs").html)) == 25
    assert not listed(look("/jobs/runs?tab=active").html)
    assert listed(look("/jobs/runs?tab=completed").html)


def test_a_page_number_that_is_none_is_the_first_page(look: Look, job_id: int) -> None:
    assert look(f"/jobs/{job_id}?page=%27x%27&tab=%3Cb%3E").status == 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ""),
        ({"trigger": {"periodic": {"interval": 2, "unit": "HOURS"}}}, "every 2 hours"),
        ({"trigger": {"file_arrival": {"url": "/Volumes/x"}}}, "file arrival"),
        ({"continuous": {"pause_status": "PAUSED"}}, "continuous (paused)"),
    ],
)
def test_what_starts_a_job_is_said_in_words(settings: dict[str, object], said: str) -> None:
    assert when(settings) == said
