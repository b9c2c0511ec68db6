from __future__ import annotations

from pathlib import Path

from tests.integration.runner.conftest import Run
from tests.integration.runner.test_spark_jar import JAR, java

from laketop.runner.tasks.spark_submit import SparkSubmitTask


def test_a_main_class_has_the_settings_and_is_told_what_to_use_for_a_spark_context(
    run: Run,
) -> None:
    words = [
        *("--master", "yarn", "--conf", "spark.sql.shuffle.partitions=3"),
        *("--class", "example.Job", str(JAR), "context"),
    ]
    outcome, log = run(SparkSubmitTask(), {"spark_submit_task": {"parameters": words}}, java=java)

    assert (outcome.result_state, outcome.exit_code) == ("FAILED", 1)
    assert outcome.error is not None
    assert "hint: this code speaks Spark Connect" in outcome.error
    assert outcome.error_trace is not None
    assert "at example.Job.main(Job.java" in outcome.error_trace
    assert log.startswith("without effect on the one engine here: --master\npartitions 3\n")
    assert log.endswith(outcome.error_trace)


def test_a_python_file_is_run_as_a_script(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
    words = [str(tmp_path / "script.py"), "--class", "a"]
    outcome, log = run(SparkSubmitTask(), {"spark_submit_task": {"parameters": words}})

    assert (outcome.result_state, log) == ("SUCCESS", "['--class', 'a']\n")
