"""From challenger to champion and back: aliases of a registered model, one winner at a time.

At every moment of a promotion there is a champion, the old one or the new one. What is about to
happen is written to `promotions` first (see `promotion_log`), so a process that is killed leaves
a record that the next call completes.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from laketop.errors import NotFound, Superseded
from laketop.ml.promotion_log import (
    DONE,
    PROMOTED,
    PROMOTING,
    ROLLED_BACK,
    ROLLING_BACK,
    STARTED_OVER,
    STARTING_OVER,
    Decision,
    DeltaLog,
    Log,
)

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient
    from pyspark.sql import SparkSession

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"

_NOT_THERE = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}


def version_of(client: MlflowClient, name: str, alias: str) -> str | None:
    """Return the version that `alias` of the model `name` points to, None if to nothing."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code in _NOT_THERE:
            return None
        raise


def challenge(
    spark: SparkSession,
    client: MlflowClient,
    schema: str,
    *,
    model: str,
    version: str,
    run: str = "",
) -> None:
    """Let the alias `challenger` of `model` point to `version`, and write it to `promotions`.

    Shapes: a row with outcome "challenger", `previous` the challenger until then.
    Errors: MLflow's own when there is no such version; nothing is written then.
    """
    decision = Decision(model=model, version=str(version), outcome=CHALLENGER, run=run)
    challenge_in(DeltaLog(spark, schema), client, decision)


def challenge_in(log: Log, client: MlflowClient, decision: Decision) -> None:
    """Let the decision's version be the challenger; see `challenge`."""
    model, version = decision.model, decision.version
    client.get_model_version(model, version)
    log.add(dataclasses.replace(decision, previous=version_of(client, model, CHALLENGER)))
    client.set_registered_model_alias(model, CHALLENGER, version)


def start_over(
    spark: SparkSession,
    client: MlflowClient,
    schema: str,
    *,
    model: str,
    reason: str = "",
    run: str = "",
) -> Decision | None:
    """Take the aliases `challenger`, `previous` and `champion` away, and return the decision.

    The versions stay. Where there is no champion nothing is decided: None.
    Shapes: a row with outcome "started over", `previous` the champion until then.
    Errors: Superseded when somebody else was first.
    """
    decision = Decision(model=model, version="", outcome=STARTING_OVER, reason=reason, run=run)
    return start_over_in(DeltaLog(spark, schema), client, decision)


def start_over_in(log: Log, client: MlflowClient, decision: Decision) -> Decision | None:
    """Take the aliases of the decision's model away; see `start_over`."""
    model = decision.model
    last = settle_in(log, client, model)
    _remove(client, model, CHALLENGER)
    champion = version_of(client, model, CHAMPION)
    if champion is None:
        _remove(client, model, PREVIOUS)
        return None
    return _move(log, client, dataclasses.replace(decision, previous=champion), last)


def promote(
    spark: SparkSession,
    client: MlflowClient,
    schema: str,
    *,
    model: str,
    version: str,
    against: str | None,
    approved_by: str = "",
    reason: str = "",
    run: str = "",
) -> Decision:
    """Make `version` the champion, the old one `previous`, and return the decision.

    `against` is the champion that the version was compared with, None for none; of several
    versions compared with one champion only the first is promoted. A repeated call changes
    nothing more. `schema`, as catalog.schema, holds the table `promotions`.
    Errors: Superseded when the champion is another by now; MLflow's own when there is no such
    version.
    """
    decision = Decision(
        model=model,
        version=str(version),
        outcome=PROMOTING,
        previous=against,
        approved_by=approved_by,
        reason=reason,
        run=run,
    )
    return promote_in(DeltaLog(spark, schema), client, decision)


def promote_in(log: Log, client: MlflowClient, decision: Decision) -> Decision:
    """Take the decision's version from `decision.previous` to champion; see `promote`."""
    model, version = decision.model, decision.version
    client.get_model_version(model, version)
    last = settle_in(log, client, model)
    champion = version_of(client, model, CHAMPION)
    if champion == version:
        return _standing(last, decision)
    if champion != decision.previous:
        raise Superseded(model, version, against=decision.previous, champion=champion)
    return _move(log, client, decision, last)


def roll_back(
    spark: SparkSession,
    client: MlflowClient,
    schema: str,
    *,
    model: str,
    by: str = "",
    reason: str = "",
    run: str = "",
) -> Decision:
    """Make the previous version the champion again, and return the decision.

    Its `version` is the champion from now on, its `previous` the one that was taken back.
    Errors: NotFound when there is no previous version; Superseded when somebody else was first.
    """
    decision = Decision(
        model=model, version="", outcome=ROLLING_BACK, approved_by=by, reason=reason, run=run
    )
    return roll_back_in(DeltaLog(spark, schema), client, decision)


def roll_back_in(log: Log, client: MlflowClient, decision: Decision) -> Decision:
    """Take the champion back to the previous version; see `roll_back`."""
    model = decision.model
    last = settle_in(log, client, model)
    previous = version_of(client, model, PREVIOUS)
    if previous is None:
        raise NotFound("previous version of the model", model)
    champion = version_of(client, model, CHAMPION)
    decision = dataclasses.replace(decision, version=previous, previous=champion)
    return _move(log, client, decision, last)


def settle(spark: SparkSession, client: MlflowClient, schema: str, *, model: str) -> str | None:
    """Complete a move that was cut short, and return the champion, None if there is none."""
    settle_in(DeltaLog(spark, schema), client, model)
    return version_of(client, model, CHAMPION)


def settle_in(log: Log, client: MlflowClient, model: str) -> Decision | None:
    """Complete the newest move of `model` if it was cut short, and return it."""
    newest = log.newest(model)
    return newest if newest is None or not newest.is_moving else _complete(log, client, newest)


def record_promotion(
    spark: SparkSession,
    schema: str,
    *,
    model: str,
    version: str,
    outcome: str,
    previous: str | None = None,
    approved_by: str = "",
    reason: str = "",
    run: str = "",
) -> None:
    """Append a decision that moves no alias to `<schema>.promotions`, such as "rejected".

    Errors: ValueError for the outcome of a move, which the move itself records.
    """
    if outcome in {*DONE, *DONE.values(), CHALLENGER}:
        raise ValueError(f"the outcome {outcome!r} is recorded by the move itself")
    decision = Decision(
        model=model,
        version=str(version),
        outcome=outcome,
        previous=previous,
        approved_by=approved_by,
        reason=reason,
        run=run,
    )
    DeltaLog(spark, schema).add(decision)


def _move(log: Log, client: MlflowClient, decision: Decision, last: Decision | None) -> Decision:
    """Take the number after `last`, move the aliases, write down that they have moved."""
    number = 1 if last is None or last.number is None else last.number + 1
    claimed = dataclasses.replace(decision, number=number)
    if not log.claim(claimed):
        settle_in(log, client, decision.model)
        champion = version_of(client, decision.model, CHAMPION)
        raise Superseded(
            decision.model, decision.version, against=decision.previous, champion=champion
        )
    _complete(log, client, claimed)
    return dataclasses.replace(claimed, outcome=DONE[claimed.outcome])


def _complete(log: Log, client: MlflowClient, decision: Decision) -> Decision:
    """Move the aliases of the decision, and of any that came after while this one was slow."""
    while True:
        _apply(client, decision)
        if decision.is_moving:
            log.finish(decision)
        newest = log.newest(decision.model) or decision
        if newest.number == decision.number:
            return newest
        decision = newest


def _apply(client: MlflowClient, decision: Decision) -> None:
    """Let the aliases be what the decision says.

    The order is one that always has a champion, but for a new start.
    """
    model, version = decision.model, decision.version
    if decision.outcome in {STARTING_OVER, STARTED_OVER}:
        _remove(client, model, PREVIOUS)
        _remove(client, model, CHAMPION)
        return
    if decision.outcome in {ROLLING_BACK, ROLLED_BACK}:
        client.set_registered_model_alias(model, CHAMPION, version)
        _remove(client, model, PREVIOUS)
        return
    if decision.previous is not None:
        client.set_registered_model_alias(model, PREVIOUS, decision.previous)
    client.set_registered_model_alias(model, CHAMPION, version)
    if version_of(client, model, CHALLENGER) == version:
        _remove(client, model, CHALLENGER)


def _remove(client: MlflowClient, model: str, alias: str) -> None:
    """Delete an alias; one that somebody else has deleted meanwhile is gone as wanted."""
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model_alias(model, alias)
    except MlflowException as error:
        if error.error_code not in _NOT_THERE:
            raise


def _standing(last: Decision | None, decision: Decision) -> Decision:
    """Return the decision by which this version is champion already."""
    if last is not None and last.version == decision.version:
        return last
    return dataclasses.replace(decision, outcome=PROMOTED, previous=None)
