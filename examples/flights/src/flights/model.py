"""The model: gradient-boosted trees over the schedule, the weather and recent delays."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from flights.config import section
from flights.features import INPUTS, TEXTS

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

REQUIREMENTS = ("cloudpickle", "lightgbm", "numpy", "pandas", "scikit-learn")


def unfitted() -> Pipeline:
    """Return the pipeline before it has learned: text to codes, then trees.

    Shapes: takes a frame with the columns INPUTS; `predict` gives the probability of being late.
    A text that was not seen in training counts as missing.
    """
    from lightgbm import LGBMRegressor
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    columns = ColumnTransformer(
        [
            ("codes", codes, list(TEXTS)),
            ("numbers", "passthrough", [name for name in INPUTS if name not in TEXTS]),
        ]
    )
    # The binary objective makes the regressor's output a probability, so that `predict` is the
    # score that gates, scoring and serving all ask for.
    trees = LGBMRegressor(
        objective="binary",
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,  # threads only wait for each other when the machine is shared
        verbose=-1,
        **section("training"),
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def fitted(rows: pd.DataFrame, label: str) -> Pipeline:
    """Return the pipeline trained on `rows`, which hold INPUTS and `label`."""
    codes = list(range(len(TEXTS)))
    return unfitted().fit(rows[list(INPUTS)], rows[label], trees__categorical_feature=codes)


def requirements() -> list[str]:
    """Return what the model needs to be loaded, pinned to what is installed here."""
    return [f"{name}=={version(name)}" for name in REQUIREMENTS]
