"""Approvals of model versions, by somebody other than their author."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from laketop.errors import LaketopError
from laketop.ml.gates.approval import APPROVED_BY
from laketop.ml.promotion import CHAMPION, record_promotion, version_of

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient
    from pyspark.sql import SparkSession

APPROVED = "approved"
_FIRST_LOOK_SECONDS = 0.25


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

    laketop's registry lets nobody set the tag to another name than the own; elsewhere whoever may
    set tags of the version may.
    Errors: LaketopError when `by` is nobody, or the author of the version; MLflow's own when
    there is no such version, or the tag is refused.
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

    Looks are `look_seconds` apart, but closer to each other at first.
    Errors: LaketopError when nobody has in `timeout_seconds`, or the author has.
    """
    ends = time.monotonic() + timeout_seconds
    pause = min(_FIRST_LOOK_SECONDS, look_seconds)
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
        time.sleep(min(pause, max(0.0, ends - time.monotonic())))
        pause = min(1.5 * pause, look_seconds)
