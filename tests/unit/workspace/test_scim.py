"""SCIM's filters, patches and pages."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace import scim

ANN: dict[str, Any] = {
    "id": "1",
    "userName": "Ann@x.io",
    "active": True,
    "emails": [{"value": "ann@x.io"}, {"value": "ann@y.io"}],
    "groups": [{"value": "9", "display": "data"}],
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('userName eq "ann@x.io"', True),
        ('username EQ "ann@x.io"', True),
        ('userName ne "ann@x.io"', False),
        ('userName co "NN@"', True),
        ('userName sw "ann"', True),
        ('userName ew ".com"', False),
        ("active eq true", True),
        ('emails.value eq "ann@y.io"', True),
        ('emails eq "ann@y.io"', True),
        ('groups.display eq "data"', True),
        ("externalId pr", False),
        ("emails pr", True),
        ('userName eq "ben" and active eq true', False),
        ('userName eq "ben" or active eq true', True),
        ('active eq true or userName eq "ben" and userName eq "carl"', True),
        ('displayName eq "a \\"quoted\\" name"', False),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, holds: bool) -> None:
    assert scim.filter_of(text)(ANN) is holds


@pytest.mark.parametrize(
    "text", ["", "userName", "userName is x", 'a eq "b" c eq "d"', '(a eq "b")', 'a eq "b" and']
)
def test_what_is_no_filter_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        scim.filter_of(text)


@given(st.text())
def test_any_text_is_a_filter_or_a_bad_request(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert scim.filter_of(text)(ANN) in {True, False}


def _patched(*operations: dict[str, Any]) -> dict[str, Any]:
    return scim.patched(ANN, operations)


def test_add_joins_lists_and_replace_replaces() -> None:
    new = [{"value": "ann@z.io"}, {"value": "ann@x.io"}]
    added = _patched({"op": "add", "path": "emails", "value": new})
    assert [e["value"] for e in added["emails"]] == ["ann@x.io", "ann@y.io", "ann@z.io"]
    replaced = _patched({"op": "replace", "path": "emails", "value": new})
    assert replaced["emails"] == new
    assert ANN["emails"] == [{"value": "ann@x.io"}, {"value": "ann@y.io"}]


def test_remove_takes_a_value_or_all() -> None:
    one = _patched({"op": "remove", "path": 'emails[value eq "ann@x.io"]'})
    assert one["emails"] == [{"value": "ann@y.io"}]
    by_value = _patched({"op": "remove", "path": "emails", "value": [{"value": "ann@y.io"}]})
    assert by_value["emails"] == [{"value": "ann@x.io"}]
    assert "emails" not in _patched({"op": "remove", "path": "emails"})


def test_an_operation_without_a_path_and_one_with_two_parts() -> None:
    changed = _patched(
        {"op": "Replace", "value": {"active": False}},
        {"op": "replace", "path": "name.givenName", "value": "Ann"},
    )
    assert (changed["active"], changed["name"]) == (False, {"givenName": "Ann"})


@pytest.mark.parametrize(
    "operation",
    [
        5,
        {"op": "move", "path": "x"},
        {"op": "remove"},
        {"op": "add", "path": 5, "value": 1},
        {"op": "replace", "path": "active"},
        {"op": "add", "value": "x"},
        {"op": "add", "path": "emails", "value": "x"},
        {"op": "add", "path": 'emails[value eq "x"]', "value": "x"},
    ],
)
def test_what_is_no_operation_is_refused(operation: Any) -> None:
    with pytest.raises(InvalidParameterValue):
        scim.patched(ANN, [operation])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    op=st.sampled_from(["add", "remove", "replace"]),
    path=st.none() | st.sampled_from(["emails", "active", "name.x", 'emails[value eq "x"]', "a.b"]),
    value=_JSON,
)
def test_any_operation_changes_a_copy_or_is_refused(op: str, path: Any, value: Any) -> None:
    before = repr(ANN)
    with contextlib.suppress(InvalidParameterValue, BadRequest):
        scim.patched(ANN, [{"op": op, "path": path, "value": value}])
    assert repr(ANN) == before


@given(st.integers(-3, 12), st.integers(-3, 12))
def test_pages_hold_what_lies_between(start: int, count: int) -> None:
    found: list[dict[str, Any]] = [{"id": str(n)} for n in range(1, 10)]
    told = scim.page(found, start, count, lambda one: one)
    ids = [int(one["id"]) for one in told["Resources"]]
    first = max(start, 1)
    assert ids == [n for n in range(first, first + max(count, 0)) if n <= 9]
    assert (told["totalResults"], told["startIndex"]) == (9, first)


def test_attributes_choose_and_sorting_sorts() -> None:
    assert set(scim.chosen("userName", None)(ANN)) == {"id", "userName"}
    assert set(scim.chosen(None, "emails, groups.display")(ANN)) == {"id", "userName", "active"}
    ben = {"id": "2", "userName": "ben"}
    assert scim.ordered([ben, ANN], "userName", None) == [ANN, ben]
    assert scim.ordered([ANN, ben], "userName", "descending") == [ben, ANN]
    assert scim.ordered([ben, ANN], None, None) == [ben, ANN]
