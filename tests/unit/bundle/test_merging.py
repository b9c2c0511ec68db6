from __future__ import annotations

import pytest

from laketop.bundle.merging import merge, merged_by
from laketop.bundle.nodes import Node, node_of, plain
from laketop.bundle.problems import Problems


@pytest.mark.parametrize(
    ("under", "over", "made"),
    [
        ({"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}, {"a": 1, "b": {"c": 1, "d": 2}}),
        ({"a": [1]}, {"a": [2]}, {"a": [1, 2]}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": "x"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [1]}, {"a": {"b": 1}}, {"a": [1]}),
    ],
)
def test_the_upper_tree_is_laid_over_the_lower(under: object, over: object, made: object) -> None:
    assert plain(merge(node_of(under), node_of(over), Problems())) == made


def test_what_does_not_fit_is_told() -> None:
    problems = Problems()
    merge(node_of({"a": "x", "b": "x", "c": {}}), node_of({"a": [1], "b": {}, "c": 1}), problems)
    assert [(p.severity, p.message) for p in problems.all()] == [
        ("error", "cannot merge string with sequence"),
        ("error", "cannot merge a map with a int"),
        ("warning", "the map replaces the string 'x'"),
    ]


def test_a_reference_over_a_map_waits_for_its_value() -> None:
    under = node_of({"c": {"a": 1}})
    made = merge(under, node_of({"c": "${var.c_${var.x}}"}), Problems())
    assert made.get("c") == Node("${var.c_${var.x}}", beneath=under.get("c"))


def test_elements_of_one_key_are_merged_into_the_first() -> None:
    sequence = node_of([{"k": "a", "x": 1}, {"k": "b"}, {"y": 1}, {"k": "a", "x": 2, "l": [1]}])
    assert plain(merged_by("k", sequence, Problems())) == [
        {"k": "a", "x": 2, "l": [1]},
        {"k": "b"},
        {"y": 1},
    ]
