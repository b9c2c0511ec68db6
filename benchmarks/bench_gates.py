"""Every gate on 100,000 rows, against the paired bootstrap alone as a loop over scikit-learn."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from benchmarks.ratios import compare
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from laketop.ml import (
    Contender,
    LabelledRows,
    calibrated,
    compatible_schema,
    documentation,
    evaluate,
    inference_time,
    minimum_auc,
    minimum_slice_auc,
    no_leak,
    no_worse_than_champion,
    repeatable,
    robustness,
    signature,
)

ROWS = 100_000
SAMPLES = 200
MOST_SECONDS = 20.0


def _contender(version: str, noise: float) -> Contender:
    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        x = frame["x"].fillna(0).clip(-9, 9) + noise * frame["noise"].fillna(0).clip(-9, 9)
        return np.asarray(1 / (1 + np.exp(-x)), dtype=float)

    inputs = {"x": "double", "noise": "double", "carrier": "string"}
    return Contender(name="m", version=version, predict=predict, inputs=inputs)


def _rows() -> pd.DataFrame:
    drawn = np.random.default_rng(1)
    x = drawn.normal(size=ROWS)
    return pd.DataFrame(
        {
            "x": x,
            "noise": drawn.normal(size=ROWS),
            "carrier": drawn.choice([f"C{number}" for number in range(16)], ROWS),
            "origin": drawn.choice(["EWR", "JFK", "LGA"], ROWS),
            "late": (drawn.random(ROWS) < 1 / (1 + np.exp(-x))).astype(float),
        }
    )


def main() -> None:
    """Measure, and print the ratio and the seconds of the slowest round."""
    frame = _rows()
    candidate, champion = _contender("2", 0.1), _contender("1", 0.2)
    gates = [
        *(signature(), compatible_schema(), documentation(), no_leak()),
        *(minimum_auc(0.6, rounds=SAMPLES), calibrated(0.1), robustness(), repeatable()),
        minimum_slice_auc(["carrier", "origin"], 0.55, rounds=SAMPLES),
        no_worse_than_champion(0.01, rounds=SAMPLES),
        inference_time(250),
    ]
    took: list[float] = []

    def ours() -> None:
        begin = time.monotonic()
        evaluate(candidate, champion, LabelledRows(frame, label="late", name="r"), gates)
        took.append(time.monotonic() - begin)

    def theirs() -> None:
        drawn, y = np.random.default_rng(0), frame["late"].to_numpy()
        both = [contender.predict(frame) for contender in (candidate, champion)]
        for _ in range(SAMPLES):
            rows = drawn.integers(0, ROWS, ROWS)
            for scores in both:
                roc_auc_score(y[rows], scores[rows])

    compare(
        f"{len(gates)} gates on {ROWS:,} rows ÷ {SAMPLES} paired bootstrap samples of scikit-learn",
        ours,
        theirs,
        rounds=3,
        goal=1.0,
    )
    print(f"slowest round {max(took):.1f} s, goal at most {MOST_SECONDS:g} s", flush=True)


if __name__ == "__main__":
    main()
