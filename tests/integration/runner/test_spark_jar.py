from __future__ import annotations

import shutil
from pathlib import Path

from pyspark.sql import SparkSession
from tests.integration.runner.conftest import Run

from laketop.runner.tasks.spark_jar import SparkJarTask

JAR = Path(__file__).parents[3] / "fixtures" / "jars" / "example.jar"


def java() -> Path:
    found = shutil.which("java")
    assert found is not None
    return Path(found)


def test_a_main_class_writes_a_table_with_a_function_of_its_jar(
    run: Run, spark: SparkSession, schema: str
) -> None:
    settings = {
        "main_class_name": "example.Job",
        "parameters": ["write", f"{schema}.twice", "3"],
    }
    of_environment = {
        "environment_key": "e",
        "environments": [{"environment_key": "e", "spec": {"java_dependencies": [str(JAR)]}}],
    }
    outcome, log = run(SparkJarTask(), {"spark_jar_task": settings, **of_environment}, java=java)

    assert outcome.error is None
    assert (outcome.result_state, outcome.exit_code) == ("SUCCESS", 0)
    assert log == "wrote 3 rows\n"
    assert sorted(row.x for row in spark.table(f"{schema}.twice").collect()) == [0, 2, 4]
