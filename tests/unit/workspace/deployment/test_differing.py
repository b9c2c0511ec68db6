from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.deployment.differing import changes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(changes(value, copy.deepcopy(value))) == []


@given(JSON, JSON)
def test_the_other_way_round_the_same_paths_differ(one: Any, other: Any) -> None:
    there = {(change.path, str(change.old), str(change.new)) for change in changes(one, other)}
    back = {(change.path, str(change.new), str(change.old)) for change in changes(other, one)}
    assert there == back


@given(JSON, JSON)
def test_what_is_equal_and_only_that_has_no_changes(one: Any, other: Any) -> None:
    assert bool(list(changes(one, other))) == (_bare(one) != _bare(other))


def _bare(value: Any) -> Any:
    """Return the value as changes see it: without what is None, truths apart from numbers."""
    if isinstance(value, dict):
        return {key: _bare(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_bare(inner) for inner in value]
    return (type(value).__name__, value)


def test_items_are_matched_by_what_names_them() -> None:
    old = [{"task_key": "a", "n": 1}, {"task_key": "b", "n": 1}]
    new = [{"task_key": "b", "n": 2}, {"task_key": "a", "n": 1}]
    assert [(c.path, c.old, c.new) for c in changes(old, new, "tasks")] == [("tasks[b].n", 1, 2)]
