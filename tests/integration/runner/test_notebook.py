"""Notebooks in Python and SQL, on a real engine and a real workspace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from databricks.sdk import WorkspaceClient
from tests.integration.runner.conftest import Run

import laketop
from laketop.runner.context import Outcome
from laketop.runner.tasks.notebook import NotebookTask

NOTEBOOKS = Path(laketop.__file__).parents[2] / "fixtures" / "notebooks"


def run_notebook(run: Run, name: str, **parameters: str) -> tuple[Outcome, str]:
    settings = {"notebook_path": str(NOTEBOOKS / name), "base_parameters": parameters}
    return run(NotebookTask(), {"notebook_task": settings})


def test_a_notebook_uses_spark_by_every_injected_name(run: Run) -> None:
    outcome, log = run_notebook(run, "spark_everyday", word="hello")

    assert (outcome.error, outcome.exit_value) == (None, "20")
    for line in (
        "| id|double|",
        "<pyspark.sql.connect.session.SparkSession",
        "|hello|",
        "sqldf: hello",
        "table: 1",
        "same interpreter: True",
        "sc: sc.parallelize is not supported",
    ):
        assert line in log


def test_a_sql_notebook_runs_its_statements_with_widgets(run: Run) -> None:
    outcome, log = run_notebook(run, "report", upto="4")

    assert (outcome.error, outcome.exit_value) == (None, "6")
    assert "|    6|" in log


def test_a_failing_statement_fails_the_task(run: Run, tmp_path: Path) -> None:
    (tmp_path / "it.sql").write_text(
        "-- Databricks notebook source\nselect * from no_such_table", encoding="utf-8"
    )
    outcome, log = run(NotebookTask(), {"notebook_task": {"notebook_path": str(tmp_path / "it")}})

    assert outcome.result_state == "FAILED"
    assert "TABLE_OR_VIEW_NOT_FOUND" in (outcome.error or "")
    assert "JVM" not in (outcome.error or "")
    assert "no_such_table" in log


def test_a_notebook_reads_secrets_and_logs_to_its_own_experiment(
    run: Run, task_environment: Mapping[str, str]
) -> None:
    w = WorkspaceClient(
        host=task_environment["DATABRICKS_HOST"], token=task_environment["DATABRICKS_TOKEN"]
    )
    if "notebooks" not in {scope.name for scope in w.secrets.list_scopes()}:
        w.secrets.create_scope("notebooks")
    w.secrets.put_secret("notebooks", "password", string_value="hunter2-zq")

    outcome, log = run_notebook(run, "workspace_everyday")

    assert outcome.error is None
    assert "secret:[REDACTED]and[REDACTED]" in log.replace(" ", "")
    assert "hunter2-zq" not in log
    assert f"user: {w.current_user.me().user_name}" in log
    assert "no secret:" in log
    logged = w.experiments.get_run(outcome.exit_value or "").run
    assert logged is not None
    assert logged.info is not None
    assert logged.data is not None
    experiment = w.experiments.get_experiment(logged.info.experiment_id or "").experiment
    tags = {tag.key: tag.value for tag in logged.data.tags or []}
    assert experiment is not None
    assert experiment.name == f"/Users/{w.current_user.me().user_name}/workspace_everyday"
    assert tags["mlflow.databricks.notebookPath"] == str(NOTEBOOKS / "workspace_everyday")
    assert tags["mlflow.databricks.jobID"] == "3"
