"""XGBoost on texts and numbers as they are; what is missing stays missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from xgboost import XGBRegressor

SETTINGS = {"n_estimators": 100, "learning_rate": 0.1, "max_depth": 5}


def categories(rows: pd.DataFrame, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each text column that training has seen, sorted."""
    return {name: sorted(rows[name].dropna().unique().tolist()) for name in texts}


def coded(rows: pd.DataFrame, known: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return `rows` with texts as categories; a value that training has not seen is missing."""
    import pandas as pd

    kinds = {name: pd.CategoricalDtype(list(values)) for name, values in known.items()}
    return rows.astype(kinds)


def fitted(inputs: pd.DataFrame, label: pd.Series[float], *, seed: int = 7) -> XGBRegressor:
    """Return trees whose `predict` gives the probability of the event.

    Shapes: `inputs` numeric or of categories, see `coded`; `label` 0 and 1.
    """
    from xgboost import XGBRegressor

    trees = XGBRegressor(
        objective="binary:logistic",
        enable_categorical=True,
        tree_method="hist",
        n_jobs=1,
        random_state=seed,
        **SETTINGS,
    )
    return trees.fit(inputs, label)


def probabilities(model: XGBRegressor, inputs: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of the event for each row."""
    import numpy as np

    return np.asarray(model.predict(inputs), dtype=float)
