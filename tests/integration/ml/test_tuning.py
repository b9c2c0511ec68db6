"""A search leaves its trials in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlflow

from laketop.ml import Budget, search
from laketop.workspace.daemon import Contact


def far_from_two(parameters: Mapping[str, Any]) -> float:
    return float((parameters["x"] - 2) ** 2)


def test_each_trial_is_a_child_run_with_its_parameters(workspace: Contact) -> None:
    assert workspace
    experiment = mlflow.create_experiment("/Shared/search")
    with mlflow.start_run(experiment_id=experiment) as parent:
        mlflow.set_tag("code_version", "uncommitted")
        found = search(
            far_from_two,
            lambda trial: {"x": trial.suggest_float("x", -5, 5)},
            budget=Budget(trials=3),
        )
    children = mlflow.MlflowClient().search_runs(
        [experiment], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    for child in children:
        assert child.data.tags["code_version"] == "uncommitted"
        assert child.data.metrics["objective"] == far_from_two({"x": float(child.data.params["x"])})
    assert {child.data.metrics["objective"] for child in children} == set(found.tried)
