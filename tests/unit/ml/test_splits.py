"""Splits by time, and the refusal of any other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from laketop.ml import Refused, TimeSplitter, split_at


def hours(count: int) -> pd.DataFrame:
    return pd.DataFrame({"at": pd.date_range("2013-01-01", periods=count, freq="h")})


def test_the_moment_itself_belongs_to_the_later_part() -> None:
    before, after = split_at(hours(10), time="at", at="2013-01-01 04:00")
    assert (len(before), len(after)) == (4, 6)


def test_rows_within_the_gap_are_in_neither_part() -> None:
    before, after = split_at(hours(10), time="at", at="2013-01-01 04:00", gap=timedelta(hours=2))
    assert (len(before), len(after)) == (2, 6)


def test_a_moment_outside_leaves_nothing_to_split() -> None:
    with pytest.raises(ValueError, match="no row lies from 2014"):
        split_at(hours(3), time="at", at="2014-01-01")


@pytest.mark.parametrize("option", ["shuffle", "random_state", "stratify"])
def test_a_random_split_is_refused_by_name(option: str) -> None:
    asked: dict[str, Any] = {option: 7}
    with pytest.raises(Refused, match=rf"a random split \({option}=…\) is not supported"):
        TimeSplitter("at", **asked)


def test_scikit_learn_takes_the_splitter() -> None:
    from sklearn.dummy import DummyRegressor
    from sklearn.model_selection import cross_val_score

    rows = hours(40).assign(x=1.0)
    splitter = TimeSplitter("at", n_splits=3)
    scores = cross_val_score(DummyRegressor(), rows, np.arange(40.0), cv=splitter)
    assert len(scores) == splitter.get_n_splits() == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"x": [1]}), "no column 'at'"),
        (pd.DataFrame({"at": ["2013-01-01", None]}), "1 rows have no 'at'"),
        (pd.DataFrame({"at": ["2013-01-01"] * 9}), "too few moments for 5 splits"),
    ],
)
def test_rows_that_cannot_be_split_by_time_are_an_error(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(TimeSplitter("at").split(rows))
