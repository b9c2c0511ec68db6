"""Every gate on 100,000 rows, against the paired bootstrap alone as a loop over scikit-learn.

The contenders are LightGBM models of 200 trees. `clean_environment` is left out, whose time is that
of an installer.
"""

from __future__ import annotations

import json
import tempfile
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.ratios import compare, judge, run
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from laketop.ml import (
    Contender,
    LabelledRows,
    approval,
    calibrated,
    compatible_schema,
    compliance_tags,
    documentation,
    evaluate,
    fairness,
    inference_time,
    licences,
    minimum_auc,
    minimum_slice_auc,
    no_leak,
    no_worse_than_champion,
    repeatable,
    reproducible,
    robustness,
    signature,
    vulnerabilities,
)

ROWS = 100_000
SAMPLES = 200
MOST_SECONDS = 20.0


def _contender(version: str, rows: pd.DataFrame) -> Contender:
    """Return a model of these rows; a category that it has not seen counts as missing."""
    import lightgbm

    kinds = pd.CategoricalDtype(sorted(rows["carrier"].unique()))

    def coded(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[["x", "noise", "carrier"]].astype(
            {"x": float, "noise": float, "carrier": kinds}
        )

    model = lightgbm.LGBMRegressor(objective="binary", n_estimators=200, n_jobs=1, verbose=-1)
    model.fit(coded(rows), rows["late"])

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict(coded(frame)), dtype=float)

    inputs = {"x": "double", "noise": "double", "carrier": "string"}
    pins = [f"{name}=={metadata.version(name)}" for name in ("numpy", "pandas", "scikit-learn")]
    return Contender(
        name="m",
        version=version,
        predict=predict,
        inputs=inputs,
        tags={"owner": "flights"},
        requirements=tuple(pins),
    )


def _advisories(folder: Path) -> Path:
    """Write a thousand OSV records, none of them of a package that is locked."""
    records = [
        {"id": f"B-{i}", "affected": [{"package": {"name": f"p{i}", "ecosystem": "PyPI"}}]}
        for i in range(1_000)
    ]
    file = folder / "advisories.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    return file


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
    with tempfile.TemporaryDirectory() as folder:
        _measure(_advisories(Path(folder)))


def _measure(advisories: Path) -> None:
    frame = _rows()
    candidate, champion = _contender("2", frame), _contender("1", frame.head(ROWS // 4))
    gates = [
        *(signature(), compatible_schema(), documentation(), no_leak()),
        *(minimum_auc(0.6, rounds=SAMPLES), calibrated(0.1), robustness(), repeatable()),
        minimum_slice_auc(["carrier", "origin"], 0.55, rounds=SAMPLES),
        no_worse_than_champion(0.01, rounds=SAMPLES),
        inference_time(250),
        *(compliance_tags({"owner": ".+"}), licences(), vulnerabilities(advisories)),
        fairness("origin", criterion="predictive_parity", threshold=0.5, limit=0.2),
        *(reproducible(), approval()),
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
    judge("seconds of the slowest round", max(took), goal=MOST_SECONDS)


if __name__ == "__main__":
    run(main)
