"""In which order features are made, and which columns they ask by."""

from __future__ import annotations

import pytest

from laketop.ml.features import ResolvedFunction, ResolvedLookup
from laketop.ml.features.feature_table import primary_key
from laketop.ml.features.resolving import stages


def lookup(key: str, *, makes: str) -> ResolvedLookup:
    return ResolvedLookup(
        table=f"t_{makes}",
        version=0,
        primary_keys=("k",),
        lookup_key=(key,),
        feature_names=(makes,),
    )


def function(*takes: str, makes: str) -> ResolvedFunction:
    return ResolvedFunction(
        udf_name="f",
        output_name=makes,
        input_bindings={f"a{i}": name for i, name in enumerate(takes)},
    )


def test_features_wait_for_what_they_are_asked_by() -> None:
    last = function("b", "c", makes="d")
    third = lookup("b", makes="c")
    second = function("a", makes="b")
    first = lookup("key", makes="a")
    assert stages([last, third, second, first], ["key"]) == [[first], [second], [third], [last]]


def test_lookups_go_before_functions_and_keep_their_order() -> None:
    early, one, two = function("x", makes="y"), lookup("x", makes="a"), lookup("x", makes="b")
    assert stages([early, one, two], ["x"]) == [[one, two], [early]]


def test_a_field_of_a_struct_is_there_with_the_struct() -> None:
    assert stages([lookup("event.key", makes="a")], ["event"])
    with pytest.raises(ValueError, match=r"\['event.key'\] that 't_a' is asked by"):
        stages([lookup("event.key", makes="a")], ["events"])


def test_features_that_wait_for_each_other_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\['b'\] that 't_a' is asked by"):
        stages([lookup("b", makes="a"), lookup("a", makes="b")], ["key"])


@pytest.mark.parametrize(
    ("columns", "keys", "time"),
    [
        ("a", ("a",), None),
        ("`a`, `b` TIMESERIES", ("a",), "b"),
        ("ts timeseries, a", ("a",), "ts"),
    ],
)
def test_a_primary_key_clause_names_keys_and_time(
    columns: str, keys: tuple[str, ...], time: str | None
) -> None:
    assert primary_key(columns) == (keys, time)
