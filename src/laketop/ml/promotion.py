"""From challenger to champion and back: aliases of a registered model, one winner at a time.

At every moment of a promotion there is a champion, the old one or the new one. What is about to
happen is written to `promotions` first (see `promotion_log`), so a process that is killed leaves
a record that the next call completes.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from laketop.errors import LaketopError, NotFound, Superseded
from laketop.ml.gates.approval import APPROVED_BY
from laketop.ml.promotion_log import (
    DONE,
    PROMOTED,
    PROMOTING,
    ROLLED_BACK,
    ROLLING_BACK,
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
APPROVED = "approved"

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


def challenge(client: MlflowClient, name: str, version: str) -> None:
    """Let the alias `challenger` of the model `name` point to `version`."""
    client.set_registered_model_alias(name, CHALLENGER, version)


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

    Errors: ValueError for "promoted" or "rolled back", which `promote` and `roll_back` record.
    """
    if outcome in {*DONE, PROMOTED, ROLLED_BACK}:
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


def approve(
    spark: SparkSession,
    client: MlflowClient,
    schema: str,
    *,
    model: str,
    version: str,
    by: str,
    reason: str = "",
) -> None:
    """Approve a version: its tag `approved_by` and a row of `promotions` say by whom.

    Errors: LaketopError when `by` is nobody, or the author of the version; MLflow's own when
    there is no such version.
    """
    author = client.get_model_version(model, version).user_id or ""
    who = approver(by, author=author, model=model, version=version)
    client.set_model_version_tag(model, version, APPROVED_BY, who)
    record_promotion(
        spark,
        schema,
        model=model,
        version=version,
        outcome=APPROVED,
        previous=version_of(client, model, CHAMPION),
        approved_by=who,
        reason=reason,
    )


def approver(by: str, *, author: str, model: str, version: str) -> str:
    """Return who approves.

    Errors: LaketopError when that is nobody, or the author.
    """
    who = by.strip()
    if not who:
        raise LaketopError(f"nobody is named who approves version {version!r} of {model!r}")
    if who.casefold() == author.strip().casefold():
        raise LaketopError(
            f"{who!r} is the author of version {version!r} of {model!r}",
            hint="somebody else has to approve it",
        )
    return who


def wait_for_approval(
    client: MlflowClient,
    *,
    model: str,
    version: str,
    timeout_seconds: float,
    look_seconds: float = 5.0,
) -> str:
    """Wait until somebody other than the author has approved the version, and return who.

    Errors: LaketopError when nobody has in `timeout_seconds`, or the author has.
    """
    ends = time.monotonic() + timeout_seconds
    while True:
        found = client.get_model_version(model, version)
        who = dict(found.tags).get(APPROVED_BY, "")
        if who:
            return approver(who, author=found.user_id or "", model=model, version=version)
        if time.monotonic() >= ends:
            raise LaketopError(
                f"nobody has approved version {version!r} of {model!r} "
                f"in {timeout_seconds:g} seconds",
                hint=f"laketop approve {model} {version} --by NAME",
            )
        time.sleep(min(look_seconds, max(0.0, ends - time.monotonic())))


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
    """Let the aliases be what the decision says, in an order that always has a champion."""
    model, version = decision.model, decision.version
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
