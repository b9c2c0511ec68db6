"""Replay a month of flights as an A/B experiment between two versions, looked at every week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights import features, registry
from flights.config import section
from flights.figures import Step
from flights.months import following
from flights.parameters import Parameters, read
from laketop.ml import NotFound, contender, version_of
from laketop.ml.experiments import CONTROL, TREATMENT, Experiment, Look, look, replayed, start

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient
    from pyspark.sql import DataFrame


def main() -> None:
    """Run the step with the parameters of the process."""
    experiment(SparkSession.builder.getOrCreate(), read())


def experiment(spark: SparkSession, run: Parameters) -> Look:
    """Split the first month that neither version has seen, look every week, return the last look.

    Control is the champion and treatment the challenger, or, where there is none, control is the
    version before the champion. Each flight is scored by the version of its arm.
    Shapes: tables `experiments` and `experiment_looks`.
    Errors: NotFound where there are no two versions, or no month left; LaketopError when this
    experiment has ended before.
    """
    step = Step(spark, run, "experiment")
    client = registry.client(run)
    versions = _versions(client, run)
    seen = max(registry.trained_through(client, run, version) for version in versions.values())
    month = following(seen)
    if month > run.last_month:
        raise NotFound("month that no model has seen", month, hint="there is no later data")
    plan = planned(run, versions, month)
    start(spark, run.full_schema, plan)
    models = {arm: contender(client, run.model, version) for arm, version in versions.items()}
    rows = replayed(plan, _traffic(spark, run, month), models, label=features.LABEL)
    found = _looked(spark, run, plan, rows)
    counted = found.control.keys + found.treatment.keys
    step.record(
        on=f"version {versions[TREATMENT]} against {versions[CONTROL]}, {counted:,} of {month}",
        figure=f"{found.decision}: {found.effect:+.4f}, 95 % between {found.low:+.4f} and "
        f"{found.high:+.4f}, {found.planned_keys:,} flights planned",
    )
    return found


def planned(run: Parameters, versions: dict[str, str], month: str) -> Experiment:
    """Return the experiment, settled before its first look."""
    wanted = section("experiment")
    year, number = map(int, month.split("-"))
    return Experiment(
        name=f"{run.model} {versions[TREATMENT]} against {versions[CONTROL]} in {month}",
        hypothesis="the treatment's probabilities are nearer to what happened",
        metric="1 minus the squared error",
        minimum_effect=wanted["minimum_effect"],
        spread=wanted["spread"],
        started_at=datetime(year, number, 1, tzinfo=UTC),
        looks=wanted["looks"],
        novelty_hours=wanted["novelty_hours"],
    )


def _versions(client: MlflowClient, run: Parameters) -> dict[str, str]:
    champion = registry.existing(client, run, registry.CHAMPION)
    challenger = version_of(client, run.model, registry.CHALLENGER)
    if challenger is not None and challenger != champion:
        return {CONTROL: champion, TREATMENT: challenger}
    return {CONTROL: registry.existing(client, run, registry.PREVIOUS), TREATMENT: champion}


def _traffic(spark: SparkSession, run: Parameters, month: str) -> DataFrame:
    """Return the labelled flights of the month with `key` and `time`, as they would be asked."""
    joined = features.labelled(spark, run, [month])
    key = f"concat_ws(' ', {', '.join(features.KEYS)}) AS key"
    return joined.whole.selectExpr(key, "known_at AS time", *features.INPUTS, features.LABEL)


def _looked(spark: SparkSession, run: Parameters, plan: Experiment, rows: DataFrame) -> Look:
    """Look at what was there after each week, until that decides."""
    for week in range(1, section("experiment")["looks"] + 1):
        until = plan.started_at + timedelta(weeks=week)
        seen = look(spark, run.full_schema, plan, rows.where(f"time < '{until}'"))
        if seen.is_final:
            break
    return seen


if __name__ == "__main__":
    main()
