"""What follows `--` in `laketop run KEY -- …`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.cli._arguments import fields_of
from laketop.errors import LaketopError

DECLARED = {"parameters": [{"name": "day", "default": "1"}, {"name": "x", "default": "1"}]}
NAMES = st.from_regex(r"[a-z][a-z_.-]{0,8}", fullmatch=True)


def of(*types: str) -> dict[str, Any]:
    return {"tasks": [{"task_key": str(n), name: {"a": 1}} for n, name in enumerate(types)]}


@given(st.dictionaries(NAMES, st.text(), min_size=1), st.randoms())
def test_each_way_of_writing_a_parameter_says_the_same(given: dict[str, str], random: Any) -> None:
    words: list[str] = []
    for name, value in given.items():
        words += [f"--{name}={value}"] if random.random() < 0.5 else [f"--{name}", value]
    assert fields_of("j", of("notebook_task"), words) == {"notebook_params": given}


def test_parameters_of_a_job_are_those_that_it_declares() -> None:
    job = {**DECLARED, **of("notebook_task", "spark_python_task")}
    assert fields_of("j", job, ["--day", "2"]) == {"job_parameters": {"day": "2"}}
    with pytest.raises(LaketopError, match="no parameter 'dai'") as told:
        fields_of("j", job, ["--dai", "2"])
    assert told.value.hint == "it declares day, x"


@pytest.mark.parametrize("type_", ["spark_python_task", "python_wheel_task"])
def test_python_takes_the_arguments_as_they_are(type_: str) -> None:
    job = of(type_, "condition_task")
    assert fields_of("j", job, ["a", "--b", "c"]) == {"python_params": ["a", "--b", "c"]}


def test_sql_takes_pairs() -> None:
    assert fields_of("j", of("sql_task"), ["--a=b"]) == {"sql_params": {"a": "b"}}


@pytest.mark.parametrize(
    ("job", "words", "said"),
    [
        (of("notebook_task", "spark_python_task"), ["--a", "b"], "not of one kind"),
        (of("run_job_task"), ["--a", "b"], "not of one kind"),
        (of("notebook_task"), ["a"], "'a' is no parameter"),
        (of("notebook_task"), ["--"], "'--' is no parameter"),
        (of("notebook_task"), ["--a"], "'--a' has no value"),
    ],
)
def test_what_no_task_can_take_is_refused(job: dict[str, Any], words: list[str], said: str) -> None:
    with pytest.raises(LaketopError, match=said):
        fields_of("j", job, words)


def test_nothing_given_is_nothing() -> None:
    assert fields_of("j", of("run_job_task"), []) == {}
