"""Make the challenger the champion if every gate of this run has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights import registry
from flights.figures import Step
from flights.parameters import Parameters, read
from laketop.ml import (
    GateFailed,
    LaketopError,
    Superseded,
    Verdict,
    evaluation_of,
    outcome,
    promote,
    record_promotion,
    require,
    settle,
    wait_for_approval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.tracking import MlflowClient


def main() -> None:
    """Run the step with the parameters of the process."""
    decide(SparkSession.builder.getOrCreate(), read())


def decide(spark: SparkSession, run: Parameters) -> str:
    """Move the aliases or leave them, write the decision to `promotions`, and return it.

    A version that another run decides about is left to it: "left".
    Errors: GateFailed when the challenger is not promoted and there is no champion to go on with.
    """
    step = Step(spark, run, "promote the retrained" if run.retraining else "promote")
    client = registry.client(run)
    if registry.is_left(client, run, step):
        return "left"
    champion = settle(spark, client, run.full_schema, model=run.model)
    version = run.model_version or registry.existing(client, run, registry.CHALLENGER)
    verdicts, against = evaluation_of(
        spark, run.full_schema, model=run.model, version=version, run=run.run_name
    )
    verdicts, approved_by = _approved(client, run, version, verdicts)
    failed = "; ".join(f"{v.gate}: {v.reason}" for v in verdicts if not v.passed)
    told = {"model": run.model, "version": version, "approved_by": approved_by}
    decision = {"approved": "promoted"}.get(outcome(verdicts), outcome(verdicts))
    if decision == "promoted":
        reason = f"all {len(verdicts)} gates passed"
        try:
            promote(
                spark,
                client,
                run.full_schema,
                **told,
                against=against,
                reason=reason,
                run=run.run_name,
            )
        except Superseded as lost:
            decision, failed = "rejected", lost.message
    if decision != "promoted":
        record_promotion(
            spark,
            run.full_schema,
            **told,
            outcome=decision,
            previous=champion,
            reason=failed,
            run=run.run_name,
        )
    step.record(on=f"version {version} of {run.model}", figure=_told(decision, version, champion))
    if decision != "promoted" and champion is None:
        _refuse(verdicts)
    return decision


def _approved(
    client: MlflowClient, run: Parameters, version: str, verdicts: list[Verdict]
) -> tuple[list[Verdict], str]:
    """Return the verdicts with the one of a person, waited for where nothing else is missing."""
    missing = [verdict.gate for verdict in verdicts if not verdict.passed]
    if run.approval_required != "true" or missing not in ([], ["approval"]):
        return verdicts, ""
    print(f"  wait  approval: laketop approve {run.model} {version} --by NAME", flush=True)
    try:
        who = wait_for_approval(
            client,
            model=run.model,
            version=version,
            timeout_seconds=float(run.approval_seconds),
        )
    except LaketopError as failure:
        who = ""
        found = Verdict(gate="approval", passed=False, pending=True, reason=failure.message)
    else:
        found = Verdict(gate="approval", passed=True, reason=f"approved by {who}")
    return [*(verdict for verdict in verdicts if verdict.gate != "approval"), found], who


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
