from __future__ import annotations

import pytest

from laketop.bundle.nodes import node_of, plain
from laketop.bundle.problems import Problems
from laketop.bundle.shapes import shaped


def fitted(value: object, type_: str, *, whole: bool = True) -> tuple[object, list[str]]:
    problems = Problems()
    made = shaped(node_of({"x": value}), f"{{{type_}}}", problems, whole=whole)
    node = made.get("x")
    return (None if node is None else plain(node)), [p.message for p in problems.all()]


@pytest.mark.parametrize(
    ("value", "type_", "made"),
    [
        ("2", "int", 2),
        ("-2", "int", -2),
        (2.0, "int", 2),
        ("2.5", "float", 2.5),
        (2, "float", 2.0),
        ("yes", "bool", True),
        ("off", "bool", False),
        (False, "str", "false"),
        (15.4, "str", "15.4"),
        (3.0, "str", "3"),
        ("${resources.jobs.j.id}", "int", "${resources.jobs.j.id}"),
        ("{{job.id}}", "bool", "{{job.id}}"),
        ({"a": 1}, "any", {"a": 1}),
        ({"a": 1}, "{str}", {"a": "1"}),
        ([1, "2"], "[int]", [1, 2]),
        (None, "int", None),
        ("PAUSED", "PauseStatus", "PAUSED"),
        ({"enabled": "true"}, "QueueSettings", {"enabled": True}),
        ({"task_key": "", "description": ""}, "Task", {"task_key": ""}),
    ],
)
def test_a_value_that_fits_takes_the_type_of_its_field(
    value: object, type_: str, made: object
) -> None:
    assert fitted(value, type_) == (made, [])


@pytest.mark.parametrize(
    ("value", "type_", "message"),
    [
        ("x", "int", "expected an int, found string 'x'"),
        ("2.5", "int", "expected an int, found string '2.5'"),
        (2.5, "int", "expected an int, found float"),
        (True, "int", "expected an int, found bool"),
        (1, "bool", "expected a bool, found int"),
        ("x", "float", "expected a float, found string 'x'"),
        ([], "str", "expected a string, found sequence"),
        ("x", "[str]", "expected a sequence, found string 'x'"),
        ([], "{str}", "expected a map, found sequence"),
        ("x", "Task", "expected a map, found string 'x'"),
        (None, "str", "expected a string value, found null"),
    ],
)
def test_a_value_that_does_not_fit_is_dropped_and_told(
    value: object, type_: str, message: str
) -> None:
    assert fitted(value, type_) == (None, [message])


def test_a_missing_field_is_told_unless_a_part_is_asked_for() -> None:
    assert fitted({}, "QueueSettings")[1] == ['required field "enabled" is not set']
    assert fitted({}, "QueueSettings", whole=False)[1] == []
