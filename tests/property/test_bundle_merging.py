"""Merging two trees is an algebra: these are its laws."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laketop.bundle.merging import merge, merged_by
from laketop.bundle.nodes import Node, Place, leaves, node_of, plain
from laketop.bundle.problems import Problems

KEYS = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["x", "y"]))
MAPS = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=4),
    lambda inner: st.dictionaries(KEYS, st.one_of(SCALARS, inner), max_size=4),
    max_leaves=12,
)
TASKS = st.lists(
    st.fixed_dictionaries(
        {"task_key": st.sampled_from(["a", "b", "c"])},
        optional={"retries": st.integers(0, 3), "tags": st.dictionaries(KEYS, st.integers(0, 3))},
    ),
    max_size=6,
)


def merged(under: object, over: object) -> Any:
    return plain(merge(node_of(under), node_of(over), Problems()))


def of_one_shape(draw_keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return maps in which a key has the same kind of value wherever it stands."""
    return st.fixed_dictionaries(
        {},
        optional={
            "scalar": st.integers(0, 9),
            "map": st.dictionaries(draw_keys, st.integers(0, 9), max_size=3),
            "sequence": st.lists(st.integers(0, 9), max_size=3),
        },
    )


@given(MAPS)
def test_an_empty_map_changes_nothing(tree: dict[str, Any]) -> None:
    assert merged(tree, {}) == tree
    assert merged({}, tree) == tree


@given(MAPS)
def test_laying_a_map_over_itself_changes_nothing(tree: dict[str, Any]) -> None:
    assert merged(tree, tree) == tree


@given(MAPS, MAPS)
def test_laying_the_same_target_over_a_bundle_twice_is_laying_it_once(
    under: dict[str, Any], over: dict[str, Any]
) -> None:
    once = merged(under, over)
    assert merged(once, over) == once


@given(of_one_shape(KEYS), of_one_shape(KEYS), of_one_shape(KEYS))
def test_merging_maps_of_one_shape_is_associative(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@given(MAPS, MAPS)
def test_every_leaf_of_the_upper_tree_that_is_not_null_is_kept(
    under: dict[str, Any], over: dict[str, Any]
) -> None:
    made = merge(node_of(under), node_of(over), Problems())
    for path, leaf in leaves(node_of(over)):
        before = node_of(under).get(*path)
        if leaf.value is not None and (before is None or before.kind not in {"map", "sequence"}):
            found = made.get(*path)
            assert found is None or found.kind == "map" or found.value == leaf.value


@given(MAPS, MAPS)
def test_each_leaf_keeps_the_place_it_came_from(
    under: dict[str, Any], over: dict[str, Any]
) -> None:
    low, high = Place("low.yml", 1, 1), Place("high.yml", 2, 2)
    made = merge(node_of(under, low), node_of(over, high), Problems())
    for path, leaf in leaves(made):
        source = node_of(under, low) if leaf.place == low else node_of(over, high)
        assert source.get(*path) == leaf


@given(TASKS)
def test_a_list_merged_by_key_has_each_key_once_in_the_order_of_coming(
    tasks: list[dict[str, Any]],
) -> None:
    made = plain(merged_by("task_key", node_of(tasks), Problems()))
    assert [task["task_key"] for task in made] == list(
        dict.fromkeys(task["task_key"] for task in tasks)
    )


@given(TASKS)
def test_merging_a_list_by_key_again_changes_nothing(tasks: list[dict[str, Any]]) -> None:
    once = merged_by("task_key", node_of(tasks), Problems())
    assert merged_by("task_key", once, Problems()) == once


@given(TASKS, TASKS)
def test_a_list_may_be_merged_before_or_after_more_is_appended(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    early = Node(
        (*merged_by("task_key", node_of(first), Problems()).elements, *node_of(second).elements)
    )
    late = node_of([*first, *second])
    assert plain(merged_by("task_key", early, Problems())) == plain(
        merged_by("task_key", late, Problems())
    )
