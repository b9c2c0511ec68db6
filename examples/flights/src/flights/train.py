"""Train a model on the labelled flights of the training months, and register it as challenger."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from flights import documents, features, model, registry
from flights.config import section
from flights.figures import Step
from flights.learning import Learned, learn
from flights.parameters import Parameters, from_mapping, read
from laketop.ml import (
    FeatureEngineeringClient,
    WithFiles,
    append,
    auc,
    challenge,
    checked_label,
    current_version,
    lock_tag,
    provenance,
    record,
    rows_sha256,
    start_over,
    to_pandas,
)

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from laketop.ml import TrainingSet

BASELINE = "training_baseline"


def main() -> None:
    """Run the step with the parameters of the process."""
    train(SparkSession.builder.getOrCreate(), read())


def train(spark: SparkSession, run: Parameters) -> str:
    """Train, log and register a model; return its version, now the challenger.

    Its training rows with their predictions go to `training_baseline`: what monitoring compares
    with.
    Errors: NotFound for a table that is not there, ValueError for a label that teaches nothing;
    nothing is logged then.
    """
    step = Step(spark, run, "retrain" if run.retraining else "train")
    flights = run.table("flights")
    version_read = current_version(spark, flights)
    training_set = training_rows(spark, run, version=version_read)
    inputs = {flights: version_read, **training_set.spec.tables}
    rows = ordered(training_set)
    checked_label(rows, features.LABEL)
    version, learned, predictions = _register(spark, run, training_set, rows, inputs)
    baseline = rows.drop(columns=list(ORDER)).assign(prediction=predictions, model_version=version)
    append(spark, run.table(BASELINE), spark.createDataFrame(baseline))
    area = auc(rows[features.LABEL].to_numpy(), predictions)
    later = learned.metrics["validation_auc"]
    step.record(
        on=f"{run.training_months[0]}..{run.through}, {len(rows):,} flights",
        figure=f"version {version} of {run.model}, AUC {area:.4f} on its own rows, "
        f"{later:.4f} on the last quarter learned without",
    )
    return version


ORDER = ("known_at", "time_hour", "flight")
"""What tells flights of one carrier and airport apart; the rows are learned from in this order."""


def training_rows(
    spark: SparkSession, run: Parameters, *, version: int | None = None
) -> TrainingSet:
    """Return the labelled flights of the training months with their features.

    The table `flights` is read at the Delta `version`, by default the newest.
    """
    return features.labelled(spark, run, run.training_months, kept=ORDER, version=version)


def ordered(training_set: TrainingSet) -> pd.DataFrame:
    """Return the rows in one order, whatever Spark's was, so that training can be repeated."""
    rows = to_pandas(training_set.load_df())
    return rows.sort_values([*ORDER, "carrier", "origin"], ignore_index=True)


def refit(
    spark: SparkSession, schema: str, parameters: dict[str, str], folder: Path
) -> dict[str, str]:
    """Train by a recipe on the tables in `schema`, save in `folder`, return what to agree on."""
    import mlflow.sklearn

    catalog, _, name = schema.partition(".")
    run = replace(from_mapping(parameters), catalog=catalog, schema=name)
    rows = ordered(training_rows(spark, run))
    pipeline = model.fitted(rows, features.LABEL, json.loads(parameters["settings"]))
    mlflow.sklearn.save_model(pipeline, str(folder), **_saving(pipeline, rows))
    return {"rows_sha256": rows_sha256(rows)}


def _saving(pipeline: Pipeline, rows: pd.DataFrame) -> dict[str, Any]:
    from mlflow.models import infer_signature

    sample = rows[list(features.INPUTS)].head(5)
    return {
        "signature": infer_signature(sample, pipeline.predict(sample)),
        "pip_requirements": model.requirements(),
        "serialization_format": "cloudpickle",
    }


def _register(
    spark: SparkSession,
    run: Parameters,
    training_set: TrainingSet,
    rows: pd.DataFrame,
    inputs: dict[str, int],
) -> tuple[str, Learned, Any]:
    import mlflow
    import mlflow.sklearn

    client = registry.client(run)
    with mlflow.start_run(run_name=f"through {run.through}"):
        record(inputs, commit=run.git_commit)
        learned = learn(rows, run)
        mlflow.log_params({**learned.settings, "months": " ".join(run.training_months)})
        pipeline = _autologged(rows, learned)
        predictions = pipeline.predict(rows[list(features.INPUTS)])
        own = auc(rows[features.LABEL].to_numpy(), predictions)
        share = checked_label(rows, features.LABEL).share
        mlflow.log_metrics(
            {"train_auc": own, "train_rows": len(rows), "late_share": share, **learned.metrics}
        )
        documents.log_figures(pipeline, rows, learned)
        files = documents.beside_the_model(run, rows, learned, inputs)
        registry.connect(client, run)
        if run.starts_over:
            start_over(spark, client, run.full_schema, model=run.model, run=run.run_name)
        logged = FeatureEngineeringClient(spark=spark).log_model(
            model=pipeline,
            flavor=WithFiles(mlflow.sklearn, files),  # type: ignore[arg-type]  # asked as a module
            name="delay",
            training_set=training_set,
            registered_model_name=run.model,
            tags=_tags(run, inputs),
            **_saving(pipeline, rows),
        )
    version = str(logged.registered_model_version)
    client.update_model_version(run.model, version, description=section("card")["intended_use"])
    challenge(spark, client, run.full_schema, model=run.model, version=version, run=run.run_name)
    return version, learned, predictions


def _tags(run: Parameters, inputs: dict[str, int]) -> dict[str, str]:
    return {
        "owner": section("card")["owner"],
        "personal_data": section("card")["personal_data"],
        "intended_use": section("card")["intended_use"],
        "requirements_lock": lock_tag(model.lock()),
        registry.TRAINED_THROUGH: run.through,
        **({registry.DECIDED_BY: run.run_name} if run.run_name else {}),
        **provenance(inputs, commit=run.git_commit),
    }


def _autologged(rows: pd.DataFrame, learned: Learned) -> Pipeline:
    """Train on every row, with what MLflow logs by itself; the model does not tell of its run."""
    import mlflow.lightgbm

    mlflow.lightgbm.autolog(
        log_models=False, log_datasets=False, log_input_examples=False, silent=True
    )
    try:
        pipeline = model.fitted(rows, features.LABEL, learned.settings)
    finally:
        mlflow.lightgbm.autolog(disable=True)
    # Autolog leaves the run's id on the model; trained again it would have other bytes.
    vars(pipeline.named_steps["trees"]).pop("_mlflow_run_id", None)
    return pipeline


if __name__ == "__main__":
    main()
