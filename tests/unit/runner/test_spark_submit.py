from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from laketop.errors import ConfigError, Refused
from laketop.runner.tasks.spark_submit import Submission, main_class_of, submission


def test_words_of_spark_submit_are_options_then_a_file_then_its_arguments() -> None:
    words = ["--class", "a.B", "--jars", "/x.jar,/y.jar", "--conf", "k=a=b", "-c", "l=1"]
    words += ["--driver-memory=2g", "--verbose", "/app.jar", "--class", "in"]
    assert submission(words) == Submission(
        file="/app.jar",
        arguments=("--class", "in"),
        main_class="a.B",
        jars=("/x.jar", "/y.jar"),
        confs={"k": "a=b", "l": "1"},
        unused=("--driver-memory", "--verbose"),
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "names no jar or Python file"),
        (["--class", "a.B"], "names no jar or Python file"),
        (["--class"], "'--class' of spark-submit has no value"),
        (["--conf", "k", "/app.jar"], "'k' of spark-submit is not of the form"),
    ],
)
def test_words_that_submit_nothing_are_told(words: list[str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        submission(words)


def test_an_option_that_would_have_to_do_something_here_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="'--packages' of spark-submit"):
        submission(["--packages", "a:b:1", "/app.jar"])


def test_the_main_class_is_that_of_the_manifest_however_long_its_name(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "A: b\r\nMain-Class: long.\r\n name.Of\r\n")
    assert main_class_of(jar) == "long.name.Of"
    jar.write_bytes(b"no jar")
    with pytest.raises(ConfigError, match=r"'a\.jar' names no main class"):
        main_class_of(jar)
