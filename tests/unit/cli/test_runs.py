from __future__ import annotations

from laketop.cli._runs import without_jvm


def test_the_frames_of_the_jvm_are_left_out_of_an_error() -> None:
    lines = [
        "Traceback (most recent call last):",
        "AnalysisException: [CATALOG_NOT_FOUND] The catalog prod not found.",
        "",
        "JVM stacktrace:",
        "\tat org.apache.spark.sql.Dataset.ofRows(Dataset.scala:1)",
        "\t... 3 more",
    ]
    assert without_jvm(lines) == "\n".join(lines[:2])
