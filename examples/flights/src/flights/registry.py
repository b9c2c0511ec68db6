"""The registered model: which version is what, and which months it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.ml import NotFound, challenge, version_of

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient
    from pyspark.sql import SparkSession

    from flights.figures import Step
    from flights.parameters import Parameters

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
TRAINED_THROUGH = "trained_through"
DECIDED_BY = "decided_by_run"
"""The tag of a version whose own run decides about it, so that its deployment job need not."""
_TAKEN = ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS")  # registries say the one or the other


def client(run: Parameters) -> MlflowClient:
    """Return a client of the Unity Catalog registry, the experiment of the run chosen."""
    import mlflow

    mlflow.set_registry_uri("databricks-uc")
    if run.experiment:
        mlflow.set_experiment(run.experiment)
    return mlflow.MlflowClient()


def candidate(spark: SparkSession, registry: MlflowClient, run: Parameters) -> str:
    """Return the version that the run is about: the challenger, or the one that the run names.

    That becomes the challenger first.
    Errors: NotFound when there is no challenger, ValueError when another model is named.
    """
    if not run.model_version:
        return existing(registry, run, CHALLENGER)
    if run.model_name != run.model:
        raise ValueError(f"the run is told of {run.model_name!r}, and deploys {run.model!r}")
    version = run.model_version
    if version_of(registry, run.model, CHALLENGER) != version:
        challenge(
            spark, registry, run.full_schema, model=run.model, version=version, run=run.run_name
        )
    return version


def connect(registry: MlflowClient, run: Parameters) -> None:
    """Let every version to come start the deployment job of the run, if it names one.

    A model that is not there is made.
    """
    from mlflow.exceptions import MlflowException

    if not run.deployment_job:
        return
    try:
        registry.create_registered_model(run.model, deployment_job_id=run.deployment_job)
    except MlflowException as error:
        if error.error_code not in _TAKEN:
            raise
        registry.update_registered_model(run.model, deployment_job_id=run.deployment_job)


def is_left(registry: MlflowClient, run: Parameters, step: Step) -> bool:
    """Return whether the run that has trained a version decides about it; `step` records so.

    False for a run that was not told of a version: one by hand.
    """
    if not run.model_version:
        return False
    tags = registry.get_model_version(run.model_name, run.model_version).tags
    decider = tags.get(DECIDED_BY)
    if decider:
        step.record(on=f"version {run.model_version}", figure=f"left to run {decider}")
    return bool(decider)


def existing(registry: MlflowClient, run: Parameters, alias: str) -> str:
    """Return the version that `alias` points to.

    Errors: NotFound when it points to nothing.
    """
    version = version_of(registry, run.model, alias)
    if version is None:
        raise NotFound("version of the model", f"{run.model}@{alias}", hint="run the job mlops")
    return version


def trained_through(registry: MlflowClient, run: Parameters, version: str) -> str:
    """Return the last month that a version has learned from."""
    return str(registry.get_model_version(run.model, version).tags[TRAINED_THROUGH])
