"""What goes with a version: model card, lock, recipe as files; figures as pictures in its run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flights import model
from flights.config import section
from flights.features import INPUTS, LABEL
from laketop.ml import (
    ModelCard,
    Recipe,
    checked_label,
    code_version,
    lock_tag,
    reliability_figure,
    rows_sha256,
    shap_summary,
    shap_values,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from flights.learning import Learned
    from flights.parameters import Parameters

CARD, RECIPE, LOCK = "model_card.md", "recipe.json", "requirements.lock"


def beside_the_model(
    run: Parameters, rows: pd.DataFrame, learned: Learned, inputs: Mapping[str, int]
) -> dict[str, str]:
    """Return the files that are logged with the model, by name.

    The lock is among them only where it tells the truth about this environment.
    """
    files = {
        CARD: card(run, rows, learned, inputs).text,
        RECIPE: recipe(run, rows, learned, inputs).to_json(),
    }
    lock = model.lock()
    if not lock_tag(lock).startswith("differs"):
        files[LOCK] = lock
    return files


def card(
    run: Parameters, rows: pd.DataFrame, learned: Learned, inputs: Mapping[str, int]
) -> ModelCard:
    """Return the model card of what was learned."""
    told = section("card")
    return ModelCard(
        name=run.model,
        intended_use=told["intended_use"],
        owner=told["owner"],
        personal_data=told["personal_data"],
        limits=tuple(told["limits"]),
        rows=len(rows),
        period=f"{run.training_months[0]}..{run.through}",
        positive_share=checked_label(rows, LABEL).share,
        inputs=inputs,
        code_version=code_version(run.git_commit),
        parameters=learned.settings,
        metrics=learned.metrics,
    )


def recipe(
    run: Parameters, rows: pd.DataFrame, learned: Learned, inputs: Mapping[str, int]
) -> Recipe:
    """Return what it takes to train the version again."""
    return Recipe(
        entry_point="flights.train:refit",
        parameters={
            "origin": run.origin,
            "first_month": run.first_month,
            "train_through": run.through,
            "settings": json.dumps(dict(learned.settings), sort_keys=True),
        },
        inputs=inputs,
        code_version=code_version(run.git_commit),
        facts={"rows_sha256": rows_sha256(rows)},
    )


def log_figures(pipeline: Pipeline, rows: pd.DataFrame, learned: Learned) -> None:
    """Log the SHAP summary of some rows, and the reliability of the validation, as pictures."""
    import mlflow

    drawn = rows.sample(min(len(rows), section("search")["shap_rows"]), random_state=0)
    shown = drawn[list(INPUTS)]
    coded = pipeline.named_steps["columns"].transform(shown)
    names = pipeline.named_steps["columns"].get_feature_names_out()
    order = [name.partition("__")[2] for name in names]
    values = shap_values(pipeline.named_steps["trees"], coded)
    mlflow.log_figure(shap_summary(values, shown[order]), "shap_summary.png")
    picture = reliability_figure(learned.labels, learned.predictions)
    mlflow.log_figure(picture, "reliability.png")
