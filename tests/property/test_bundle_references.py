"""Whatever refers to whatever: resolution ends, is stable, and keeps places."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laketop.bundle.nodes import Node, Place, leaves, node_of, plain
from laketop.bundle.problems import Problem, Problems
from laketop.bundle.references import Resolver

NAMES = ["a", "b", "c", "d", "e"]
PIECES = st.one_of(
    st.sampled_from(["x", " ", "$", "{", "}", "${", "{{job.id}}", "${HOME}"]),
    st.sampled_from(NAMES).map(lambda name: f"${{var.{name}}}"),
)
TEXTS = st.lists(PIECES, max_size=4).map("".join)
VARIABLES = st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=5)
PLACE = Place("x.yml", 3, 7)


def resolved(variables: dict[str, Any], value: object) -> tuple[Node, tuple[Problem, ...]]:
    problems = Problems()
    tree = node_of({"variables": {name: {"value": v} for name, v in variables.items()}})
    resolver = Resolver(tree, frozenset({"var"}), problems)
    return resolver.resolve(node_of(value, PLACE), ("value",)), problems.all()


def has_cycle(variables: dict[str, str]) -> bool:
    graph = {
        name: [o for o in NAMES if f"${{var.{o}}}" in text] for name, text in variables.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


@given(VARIABLES, TEXTS)
def test_resolution_always_ends_and_says_whether_it_is_complete(
    variables: dict[str, str], text: str
) -> None:
    made, problems = resolved(variables, text)
    assert isinstance(made.value, str)
    for problem in problems:
        assert "cycle" in problem.message or "does not exist" in problem.message
        if "cycle" in problem.message:
            assert has_cycle(variables)
            chain = problem.message.partition(": ")[2].split(" -> ")
            assert chain[0] == chain[-1]
            assert len(set(chain)) == len(chain) - 1


@given(VARIABLES)
def test_a_cycle_is_found_exactly_where_there_is_one(variables: dict[str, str]) -> None:
    everything = [f"${{var.{name}}}" for name in variables]
    _, problems = resolved(variables, everything)
    assert any("cycle" in problem.message for problem in problems) is has_cycle(variables)


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["x", "", "y z"])), TEXTS)
def test_resolving_what_is_resolved_changes_nothing(variables: dict[str, str], text: str) -> None:
    once, problems = resolved(variables, text)
    if not problems and "${var" not in once.text:
        assert resolved(variables, once.text)[0] == once


@given(VARIABLES, st.recursive(TEXTS, lambda t: st.lists(t) | st.dictionaries(st.just("k"), t)))
def test_every_leaf_stays_where_it_stood(variables: dict[str, str], value: object) -> None:
    made, _ = resolved(variables, value)
    before = [path for path, _ in leaves(node_of(value))]
    assert [path for path, _ in leaves(made)] == before
    assert {leaf.place for _, leaf in leaves(made)} <= {PLACE}


@given(st.recursive(st.one_of(st.integers(), st.booleans(), st.none()), st.lists))
def test_a_whole_reference_has_the_value_and_its_type(value: object) -> None:
    made, problems = resolved({"a": value}, "${var.a}")
    assert (plain(made), problems) == (value, ())
