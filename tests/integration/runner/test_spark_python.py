from __future__ import annotations

from pathlib import Path

from tests.integration.runner.conftest import Run

from laketop.runner.tasks.spark_python import SparkPythonTask


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
