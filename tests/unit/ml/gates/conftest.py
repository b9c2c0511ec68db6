"""Rows about flights, and a sound candidate to spoil."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from laketop.ml import Contender, LabelledRows


def probability(frame: pd.DataFrame) -> NDArray[np.float64]:
    x = frame["delay"].fillna(0).clip(-50, 50).to_numpy(dtype=float)
    return np.asarray(1 / (1 + np.exp(-x)), dtype=float)


@pytest.fixture(scope="session")
def rows() -> LabelledRows:
    drawn = np.random.default_rng(3)
    size = 4000
    delay = drawn.normal(size=size)
    frame = pd.DataFrame(
        {
            "delay": delay,
            "carrier": drawn.choice(["AA", "UA"], size),
            "late": (drawn.random(size) < 1 / (1 + np.exp(-delay))).astype(float),
        }
    )
    frame["arr_delay"] = 60 * frame["late"] + drawn.normal(size=size)
    return LabelledRows(frame, label="late", name="2013-04")


@pytest.fixture(scope="session")
def sound() -> Contender:
    return Contender(
        name="m",
        version="2",
        predict=probability,
        inputs={"delay": "double", "carrier": "string"},
        tags={"owner": "flights", "intended_use": "plan gates", "personal_data": "none"},
        description="The probability of a late arrival, two hours before departure.",
        author="ann",
        requirements=("numpy==2.0.0", "pandas==2.2.0"),
    )
