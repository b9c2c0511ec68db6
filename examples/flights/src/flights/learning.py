"""Which settings to train with, found on the last of the training rows, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flights import model
from flights.config import section
from flights.features import INPUTS, LABEL
from laketop.ml import Budget, TimeSplitter, auc, calibration_metrics, search

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from flights.parameters import Parameters


@dataclass(frozen=True)
class Learned:
    """Settings of the trees, and their predictions for rows that they had not learned from."""

    settings: Mapping[str, Any]
    labels: NDArray[np.float64]
    predictions: NDArray[np.float64]

    @property
    def metrics(self) -> dict[str, float]:
        """What the settings are worth on those rows."""
        figures = {"auc": auc(self.labels, self.predictions)}
        figures |= calibration_metrics(self.labels, self.predictions)
        return {f"validation_{name}": value for name, value in figures.items()}


def learn(rows: pd.DataFrame, run: Parameters) -> Learned:
    """Search settings under the run's budget; the project's own are kept unless clearly beaten.

    Shapes: `rows` hold INPUTS, LABEL and `known_at`; in the order of time; the last quarter
    of them is validated on.
    Each trial is a child run of the active MLflow run.
    """
    wanted = section("search")
    splitter = TimeSplitter("known_at", n_splits=3, gap=timedelta(hours=wanted["gap_hours"]))
    *_, (known, later) = splitter.split(rows)
    before, after = rows.iloc[known[-wanted["rows"] :]], rows.iloc[later]
    labels = after[LABEL].to_numpy(dtype=float)
    predictions: list[NDArray[np.float64]] = []

    def loss(settings: Mapping[str, Any]) -> float:
        predictions.append(model.fitted(before, LABEL, settings).predict(after[list(INPUTS)]))
        return calibration_metrics(labels, predictions[-1])["log_loss"]

    own = section("training")
    found = search(
        loss,
        model.space,
        budget=Budget(trials=int(run.trials), seconds=float(run.search_seconds)),
        first=own,
        seed=own["random_state"],
    )
    gained = found.tried[0] - found.value
    best = found.tried.index(found.value) if gained >= wanted["least_gain"] else 0
    return Learned(found.parameters if best else own, labels, predictions[best])
