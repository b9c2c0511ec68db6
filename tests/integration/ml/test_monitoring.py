"""Metric tables against numpy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from sklearn.metrics import roc_auc_score

from laketop.ml import psi, refresh

ROWS = 6000


def scored(seed: int, shift: float = 0.0) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    x = drawn.normal(shift, 1 + shift / 4, ROWS)
    frame = pd.DataFrame(
        {
            "at": pd.Timestamp("2013-04-01") + pd.to_timedelta(drawn.integers(0, 61, ROWS), "D"),
            "x": np.where(drawn.random(ROWS) < 0.1, np.nan, x),
            "zero": np.where(drawn.random(ROWS) < 0.7, 0.0, x),
            "carrier": drawn.choice(["AA", "UA", "DL"], ROWS, p=[0.5, 0.3, 0.2]),
            "prediction": (1 / (1 + np.exp(-x))).round(2),
        }
    )
    late = (drawn.random(ROWS) < frame["prediction"]).astype(float)
    frame["late"] = np.where(drawn.random(ROWS) < 0.05, np.nan, late)
    return frame


@pytest.fixture
def measured(spark: SparkSession, schema: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    refresh(
        spark,
        df=spark.createDataFrame(scored(1, shift=0.5)),
        table=f"{schema}.p",
        timestamp_col="at",
        prediction_col="prediction",
        label_col="late",
        baseline=spark.createDataFrame(scored(2).drop(columns="at")),
    )
    profile, drift = (
        spark.table(f"{schema}.p_{kind}_metrics")
        .selectExpr("*", "date_format(window.start, 'yyyy-MM') AS month")
        .toPandas()
        for kind in ("profile", "drift")
    )
    return profile, drift


def test_metrics_agree_with_numpy(measured: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    profile, drift = measured
    new, old = scored(1, shift=0.5), scored(2)
    april = new[new["at"] < "2013-05-01"]
    assert sorted(profile["month"].dropna().unique()) == ["2013-04", "2013-05"]

    whole = profile[(profile["month"] == "2013-04") & (profile["column_name"] == ":table")].iloc[0]
    known = april[april["late"].notna()]
    assert whole["count"] == len(april)
    assert whole["num_labels"] == len(known)
    assert whole["prediction_mean"] == pytest.approx(april["prediction"].mean())
    assert whole["label_mean"] == pytest.approx(known["late"].mean())
    expected = roc_auc_score(known["late"], known["prediction"])
    assert whole["roc_auc_score"] == pytest.approx(expected)

    x = profile[(profile["month"] == "2013-04") & (profile["column_name"] == "x")].iloc[0]
    assert x["num_nulls"] == april["x"].isna().sum()
    assert x["avg"] == pytest.approx(april["x"].mean())
    assert x["stddev"] == pytest.approx(april["x"].std())
    assert x["percent_null"] == pytest.approx(100 * april["x"].isna().mean())

    against = drift[(drift["drift_type"] == "BASELINE") & (drift["month"] == "2013-04")]
    found = against.set_index("column_name")["population_stability_index"]
    for name in ("x", "zero", "prediction"):
        assert found[name] == pytest.approx(psi(old[name], april[name]), rel=0.1, abs=0.01)
    shares = [frame["carrier"].value_counts(normalize=True).sort_index() for frame in (old, april)]
    p, q = (share.to_numpy() for share in shares)
    by_hand = float(np.sum((q - p) * np.log(q / p)))
    assert found["carrier"] == pytest.approx(by_hand)


def test_each_month_is_compared_with_the_one_before(
    measured: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, drift = measured
    steps = drift[drift["drift_type"] == "CONSECUTIVE"]
    assert set(steps["month"]) == {"2013-05"}
    x = steps[steps["column_name"] == "x"].iloc[0]
    frame = scored(1, shift=0.5)
    april, may = frame[frame["at"] < "2013-05-01"], frame[frame["at"] >= "2013-05-01"]
    assert x["count_delta"] == len(may) - len(april)
    assert x["avg_delta"] == pytest.approx(may["x"].mean() - april["x"].mean())
