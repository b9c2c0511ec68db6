"""sql tasks on the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.integration.runner.conftest import Run
from tests.repositories import git_source_of

from laketop.errors import ConfigError, Refused
from laketop.runner.tasks.sql import SqlTask


def test_the_statements_of_a_file_run_with_parameters_and_its_rows_are_its_output(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "totals.sql"
    file.write_text(
        "-- what is left\n"
        "CREATE OR REPLACE TEMPORARY VIEW found AS\n"
        "SELECT * FROM VALUES (1, 'a;b'), (2, 'c') t(n, s);\n"
        "SELECT n, s, :who AS who, '{{day}}' AS day, DATE'2013-01-01' AS d FROM found\n"
        "WHERE n >= CAST(:least AS INT) ORDER BY n\n",
        encoding="utf-8",
    )
    parameters = {"who": "own", "least": "1", "day": "monday"}
    settings = {"warehouse_id": "w", "file": {"path": str(file)}, "parameters": parameters}
    outcome, log = run(SqlTask(), {"sql_task": settings}, job_parameters={"who": "job"})
    assert outcome.error is None
    assert outcome.output["rows"] == [
        {"n": 1, "s": "a;b", "who": "job", "day": "monday", "d": "2013-01-01"},
        {"n": 2, "s": "c", "who": "job", "day": "monday", "d": "2013-01-01"},
    ]
    assert "a;b" in log


def test_a_file_comes_from_the_repository_of_its_job(run: Run, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "sql").mkdir(parents=True)
    (repository / "sql" / "one.sql").write_text("SELECT 1 AS of_git", encoding="utf-8")
    settings = {"file": {"path": "sql/one.sql"}}
    outcome, _ = run(SqlTask(), {"sql_task": settings, "git_source": git_source_of(repository)})
    assert outcome.error is None
    assert outcome.output["rows"] == [{"of_git": 1}]


def test_a_statement_that_fails_fails_the_task_with_its_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.sql").write_text("SELECT * FROM main.default.nowhere", encoding="utf-8")
    settings = {"file": {"path": str(tmp_path / "bad.sql")}}
    outcome, _ = run(SqlTask(), {"sql_task": settings})
    assert outcome.result_state == "FAILED"
    assert "TABLE_OR_VIEW_NOT_FOUND" in (outcome.error or "")


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    outcome, _ = run(SqlTask(), {"sql_task": {"file": {"path": "/nowhere.sql"}}})
    assert "no SQL file named '/nowhere.sql'" in (outcome.error or "")


def test_queries_and_alerts_run_as_they_are_saved(run: Run) -> None:
    query: dict[str, Any] = {
        "query_text": "SELECT CAST(:n AS INT) AS n, current_catalog() AS c, current_schema() AS s",
        "catalog": "main",
        "schema": "default",
        "parameters": [{"name": "n", "numeric_value": {"value": 7}}],
    }
    alert = {
        "id": "a",
        "query_id": "q",
        "condition": {
            "op": "GREATER_THAN",
            "operand": {"column": {"name": "n"}},
            "threshold": {"value": {"double_value": 5}},
        },
    }
    saved = {("query", "q"): query, ("alert", "a"): alert}

    def look_up(kind: str, name: str) -> dict[str, Any]:
        return saved[kind, name]

    outcome, _ = run(SqlTask(), {"sql_task": {"query": {"query_id": "q"}}}, saved=look_up)
    assert outcome.output == {"rows": [{"n": 7, "c": "main", "s": "default"}]}
    of_alert = {"sql_task": {"alert": {"alert_id": "a"}}}
    assert run(SqlTask(), of_alert, saved=look_up)[0].output["alert_state"] == "TRIGGERED"
    given = {"n": "1"}
    outcome, _ = run(SqlTask(), of_alert, saved=look_up, job_parameters=given)
    assert outcome.output["alert_state"] == "OK"


def test_what_is_no_sql_task_is_refused(run: Run) -> None:
    with pytest.raises(Refused, match="dashboard"):
        run(SqlTask(), {"sql_task": {"dashboard": {"dashboard_id": "d"}}})
    with pytest.raises(ConfigError, match="has nothing to run"):
        run(SqlTask(), {"sql_task": {"warehouse_id": "w"}})
    both = {"file": {"path": "/a.sql"}, "query": {"query_id": "q"}}
    with pytest.raises(ConfigError, match="file and query"):
        run(SqlTask(), {"sql_task": both})
