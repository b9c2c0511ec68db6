"""Whatever the rows and their order: nothing is learned from what comes later."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from laketop.ml import TimeSplitter


@given(
    minutes=st.lists(st.integers(0, 500), min_size=1, max_size=60),
    n_splits=st.integers(1, 6),
    gap=st.integers(0, 60),
)
def test_training_ends_a_gap_before_the_test_and_every_later_row_is_tested_once(
    minutes: list[int], n_splits: int, gap: int
) -> None:
    times = pd.Timestamp("2013-01-01") + pd.to_timedelta(minutes, "min")
    rows = pd.DataFrame({"at": times})
    splitter = TimeSplitter("at", n_splits=n_splits, gap=timedelta(minutes=gap))
    try:
        parts = list(splitter.split(rows))
    except ValueError:
        assume(False)
    assert len(parts) == n_splits
    for train, test in parts:
        assert times[train].max() + timedelta(minutes=gap) < times[test].min()
    tested = np.concatenate([test for _, test in parts])
    assert len(set(tested)) == len(tested)
    assert set(tested) == set(np.flatnonzero(times >= times[parts[0][1]].min()))
