"""The graph of a job's tasks."""

from __future__ import annotations

from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner.graph import Graph


def task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    """Return a task that waits for `parents`; `a=true` waits for an outcome."""
    edges = [parent.split("=") for parent in parents]
    depends_on = [dict(zip(("task_key", "outcome"), edge, strict=False)) for edge in edges]
    return {"task_key": key, "depends_on": depends_on, **more}


DIAMOND = [task("d", "b", "c"), task("b", "a"), task("c", "a"), task("a")]


def test_a_graph_knows_parents_children_and_leaves() -> None:
    graph = Graph.of(DIAMOND)
    assert graph.parents("d") == ("b", "c")
    assert graph.children("a") == ("b", "c")
    assert graph.leaves() == ("d",)


def test_upstream_and_downstream_reach_all_the_way() -> None:
    graph = Graph.of(DIAMOND)
    assert graph.upstream("d") == {"a", "b", "c"}
    assert graph.downstream("a") == {"b", "c", "d"}
    assert graph.upstream("a") == graph.downstream("d") == set()


def test_the_order_puts_every_task_after_its_parents() -> None:
    graph = Graph.of(DIAMOND)
    order = graph.order()
    assert sorted(order) == ["a", "b", "c", "d"]
    for key in order:
        assert all(order.index(parent) < order.index(key) for parent in graph.parents(key))


def test_a_task_that_is_taken_out_takes_its_edges_along() -> None:
    graph = Graph.of(DIAMOND).without({"d", "a"})
    assert graph.leaves() == ("b", "c")
    assert graph.parents("b") == ()


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (["b"], {"b"}),
        (["+b"], {"a", "b"}),
        (["b+"], {"b", "d"}),
        (["+b+"], {"a", "b", "d"}),
        (["b", "c"], {"b", "c"}),
    ],
)
def test_only_selects_tasks_and_their_surroundings(only: list[str], chosen: set[str]) -> None:
    assert Graph.of(DIAMOND).select(only) == chosen


def test_only_names_the_task_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="'zz'"):
        Graph.of(DIAMOND).select(["+zz"])


def test_a_cycle_is_printed_as_a_path() -> None:
    with pytest.raises(ConfigError, match=r"(a -> b|b -> a) -> (a|b)"):
        Graph.of([task("a", "b"), task("b", "a")])


def test_a_task_that_waits_for_itself_is_a_cycle() -> None:
    with pytest.raises(ConfigError, match="a -> a"):
        Graph.of([task("a", "a")])


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        Graph.of([task("a", "gone"), task("a"), {}, task("b", "a=true"), task("c", "a=maybe")])
    message = str(raised.value)
    assert "task key 'a' is used twice" in message
    assert "task number 3 has no `task_key`" in message
    assert "task 'b' wants an outcome of 'a', no condition task" in message
    assert "task 'c' wants the outcome 'maybe' of 'a'" in message


def test_an_outcome_of_a_condition_is_an_edge() -> None:
    graph = Graph.of([task("a", condition_task={}), task("b", "a=false")])
    assert [edge.outcome for edge in graph.edges["b"]] == ["false"]


def test_an_unknown_parent_is_named() -> None:
    with pytest.raises(ConfigError, match="task 'a' depends on 'gone', which does not exist"):
        Graph.of([task("a", "gone")])
