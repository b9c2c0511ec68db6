from __future__ import annotations

import pytest

from laketop.bundle import references
from laketop.bundle.nodes import Node, Place, node_of, plain
from laketop.bundle.problems import Problems
from laketop.bundle.references import REFERENCE, Resolver, references_in

ROOTS = frozenset({"bundle", "var", "variables"})


def resolved(variables: dict[str, object], value: object) -> tuple[object, list[str]]:
    problems = Problems()
    tree = node_of({"variables": {name: {"value": v} for name, v in variables.items()}})
    made = Resolver(tree, ROOTS, problems).resolve(node_of(value), ("x",))
    return plain(made), [problem.message for problem in problems.all()]


@pytest.mark.parametrize("path", ["var.a", "var.a-b_c1", "bundle.git.branch", "var.ä[0][1].b2"])
def test_a_path_of_segments_is_a_reference(path: str) -> None:
    assert REFERENCE.fullmatch(f"${{{path}}}")


@pytest.mark.parametrize(
    "text", ["${}", "${1a}", "${a-}", "${a..b}", "${a b}", "{{job.id}}", "$(a)", "${a.}", "${_a}"]
)
def test_all_else_is_text(text: str) -> None:
    assert not REFERENCE.search(text)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("${var.n}", 3),
        ("${var.list}", [{"jar": "a"}]),
        ("${var.list[0].jar}", "a"),
        ("<${var.n} ${var.t} ${var.f} ${var.e}>", "<3 true 1.5 >"),
        ("${var.v_${var.which}}", "chosen"),
        ("${variables.n.value}", 3),
        ("${HOME} ${env.x}", "${HOME} ${env.x}"),
        ({"a": ["${var.n}"]}, {"a": [3]}),
    ],
)
def test_a_reference_becomes_its_value(value: object, made: object) -> None:
    variables = {"n": 3, "t": True, "f": 1.5, "e": None, "list": [{"jar": "a"}]}
    assert resolved({**variables, "which": "b", "v_b": "chosen"}, value) == (made, [])


def test_a_chain_of_any_length_is_followed() -> None:
    count = 5000
    chain: dict[str, object] = {f"v{i}": f"${{var.v{i + 1}}}" for i in range(count)}
    assert resolved({**chain, f"v{count}": "end"}, "${var.v0}") == ("end", [])


def test_a_cycle_is_told_as_a_chain_and_once() -> None:
    variables: dict[str, object] = {"a": "${var.b}", "b": "x${var.c}", "c": "${var.a}"}
    made, messages = resolved(variables, ["${var.a}", "${var.b}"])
    assert made == ["${var.a}", "${var.b}"]
    assert messages == ["the references form a cycle: var.a -> var.b -> var.c -> var.a"]


def test_a_map_may_refer_to_its_own_entries_but_not_to_itself() -> None:
    assert resolved({"m": {"a": 1, "b": "${var.m.a}"}}, "${var.m}") == ({"a": 1, "b": 1}, [])
    _, messages = resolved({"m": {"a": "${var.m}"}}, "${var.m}")
    assert messages == ["the references form a cycle: var.m -> var.m"]


def test_what_does_not_exist_is_told_with_near_names() -> None:
    problems = Problems()
    tree = node_of({"variables": {"catalog": {"value": 1}}})
    Resolver(tree, ROOTS, problems).resolve(Node("${var.catalogue}", Place("a.yml", 3, 4)), ("x",))
    (problem,) = problems.all()
    assert str(problem) == "a.yml:3:4: error: reference does not exist: ${var.catalogue}"
    assert problem.hint == "did you mean 'catalog'?"


def test_a_value_stands_where_its_reference_stood() -> None:
    tree = node_of({"variables": {"a": {"value": "x"}}}, Place("variables.yml", 1, 1))
    made = Resolver(tree, ROOTS, Problems()).resolve(Node("${var.a}", Place("job.yml", 7, 7)))
    assert made.place == Place("job.yml", 7, 7)


def test_a_map_cannot_stand_inside_a_text() -> None:
    made, messages = resolved({"m": {"a": 1}}, "x ${var.m}")
    assert made == "x ${var.m}"
    assert messages == ["'${var.m}' is a map, which cannot stand inside a text"]


def test_texts_that_double_are_limited() -> None:
    variables: dict[str, object] = {f"v{i}": f"${{var.v{i + 1}}}" * 2 for i in range(40)}
    _, messages = resolved({**variables, "v40": "xx"}, "${var.v0}")
    assert "the references make too long a text" in messages


def test_maps_that_double_are_limited() -> None:
    variables: dict[str, object] = {f"v{i}": [f"${{var.v{i + 1}}}"] * 2 for i in range(40)}
    _, messages = resolved({**variables, "v40": "x"}, "${var.v0}")
    assert "the references lead to more values than can be held" in messages


def test_a_reference_laid_over_a_map_merges_with_it() -> None:
    tree = node_of({"variables": {"c": {"value": {"a": 2, "b": 2}}}})
    laid = Node("${var.c}", beneath=node_of({"a": 1, "z": "${var.c.b}"}))
    made = Resolver(tree, ROOTS, Problems()).resolve(laid)
    assert plain(made) == {"a": 2, "z": 2, "b": 2}


def test_a_root_that_is_nearly_one_is_doubted() -> None:
    problems = Problems()
    Resolver(node_of({}), ROOTS, problems).resolve(Node("${vars.x} ${spark.y} ${resources.z}"))
    assert [problem.severity for problem in problems.all()] == ["warning"]


def test_references_in_a_text_are_listed_by_their_path() -> None:
    assert references_in("a ${resources.jobs.j.id} {{x}} ${var.l[0]}") == (
        ("resources", "jobs", "j", "id"),
        ("variables", "l", "value", 0),
    )


def test_what_lies_beyond_the_end_does_not_exist() -> None:
    made, messages = resolved({"l": [1], "s": "x"}, ["${var.l[5]}", "${var.s.y}", "${var.l.z}"])
    assert made == ["${var.l[5]}", "${var.s.y}", "${var.l.z}"]
    assert messages == [
        *("reference does not exist: ${var.l[5]}", "reference does not exist: ${var.s.y}"),
        "reference does not exist: ${var.l.z}",
    ]


def test_many_references_to_many_values_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "NODE_LIMIT", 1_000)
    many = [0] * 600
    made, messages = resolved({"v": many}, ["${var.v}", "${var.v}"])
    assert made == ["${var.v}", "${var.v}"]
    assert messages == ["the references lead to more values than can be held"]
