"""Train the challenger again, by its recipe, and keep whether every byte is the same.

A step of its own, since what a process has done before shows in the bytes of a pickle.
"""

from __future__ import annotations

from pyspark.sql import SparkSession

from flights import registry
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import LaketopError
from laketop.ml import reproduce as train_again


def main() -> None:
    """Run the step with the parameters of the process."""
    reproduce(SparkSession.builder.getOrCreate(), read())


def reproduce(spark: SparkSession, run: Parameters) -> None:
    """Train the challenger again; its tag `reproduced` tells the gates what that has given.

    A version of another commit, or of other packages, is left to `laketop ml reproduce`, and one
    that another run decides about to that run.
    Errors: NotFound when there is no challenger.
    """
    step = Step(spark, run, "reproduce")
    client = registry.client(run)
    if registry.is_left(client, run, step):
        return
    version = registry.candidate(spark, client, run)
    try:
        found = train_again(spark, client, model=run.model, version=version, commit=run.git_commit)
    except LaketopError as error:
        found = f"not trained again: {error.message}"
    step.record(on=f"version {version} of {run.model}", figure=found)


if __name__ == "__main__":
    main()
