"""Which inputs move a prediction, and how: the SHAP summary as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

_SPREAD = 0.35


def shap_values(booster: Any, inputs: Any) -> Any:
    """Return the SHAP value of every input of every row, and the expectation as last column.

    Shapes: (rows, inputs + 1); each row sums to the model's raw score.
    Units: those of the raw score, such as log odds.
    Errors: TypeError for a model that is neither of LightGBM nor of XGBoost, whose own exact
    computation for trees is asked.
    Source: Lundberg et al., From local explanations to global understanding with trees (2020).
    """
    import numpy as np

    if hasattr(booster, "booster_"):
        return np.asarray(booster.booster_.predict(inputs, pred_contrib=True))
    if hasattr(booster, "get_booster"):
        from xgboost import DMatrix

        return np.asarray(booster.get_booster().predict(DMatrix(inputs), pred_contribs=True))
    raise TypeError(f"no SHAP values of {type(booster).__name__!r}: LightGBM and XGBoost have them")


def shap_summary(values: ArrayLike, inputs: pd.DataFrame, *, most: int = 12) -> Figure:
    """Return the summary picture: a row an input, a point a prediction, its colour the value.

    Shapes: `values` as `shap_values` returns them, with or without the last column; the `most`
    inputs with the greatest mean absolute value are shown, the greatest on top.
    Errors: ValueError when rows or inputs of the two do not fit.
    """
    import numpy as np
    from matplotlib.figure import Figure

    shap = np.asarray(values, dtype=float)[:, : inputs.shape[1]]
    if shap.shape != inputs.shape:
        raise ValueError(f"SHAP values of shape {shap.shape} do not fit inputs of {inputs.shape}")
    order = np.argsort(np.abs(shap).mean(axis=0))[-most:]
    figure = Figure(figsize=(7, 0.4 * len(order) + 1.2), layout="constrained")
    axes = figure.subplots()
    drawn = np.random.default_rng(0)
    for place, column in enumerate(order):
        heights = place + drawn.uniform(-_SPREAD, _SPREAD, len(shap))
        shades = _ranks(inputs.iloc[:, column])
        axes.scatter(shap[:, column], heights, c=shades, cmap="coolwarm", s=4, vmin=0, vmax=1)
    axes.set_yticks(range(len(order)), [str(inputs.columns[column]) for column in order])
    axes.axvline(0, color="0.7", linewidth=1)
    axes.set_xlabel("SHAP value (blue: low input, red: high)")
    return figure


def _ranks(column: pd.Series[Any]) -> Any:
    numbers = column if column.dtype.kind in "biuf" else column.astype("category").cat.codes
    return numbers.rank(pct=True).fillna(0.5).to_numpy()
