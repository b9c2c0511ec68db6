"""The model: gradient-boosted trees over the schedule, the weather and recent delays."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from flights.config import section
from flights.features import INPUTS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna
    import pandas as pd
    from sklearn.pipeline import Pipeline

REQUIREMENTS = ("cloudpickle", "lightgbm", "numpy", "pandas", "scikit-learn")


def unfitted(settings: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline before it has learned: text to codes, then trees of these settings.

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
        **settings,
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def fitted(rows: pd.DataFrame, label: str, settings: Mapping[str, Any] | None = None) -> Pipeline:
    """Return the pipeline trained on `rows`, which hold INPUTS and `label`.

    `settings` are those of the trees, by default the project's own. Classes are not weighted: the
    log loss keeps the probabilities honest, and weights would move every one of them.
    """
    codes = list(range(len(TEXTS)))
    pipeline = unfitted(section("training") if settings is None else settings)
    return pipeline.fit(rows[list(INPUTS)], rows[label], trees__categorical_feature=codes)


def space(trial: optuna.Trial) -> dict[str, Any]:
    """Return settings near the project's own, for a trial of the search."""
    return {
        **section("training"),
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 15, 63),
        "min_child_samples": trial.suggest_int("min_child_samples", 20, 200),
    }


def requirements() -> list[str]:
    """Return what the model needs to be loaded, pinned to what is installed here."""
    return [f"{name}=={version(name)}" for name in REQUIREMENTS]


def lock() -> str:
    """Return the project's lock: what the model needs, and what that needs, with hashes."""
    return files("flights").joinpath("requirements.lock").read_text(encoding="utf-8")
