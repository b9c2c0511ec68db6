"""Task values: JSON, at most 48 KiB, from upstream tasks only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.runner.dbutils.task_values import MAX_BYTES, TaskValues


@pytest.fixture
def values(tmp_path: Path) -> TaskValues:
    return TaskValues({"first": {"rows": 3, "none": None}}, tmp_path / "values.json")


def test_values_are_written_as_they_are_set(values: TaskValues, tmp_path: Path) -> None:
    values.set("a", [1, {"b": None}])
    values.set(key="c", value="text")
    values.set("a", 2)

    assert json.loads((tmp_path / "values.json").read_text()) == {"a": 2, "c": "text"}


def test_values_of_upstream_tasks_are_read_by_position_and_name(values: TaskValues) -> None:
    assert values.get("first", "rows") == 3
    assert values.get(taskKey="first", key="rows", default=0, debugValue="") == 3
    assert values.get("first", "none") is None


def test_the_default_stands_in_for_a_missing_value(values: TaskValues) -> None:
    assert values.get("first", "nope", 7) == 7
    assert values.get("other", "rows", default="") == ""


def test_a_missing_value_without_default_is_an_error(values: TaskValues) -> None:
    with pytest.raises(ValueError, match="'first' has set no value 'nope'"):
        values.get("first", "nope", debugValue=1)
    with pytest.raises(ValueError, match="no task 'other' is upstream"):
        values.get("other", "rows")


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), "x" * MAX_BYTES])
def test_what_is_not_json_or_too_large_is_refused(
    values: TaskValues, tmp_path: Path, value: object
) -> None:
    with pytest.raises(ValueError, match="task value 'a'"):
        values.set("a", value)
    assert not (tmp_path / "values.json").exists()


def test_a_value_of_48_kib_is_accepted(values: TaskValues) -> None:
    values.set("a", "x" * (MAX_BYTES - 2))
