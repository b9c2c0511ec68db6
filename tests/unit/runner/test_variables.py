"""Which environment variables a task has: its job's, under what the runtime sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner import variables


def _task(**spec: Any) -> dict[str, Any]:
    entry = {"environment_variables_key": "common", "spec": spec}
    return {
        "task_key": "t",
        "environment_variables_key": "common",
        "environment_variables": [entry],
    }


def test_a_task_that_names_none_has_what_there_is() -> None:
    there = {"PATH": "/bin"}
    assert variables.with_variables({"task_key": "t"}, there, Path) is there


def test_what_the_job_says_counts_more_than_its_files_and_the_runtime_more_than_both(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.env").write_text("# first\nA=1\nB=1\n\nC=1 # no comment\nSPARK_REMOTE=theirs\n")
    (tmp_path / "b.env").write_text('B="2"\nD=2\nE==2\n')
    task = _task(files=["a.env", "b.env"], variables={"D": "3", "PATH": "/theirs", "STAGE": "test"})
    there = {"PATH": "/bin", "SPARK_REMOTE": "sc://x", "STAGE": "of the shell"}
    assert variables.with_variables(task, there, lambda path: tmp_path / path) == {
        "A": "1",
        "B": '"2"',
        "C": "1 # no comment",
        "D": "3",
        "E": "=2",
        "STAGE": "test",
        "PATH": "/bin",
        "SPARK_REMOTE": "sc://x",
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("export A=1", "line 1 of 'x.env' is no environment variable"),
        ("A=1\nB", "line 2 of 'x.env'"),
        ("A=1\u2028x\nB=\0", "line 2 of 'x.env'"),
        ("A=" + "x" * 1023, "line 1 of 'x.env'"),
        ("#" * 32769, "has 32769 bytes"),
        (None, "there is no file 'x.env'"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: str | None, why: str) -> None:
    if content is not None:
        (tmp_path / "x.env").write_text(content)
    with pytest.raises(ConfigError, match=why):
        variables.with_variables(_task(files=["x.env"]), {}, lambda path: tmp_path / path)


def test_a_key_that_the_job_does_not_have_is_told() -> None:
    with pytest.raises(ConfigError, match="names no environment variables of its job: 'other'"):
        variables.with_variables({**_task(), "environment_variables_key": "other"}, {}, Path)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"variables": {"1A": "x"}}, "'1A' cannot be"),
        ({"variables": {"A" * 257: "x"}}, "cannot be"),
        ({"variables": {"A": "x\0y"}}, "A holds a NUL"),
        ({"variables": {"A": "x" * 513}}, "A has more than 512"),
        ({"variables": {f"A{n}": "" for n in range(21)}}, "more than 20"),
        ({"files": ["f"] * 6}, "more than 5 files"),
    ],
)
def test_what_cannot_be_is_refused(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        variables.check([{"environment_variables_key": "common", "spec": spec}])


def test_a_key_twice_is_refused() -> None:
    entry = {"environment_variables_key": "common"}
    variables.check([entry])
    with pytest.raises(ConfigError, match="'common' twice"):
        variables.check([entry, entry])
