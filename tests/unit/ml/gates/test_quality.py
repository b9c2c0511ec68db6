"""Quality over all rows and in every slice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from laketop.ml import Contender, LabelledRows, minimum_auc, minimum_slice_auc


def test_with_rounds_the_low_end_has_to_reach_the_limit(
    rows: LabelledRows, sound: Contender
) -> None:
    reached = minimum_auc(0.5, rounds=50)(sound, None, rows)
    (measure,) = reached.measures
    assert measure.low is not None
    assert measure.low < measure.measured
    assert reached.measured == measure.low
    assert not minimum_auc(measure.measured, rounds=50)(sound, None, rows).passed


def upside_down_for_ua(rows: LabelledRows, sound: Contender) -> tuple[Contender, LabelledRows]:
    def predict(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        right = sound.predict(frame)
        return np.where(frame["carrier"] == "UA", 1 - right, right)

    frame = rows.features.assign(late=rows.labels)
    frame.loc[frame.index[:50], "carrier"] = "9E"  # too few to tell
    anew = LabelledRows(frame, label="late", name="r")
    return Contender(name="m", version="9", predict=predict), anew


def test_a_slice_that_is_surely_worse_is_named(rows: LabelledRows, sound: Contender) -> None:
    candidate, data = upside_down_for_ua(rows, sound)
    verdict = minimum_slice_auc(["carrier"], 0.6, rounds=50)(candidate, None, data)
    assert not verdict.passed
    assert verdict.reason.startswith("carrier = 'UA': AUC 0.")
    assert verdict.reason.endswith("; 1 slices are too small to tell")
    assert [m.slice for m in verdict.measures] == ["carrier = 'AA'", "carrier = 'UA'"]


def test_sound_slices_pass(rows: LabelledRows, sound: Contender) -> None:
    assert minimum_slice_auc(["carrier"], 0.6, rounds=50)(sound, None, rows).passed


def test_where_no_slice_is_large_enough_nothing_passes(
    rows: LabelledRows, sound: Contender
) -> None:
    verdict = minimum_slice_auc(["carrier"], 0.6, least_rows=10_000)(sound, None, rows)
    assert not verdict.passed
    assert "none was measured" in verdict.reason


def test_an_unknown_slice_is_an_error_that_names_it(rows: LabelledRows, sound: Contender) -> None:
    with pytest.raises(ValueError, match="lack the column 'airline'"):
        minimum_slice_auc(["airline"], 0.6)(sound, None, rows)
