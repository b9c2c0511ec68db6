"""Whether a probability means what it says, in figures and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def reliability(label: ArrayLike, prediction: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """Return how often the event came true in each of `bins` groups of alike predictions.

    Shapes: one row a group of about as many rows, the lowest predictions first: `rows`,
    `predicted` (mean), `observed` (share).
    Units: fractions.
    Errors: ValueError when both lengths differ or are 0, or `bins` < 1.
    """
    import numpy as np
    import pandas as pd

    y, p = np.asarray(label, dtype=float), np.asarray(prediction, dtype=float)
    if y.size != p.size or y.size == 0 or bins < 1:
        raise ValueError(f"{y.size} labels, {p.size} predictions and {bins} bins do not fit")
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    rows = [(part.size, float(p[part].mean()), float(y[part].mean())) for part in parts]
    return pd.DataFrame(rows, columns=["rows", "predicted", "observed"])


def calibration_metrics(
    label: ArrayLike, prediction: ArrayLike, *, bins: int = 10
) -> dict[str, float]:
    """Return `brier`, `log_loss`, `calibration_error` and `calibration_bias`.

    `calibration_error` is the mean distance of predicted from observed over groups of alike
    predictions, `calibration_bias` the mean prediction minus the share of events.
    Units: fractions; `log_loss` in natural-log units.
    Errors: those of `reliability`.
    Source: Brier (1950); Naeini et al., Bayesian Binning (2015), with groups of equal size.
    """
    import numpy as np

    groups = reliability(label, prediction, bins=bins)
    y, p = np.asarray(label, dtype=float), np.asarray(prediction, dtype=float)
    safe = np.clip(p, 1e-15, 1 - 1e-15)
    distance = (groups["predicted"] - groups["observed"]).abs()
    return {
        "brier": float(np.mean((p - y) ** 2)),
        "log_loss": float(-np.mean(y * np.log(safe) + (1 - y) * np.log(1 - safe))),
        "calibration_error": float((distance * groups["rows"]).sum() / y.size),
        "calibration_bias": float(p.mean() - y.mean()),
    }


def reliability_figure(label: ArrayLike, prediction: ArrayLike, *, bins: int = 10) -> Figure:
    """Return the picture of `reliability`: on the diagonal, a probability means what it says."""
    from matplotlib.figure import Figure

    groups = reliability(label, prediction, bins=bins)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(groups["predicted"], groups["observed"], marker="o")
    axes.set(xlabel="predicted probability", ylabel="share observed", xlim=(0, 1), ylim=(0, 1))
    return figure
