"""A label that can be learned from: known, of two values, and how rare the rarer one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How many rows there are of each class of a binary label."""

    positive: int
    negative: int

    @property
    def share(self) -> float:
        """The share of positive rows, a fraction."""
        return self.positive / (self.positive + self.negative)

    @property
    def weight(self) -> float:
        """The weight of a positive row that makes both classes count the same.

        A model that was trained with it has to be given back its prior: `prior_corrected`.
        """
        return self.negative / self.positive


def checked_label(frame: pd.DataFrame, label: str, *, least: int = 1) -> Balance:
    """Return the balance of the binary column `label` of `frame`.

    Shapes: values 0 and 1, in any numeric or boolean type.
    Errors: ValueError when the column is missing, holds nulls, is constant, holds other values,
    or has fewer than `least` rows of a class: nothing is trained on it.
    """
    if label not in frame.columns:
        raise ValueError(f"the training rows have no label column {label!r}")
    values = frame[label]
    if len(values) == 0:
        raise ValueError(f"there is no row to learn {label!r} from")
    if nulls := int(values.isna().sum()):
        raise ValueError(f"the label {label!r} is null in {nulls} of {len(values)} training rows")
    found = sorted(values.unique().tolist())
    if len(found) == 1:
        raise ValueError(f"the label {label!r} is {found[0]!r} in every one of {len(values)} rows")
    if set(found) != {0, 1}:
        raise ValueError(f"the label {label!r} holds {found[:5]!r}, expected 0 and 1")
    positive = int((values == 1).sum())
    balance = Balance(positive=positive, negative=len(values) - positive)
    if min(balance.positive, balance.negative) < least:
        rare = min(balance.positive, balance.negative)
        raise ValueError(f"the label {label!r} has {rare} rows of its rarer class, wanted {least}")
    return balance


def prior_corrected(prediction: ArrayLike, *, weight: float) -> NDArray[np.float64]:
    """Return probabilities as they are without the `weight` that positive rows had in training.

    Shapes: 1-D, any length.
    Units: probabilities, 0 to 1.
    Errors: ValueError for a weight that is not above 0.
    Source: Saerens et al., Adjusting the outputs of a classifier to new a priori probabilities
    (2002), for a change of the odds by a known factor.

    >>> prior_corrected([0.5, 0.9], weight=3.0).tolist()
    [0.25, 0.75]
    """
    import numpy as np

    if not weight > 0:
        raise ValueError(f"weight is {weight!r}, not above 0")
    p = np.asarray(prediction, dtype=float)
    corrected: NDArray[np.float64] = p / (p + weight * (1 - p))
    return corrected
