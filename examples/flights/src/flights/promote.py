"""Make the challenger the champion if every gate of this run has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from flights import registry
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import GateFailed, Verdict, outcome, promote, record_promotion, require, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the step with the parameters of the process."""
    decide(SparkSession.builder.getOrCreate(), read())


def decide(spark: SparkSession, run: Parameters) -> str:
    """Move the aliases or leave them, write the decision to `promotions`, and return it.

    Errors: GateFailed when the challenger is not promoted and there is no champion to go on with.
    """
    step = Step(spark, run, "promote the retrained" if run.retraining else "promote")
    client = registry.client(run)
    version = registry.existing(client, run, registry.CHALLENGER)
    champion = version_of(client, run.model, registry.CHAMPION)
    verdicts = _verdicts(spark, run, version)
    decision = {"approved": "promoted"}.get(outcome(verdicts), outcome(verdicts))
    previous = champion
    if decision == "promoted":
        previous = promote(client, run.model, version)
    failed = "; ".join(f"{v.gate}: {v.reason}" for v in verdicts if not v.passed)
    record_promotion(
        spark,
        run.full_schema,
        model=run.model,
        version=version,
        outcome=decision,
        previous=previous,
        approved_by=run.approval,
        reason=failed or f"all {len(verdicts)} gates passed",
        run=run.run_name,
    )
    step.record(on=f"version {version} of {run.model}", figure=_told(decision, version, previous))
    if decision != "promoted" and champion is None:
        _refuse(verdicts)
    return decision


def _verdicts(spark: SparkSession, run: Parameters, version: str) -> list[Verdict]:
    """Return what the newest evaluation of this version in this run found."""
    table = spark.table(run.table("model_evaluations")).where(
        (F.col("run") == run.run_name) & (F.col("version") == version)
    )
    rows = table.collect()
    newest = max((row["evaluated_at"] for row in rows), default=None)
    names = ("gate", "passed", "pending", "measured", "limit", "reason")
    return [
        Verdict(**{name: row[name] for name in names})
        for row in rows
        if row["evaluated_at"] == newest
    ]


def _told(decision: str, version: str, previous: str | None) -> str:
    kept = f"version {previous}" if previous else "none"
    if decision == "promoted":
        return f"champion is version {version}, previous is {kept}"
    return f"{decision}, champion stays {kept}"


def _refuse(verdicts: Sequence[Verdict]) -> None:
    try:
        require(verdicts)
    except GateFailed as failure:
        raise GateFailed(
            failure.gate,
            measured=failure.measured,
            limit=failure.limit,
            hint=f"{failure.hint}; there is no champion to go on with",
        ) from None


if __name__ == "__main__":
    main()
