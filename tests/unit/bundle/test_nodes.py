from __future__ import annotations

import pytest

from laketop.bundle.nodes import Node, Place, dotted, leaves, node_of, plain, steps


def test_put_makes_the_maps_that_are_missing_and_leaves_the_rest() -> None:
    tree = node_of({"a": [{"b": 1}, {"c": 2}]})
    made = tree.put(("a", 1, "x", "y"), Node(3))
    assert plain(made) == {"a": [{"b": 1}, {"c": 2, "x": {"y": 3}}]}
    assert plain(tree) == {"a": [{"b": 1}, {"c": 2}]}


@pytest.mark.parametrize("path", [("b",), ("a", 2), ("a", 0, "b", "c"), ("a", "b"), (0,)])
def test_get_of_what_is_not_there_is_none(path: tuple[str | int, ...]) -> None:
    assert node_of({"a": [{"b": 1}, 2]}).get(*path) is None


def test_leaves_come_in_order_with_their_paths() -> None:
    tree = node_of({"a": [1, {"b": None}], "c": "x"})
    assert [(dotted(path), node.value) for path, node in leaves(tree)] == [
        ("a[0]", 1),
        ("a[1].b", None),
        ("c", "x"),
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [({}, "map"), ([], "sequence"), ("", "string"), (1, "int"), (True, "bool"), (None, "null")],
)
def test_a_node_has_a_word_for_what_it_is(value: object, kind: str) -> None:
    assert node_of(value).kind == kind


def test_size_and_depth_count_the_tree() -> None:
    tree = node_of({"a": [1, 2], "b": "x" * 1000})
    assert (tree.size, tree.depth) == (15, 3)


def test_what_is_no_plain_value_has_no_place() -> None:
    with pytest.raises(TypeError, match="has no place"):
        node_of(object())


def test_a_place_reads_as_editors_take_it() -> None:
    assert str(Place("a/b.yml", 3, 5)) == "a/b.yml:3:5"


def test_steps_undo_dotted() -> None:
    assert steps("a.b[0][1].c") == ("a", "b", 0, 1, "c")
