"""Tasks on a real engine and a real workspace: notebooks in Python and SQL, scripts."""

from __future__ import annotations

import sys
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

import laketop
from laketop.runner.context import ChildRun, Outcome, TaskContext, TaskType
from laketop.runner.tasks.notebook import NotebookTask
from laketop.runner.tasks.python_wheel import PythonWheelTask
from laketop.runner.tasks.spark_python import SparkPythonTask

NOTEBOOKS = Path(laketop.__file__).parents[2] / "fixtures" / "notebooks"

Run = Callable[..., tuple[Outcome, str]]


def no_job(_job_id: int, _parameters: object) -> ChildRun:
    raise AssertionError("no task here runs a job")


@pytest.fixture
def run(tmp_path: Path, task_environment: Mapping[str, str]) -> Run:
    directory = tmp_path / ".laketop" / "runs" / "1" / "2"
    directory.mkdir(parents=True)

    def run(kind: TaskType, task: dict[str, Any]) -> tuple[Outcome, str]:
        context = TaskContext(
            run_id=1,
            job_id=3,
            task_run_id=2,
            task_key="it",
            attempt=0,
            task={"task_key": "it", **task},
            job_parameters={},
            task_values={},
            directory=directory,
            environment=task_environment,
            python=Path(sys.executable),
            resolve=Path,
            cancelled=threading.Event(),
            run_job=no_job,
        )
        outcome = kind.run(context.task, context)
        return outcome, (directory / "output.log").read_text(encoding="utf-8")

    return run


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


def test_an_entry_point_of_a_wheel_opens_the_session_itself(run: Run, tmp_path: Path) -> None:
    wheel = tmp_path / "parcel-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "parcel/__init__.py",
            "import sys\n"
            "from pyspark.sql import SparkSession\n"
            "def main():\n"
            "    spark = SparkSession.builder.getOrCreate()\n"
            "    print('rows', spark.range(int(sys.argv[1].partition('=')[2])).count())\n",
        )
        archive.writestr(
            "parcel-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.2\n"
        )
    settings = {"package_name": "parcel", "entry_point": "main", "named_parameters": {"n": "4"}}
    task = {"python_wheel_task": settings, "libraries": [{"whl": str(wheel)}]}
    outcome, log = run(PythonWheelTask(), task)

    assert outcome.error is None
    assert "rows 4" in log


def test_a_script_opens_the_session_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import sys\n"
        "import databricks.sdk\n"
        "from databricks.connect import DatabricksSession\n"
        "from databricks.sdk.runtime import dbutils, display, spark as injected\n"
        "from pyspark.dbutils import DBUtils\n"
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "assert DatabricksSession.builder.serverless().getOrCreate() is spark\n"
        "assert injected.session_id == spark.session_id\n"
        "assert DBUtils(spark) is dbutils\n"
        "assert spark.conf.get('spark.sql.execution.pyspark.python') == sys.executable\n"
        "spark.range(3).display()\n"
        "print('rows', spark.range(3).count(), *sys.argv[1:])\n",
        encoding="utf-8",
    )
    settings = {"python_file": str(tmp_path / "script.py"), "parameters": ["a"]}
    outcome, log = run(SparkPythonTask(), {"spark_python_task": settings})

    assert outcome.error is None
    assert "rows 3 a" in log
