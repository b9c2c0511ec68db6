"""The rows that runs and jobs leave in the system tables."""

from __future__ import annotations

import itertools
from typing import Any

from laketop.workspace import system_tables

HOUR = 3_600_000


def _run(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {
        "run_id": 5,
        "job_id": 3,
        "run_name": "nightly",
        "start_time": start,
        "end_time": end,
        "state": {"result_state": "SUCCESS"},
        "status": {"termination_details": {"code": "SUCCESS"}},
        **more,
    }


def test_a_run_is_cut_at_the_hours_and_its_result_comes_last() -> None:
    rows = [row for _, row in system_tables.run_rows(_run(HOUR // 2, 2 * HOUR + 5), "7")]
    assert [row["result_state"] for row in rows] == [None, None, "SUCCEEDED"]
    for before, after in itertools.pairwise(rows):
        assert before["period_end_time"] == after["period_start_time"]
    assert rows[-1]["termination_code"] == "SUCCESS"


def test_every_row_has_the_columns_of_its_table() -> None:
    task = {"run_id": 6, "task_key": "t", "start_time": 1, "end_time": 2, "state": {}}
    run = _run(1, 2, tasks=[task], job_parameters=[{"name": "a", "value": "b"}])
    job = {"job_id": 3, "settings": {"name": "j", "tags": {"a": "b"}}}
    rows = [*system_tables.run_rows(run, "7"), system_tables.job_row(job, "7", now_ms=1)]
    rows += system_tables.task_rows("3", {}, {"a": []}, workspace_id="7", now_ms=1)
    rows += [system_tables.pipeline_row({"pipeline_id": "p", "spec": {}}, "7", now_ms=1)]
    assert len(rows) == 5
    for name, row in rows:
        for column in row:
            assert f"{column} " in system_tables.TABLES[name], (name, column)


def test_a_job_has_changed_when_what_is_told_of_it_has() -> None:
    job = {"job_id": 3, "settings": {"name": "j", "tasks": []}}
    other = {"job_id": 3, "settings": {"name": "j", "tasks": [1]}}
    assert system_tables.digest(job) == system_tables.digest(other)
    assert system_tables.digest(job) != system_tables.digest({**job, "run_as_user_name": "ann"})
