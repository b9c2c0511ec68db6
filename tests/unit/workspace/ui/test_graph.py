"""Tasks that depend on one another, drawn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.ui.graph import Node, graph, layered


def test_a_task_stands_after_the_last_of_its_parents() -> None:
    assert layered({"d": ["b", "c"], "a": [], "b": ["a"], "c": ["b"]}) == [
        ["a"],
        ["b"],
        ["c"],
        ["d"],
    ]


def test_tasks_stand_near_their_parents() -> None:
    parents = {"a": [], "b": [], "under_b": ["b"], "under_a": ["a"]}
    assert layered(parents) == [["a", "b"], ["under_a", "under_b"]]


def test_a_parent_that_did_not_run_is_left_out() -> None:
    assert layered({"b": ["a"]}) == [["b"]]
    assert "edge" not in graph([Node(key="b", parents=["a"])])


def test_a_circle_is_drawn_all_the_same() -> None:
    drawn = layered({"a": ["b"], "b": ["a"], "c": ["c"]})
    assert sorted(key for layer in drawn for key in layer) == ["a", "b", "c"]


def test_nothing_is_an_empty_drawing() -> None:
    assert "<svg" in graph([])


def test_states_colour_nodes_and_the_edges_that_leave_them() -> None:
    drawn = graph([Node(key="a", tone="bad", href="/jobs/1"), Node(key="b", parents=["a"])])
    assert '<a href="/jobs/1" class="node bad">' in drawn
    assert 'class="edge bad"' in drawn


def test_a_hostile_name_is_text() -> None:
    drawn = graph([Node(key="<script>alert(1)</script>", note="</text><script>")])
    assert "<script" not in drawn


@given(
    st.integers(0, 40).flatmap(
        lambda n: st.lists(st.sets(st.integers(0, n)), min_size=n, max_size=n)
    )
)
def test_every_task_is_there_once_and_after_its_parents(above: list[set[int]]) -> None:
    parents = {str(n): [str(p) for p in sorted(ps) if p < n] for n, ps in enumerate(above)}
    layers = layered(parents)
    level = {key: number for number, layer in enumerate(layers) for key in layer}
    assert sorted(level) == sorted(parents)
    assert sum(len(layer) for layer in layers) == len(parents)
    assert all(level[p] < level[key] for key, ps in parents.items() for p in ps)
