"""Train a model on the labelled flights of the training months, and register it as challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights import features, model, registry
from flights.config import section
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import (
    FeatureEngineeringClient,
    append,
    auc,
    challenge,
    current_version,
    provenance,
    record,
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
    """
    step = Step(spark, run, "retrain" if run.retraining else "train")
    training_set = training_rows(spark, run)
    rows = training_set.load_df().toPandas()
    pipeline = model.fitted(rows, features.LABEL)
    rows["prediction"] = pipeline.predict(rows[list(features.INPUTS)])
    version, area = _register(spark, run, training_set, pipeline, rows)
    rows["model_version"] = version
    append(spark, run.table(BASELINE), spark.createDataFrame(rows))
    step.record(
        on=f"{run.training_months[0]}..{run.through}, {len(rows):,} flights",
        figure=f"version {version} of {run.model}, AUC {area:.4f} on its own rows",
    )
    return version


def training_rows(spark: SparkSession, run: Parameters) -> TrainingSet:
    """Return the labelled flights of the training months with their features."""
    departures = features.departures(spark, run, run.training_months)
    return FeatureEngineeringClient(spark=spark).create_training_set(
        df=departures.where(f"{features.LABEL} IS NOT NULL"),
        feature_lookups=features.lookups(run),
        label=features.LABEL,
        exclude_columns=features.CONTEXT,
    )


def _register(
    spark: SparkSession,
    run: Parameters,
    training_set: TrainingSet,
    pipeline: Pipeline,
    rows: pd.DataFrame,
) -> tuple[str, float]:
    import mlflow
    import mlflow.sklearn
    from mlflow.models import infer_signature

    client = registry.client(run)
    if run.starts_over:
        registry.start_over(client, run)
    flights = run.table("flights")
    inputs = {flights: current_version(spark, flights), **training_set.spec.tables}
    area = auc(rows[features.LABEL].to_numpy(), rows["prediction"].to_numpy())
    sample = rows.head(5)
    with mlflow.start_run(run_name=f"through {run.through}"):
        mlflow.log_params({**section("training"), "months": " ".join(run.training_months)})
        mlflow.log_metrics({"train_auc": area, "train_rows": len(rows)})
        record(inputs, commit=run.git_commit)
        logged = FeatureEngineeringClient(spark=spark).log_model(
            model=pipeline,
            flavor=mlflow.sklearn,
            name="delay",
            training_set=training_set,
            registered_model_name=run.model,
            signature=infer_signature(
                sample[list(features.INPUTS)], sample["prediction"].to_numpy()
            ),
            pip_requirements=model.requirements(),
            serialization_format="cloudpickle",
        )
    version = str(logged.registered_model_version)
    tags = {
        "owner": "flights",
        "personal_data": "none",
        registry.TRAINED_THROUGH: run.through,
        **provenance(inputs, commit=run.git_commit),
    }
    for name, value in tags.items():
        client.set_model_version_tag(run.model, version, name, value)
    challenge(client, run.model, version)
    return version, area


if __name__ == "__main__":
    main()
