"""Let the challenger pass the gates, on the first labelled month that neither model has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from flights import features, registry
from flights.config import section
from flights.figures import Step
from flights.months import following
from flights.parameters import Parameters, read
from laketop.ml import (
    Contender,
    Gate,
    LabelledRows,
    NotFound,
    Verdict,
    approval,
    calibrated,
    clean_environment,
    compatible_schema,
    compliance_tags,
    contender,
    documentation,
    fairness,
    held,
    inference_time,
    leaks,
    licences,
    minimum_auc,
    minimum_slice_auc,
    no_leak,
    no_worse_than_champion,
    outcome,
    record_evaluation,
    repeatable,
    reproducible,
    robustness,
    signature,
    to_pandas,
    version_of,
    vulnerabilities,
)
from laketop.ml import evaluate as ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.tracking import MlflowClient


KNOWN_LATER = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
"""What a flight's own record says only after it has left."""
SLICES = ("carrier", "origin")


def main() -> None:
    """Run the step with the parameters of the process."""
    evaluate(SparkSession.builder.getOrCreate(), read())


def evaluate(spark: SparkSession, run: Parameters) -> tuple[Verdict, ...]:
    """Ask every gate about the challenger, and write what they said to `model_evaluations`.

    What is known of leaks is written to `leak_evidence`. A version that another run decides about
    is left to it: no verdict.
    Errors: NotFound when there is no challenger, or no month left to compare on.
    """
    step = Step(spark, run, "evaluate")
    client = registry.client(run)
    if registry.is_left(client, run, step):
        return ()
    candidate = contender(client, run.model, registry.candidate(spark, client, run))
    champion = _champion(client, run)
    rows, evidence = _rows(spark, run, client, [candidate, *([champion] if champion else [])])
    leaks.record(
        spark,
        run.full_schema,
        evidence,
        model=run.model,
        version=candidate.version,
        data=rows.name,
        run=run.run_name,
    )
    verdicts = ask(candidate, champion, rows, gates(run, evidence))
    record_evaluation(
        spark,
        run.full_schema,
        verdicts,
        candidate=candidate,
        champion=champion,
        rows=rows,
        run=run.run_name,
    )
    for verdict in verdicts:
        mark = "pass" if verdict.passed else "wait" if verdict.pending else "FAIL"
        print(f"  {mark}  {verdict.gate}: {verdict.reason}")
    step.record(
        on=f"version {candidate.version} on {rows.name}, {len(rows):,} flights",
        figure=f"{outcome(verdicts)}: {headline(verdicts)}",
    )
    return verdicts


def gates(run: Parameters, evidence: Sequence[leaks.Evidence] = ()) -> list[Gate]:
    """Return the gates of this project, in the order in which they are asked.

    `evidence` is what is known of leaks in the features. Airports are compared for fairness where
    a run has more than one.
    """
    limits = section("gates")
    found = [
        signature(),
        compatible_schema(),
        compliance_tags(section("tags")),
        documentation(),
        licences(),
        no_leak(KNOWN_LATER, evidence=evidence),
        minimum_auc(limits["minimum_auc"], rounds=limits["bootstrap_rounds"]),
        minimum_slice_auc(SLICES, limits["minimum_slice_auc"], rounds=limits["bootstrap_rounds"]),
        calibrated(limits["calibration_error"]),
        no_worse_than_champion(limits["champion_margin"], rounds=limits["bootstrap_rounds"]),
        robustness(),
        repeatable(),
        inference_time(limits["inference_ms"]),
    ]
    if not run.origin:
        found.append(fairness("origin", **section("fairness")))
    if run.advisories:
        found.append(vulnerabilities(run.advisories))
    if run.reproduction_required == "true":
        found.append(reproducible())
    if run.environment_required == "true":
        found.append(
            clean_environment(limit_ms=limits["inference_ms"], limit_mb=limits["inference_mb"])
        )
    if run.approval_required == "true":
        found.append(approval())
    return found


def _champion(client: MlflowClient, run: Parameters) -> Contender | None:
    version = version_of(client, run.model, registry.CHAMPION)
    return None if version is None else contender(client, run.model, version)


def _rows(
    spark: SparkSession, run: Parameters, client: MlflowClient, models: list[Contender]
) -> tuple[LabelledRows, tuple[leaks.Evidence, ...]]:
    """Return the rows of the first month after every model's, and what is known of leaks.

    The candidate's last month is looked at as well: nothing of the tested month may be there.
    """
    through = [registry.trained_through(client, run, model.version) for model in models]
    month = following(max(through))
    if month > run.last_month:
        raise NotFound("month that no model has seen", month, hint="there is no later data")
    joined = features.labelled(spark, run, [through[0], month])
    split = f"month = '{month}'"
    with held(joined.whole) as whole:  # joined once, for every look and for the rows themselves
        evidence = leaks.find(spark, joined, cutoff="known_at", split=split, lag=run.leak_lag)
        tested = to_pandas(whole.where(split).drop(*features.CONTEXT))
    evidence += features.replayed(spark, run, month)
    return LabelledRows(tested, label=features.LABEL, name=month), evidence


def headline(verdicts: tuple[Verdict, ...]) -> str:
    """Return what was missed or is waited for, then the measured quality, as one line."""
    missed = [f"{verdict.gate}: {verdict.reason}" for verdict in verdicts if not verdict.passed]
    told = {verdict.gate: verdict.reason for verdict in verdicts if verdict.passed}
    measured = [told[gate] for gate in ("minimum_auc", "no_worse_than_champion") if gate in told]
    return "; ".join([*missed, *measured])


if __name__ == "__main__":
    main()
