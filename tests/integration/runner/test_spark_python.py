from __future__ import annotations

from pathlib import Path

from tests.integration.runner.conftest import Run

from laketop.runner.tasks.spark_python import SparkPythonTask

JAR = Path(__file__).parents[3] / "fixtures" / "jars" / "example.jar"


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


def test_a_jar_among_the_libraries_is_there_for_spark(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "spark.udf.registerJavaFunction('twice', 'example.Twice', 'bigint')\n"
        "print('twice 21 is', spark.sql('select twice(21L)').first()[0])\n",
        encoding="utf-8",
    )
    settings = {"python_file": str(tmp_path / "script.py")}
    libraries = [{"jar": str(JAR)}]
    task = {"spark_python_task": settings, "libraries": libraries}
    outcome, log = run(SparkPythonTask(), task)

    assert outcome.error is None
    assert "twice 21 is 42" in log
