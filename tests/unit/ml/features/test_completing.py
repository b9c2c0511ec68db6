"""Rows with keys get the features that they do not bring, as in batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from laketop.ml.features import FeatureSpec, ResolvedFunction, ResolvedLookup
from laketop.ml.features.completing import completed

Rows = Mapping[tuple[Any, ...], Mapping[str, Any]]

PLANES: Rows = {("N1",): {"engines": 2, "built": 1999}, ("N2",): {"engines": None, "built": 2004}}
YEARS: Rows = {(1999,): {"age": 14}, (2004,): {"age": 9}}


def find(table: str, keys: Sequence[tuple[Any, ...]]) -> list[Mapping[str, Any] | None]:
    rows = PLANES if table == "planes" else YEARS
    return [rows.get(key) for key in keys]


def lookup(table: str, key: str, *names: str, **options: Any) -> ResolvedLookup:
    keys = {"primary_keys": ("k",), "lookup_key": (key,), "feature_names": names}
    return ResolvedLookup(table=table, version=1, **{**keys, **options})


def spec(*features: ResolvedLookup | ResolvedFunction, **options: Any) -> FeatureSpec:
    return FeatureSpec(
        inputs=("tail",),
        lookups=tuple(x for x in features if isinstance(x, ResolvedLookup)),
        functions=tuple(x for x in features if isinstance(x, ResolvedFunction)),
        outputs=tuple(name for x in features for name in x.outputs),
        **options,
    )


ENGINES = lookup("planes", "tail", "engines")


def test_keys_find_their_rows_and_what_is_missing_is_null() -> None:
    frame = pd.DataFrame({"tail": ["N1", "N2", "N3", None]}, index=[4, 3, 2, 1])
    found = completed(spec(ENGINES), frame, find)
    assert found.columns.tolist() == ["tail", "engines"]
    assert found["engines"].fillna(-1).tolist() == [2, -1, -1, -1]
    assert found.index.tolist() == [4, 3, 2, 1]


def test_a_default_stands_for_null_whether_a_row_was_found_or_not() -> None:
    asked = lookup(
        "planes", "tail", "engines", default_values={"engines": 1}, rename_outputs={"engines": "e"}
    )
    frame = pd.DataFrame({"tail": ["N1", "N2", "N3"]})
    assert completed(spec(asked), frame, find)["e"].tolist() == [2, 1, 1]


def test_what_a_row_brings_is_not_looked_up() -> None:
    frame = pd.DataFrame({"tail": ["N1"], "engines": [7]})

    def never(table: str, keys: Sequence[tuple[Any, ...]]) -> list[Mapping[str, Any] | None]:
        raise AssertionError(table)

    assert completed(spec(ENGINES), frame, never) is frame
    assert completed(spec(ENGINES), frame.drop(columns="tail"), never)["engines"].tolist() == [7]


def test_a_feature_may_be_asked_by_another_and_by_a_field() -> None:
    chain = spec(lookup("years", "built", "age"), lookup("planes", "event.tail", "built"))
    frame = pd.DataFrame({"event": [{"tail": "N1"}, {"tail": None}, {}]})
    found = completed(chain, frame, find)
    assert found.columns.tolist() == ["event", "built", "age"]
    assert found["age"].tolist()[0] == 14
    assert found["age"].isna().tolist() == [False, True, True]


def test_the_time_of_asking_is_not_needed_for_the_newest_row() -> None:
    timed = lookup("planes", "tail", "engines", timeseries_column="ts", timestamp_lookup_key="at")
    assert completed(spec(timed), pd.DataFrame({"tail": ["N1"]}), find)["engines"].tolist() == [2]


def test_an_excluded_feature_is_looked_up_only_for_another() -> None:
    built, age = lookup("planes", "tail", "built"), lookup("years", "built", "age")
    frame = pd.DataFrame({"tail": ["N1"]})
    alone = completed(spec(built, ENGINES, exclude_columns=("built",)), frame, find)
    assert alone.columns.tolist() == ["tail", "engines"]
    needed = completed(spec(built, age, exclude_columns=("built",)), frame, find)
    assert needed["age"].tolist() == [14]


def test_a_key_that_is_not_there_and_a_function_are_told() -> None:
    with pytest.raises(ValueError, match=r"lack the columns \['tail'\]"):
        completed(spec(ENGINES), pd.DataFrame({"x": [1]}), find)
    twice = ResolvedFunction(udf_name="m.s.twice", output_name="two", input_bindings={"x": "x"})
    frame = pd.DataFrame({"x": [1]})
    with pytest.raises(ValueError, match=r"'two' is made by the function 'm.s.twice'.* send"):
        completed(spec(twice), frame, find)
    assert completed(spec(twice), frame.assign(two=[2]), find)["two"].tolist() == [2]
