"""What follows from evidence of leaks: the features that leak, a table, a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from laketop.errors import GateFailed
from laketop.ml import tables
from laketop.ml.evidence import Evidence

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "leak_evidence"
COLUMNS = (
    "recorded_at timestamp, run string, model string, version string, data string, "
    "feature string, table string, check string, measured double, limit double, leaking boolean, "
    "rows bigint, reason string"
)


def leaking(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the features that leak, "(split)" for the split, in order, once each."""
    return tuple(dict.fromkeys(x.feature or "(split)" for x in evidence if x.leaking))


def record(
    spark: SparkSession,
    schema: str,
    evidence: Sequence[Evidence],
    *,
    model: str | None = None,
    version: str | None = None,
    data: str | None = None,
    run: str | None = None,
) -> None:
    """Append the evidence to the table `leak_evidence` of `schema`, which has COLUMNS.

    `model` and `version` are what was trained on the set, `data` says which rows it has, and `run`
    which run has looked; the rows of one call have the same `recorded_at`.
    """
    about = (datetime.now(UTC), run, model, version, data)
    rows = [(*about, *asdict(x).values()) for x in evidence]
    name = f"{schema}.{TABLE}"
    tables.provide(spark, name, COLUMNS)
    tables.append(spark, name, spark.createDataFrame(rows, COLUMNS))


def require(evidence: Sequence[Evidence]) -> None:
    """Raise GateFailed, its hint the reason, for the first evidence of a leak."""
    for x in evidence:
        if x.leaking:
            gate = f"leaks: {x.check} of {x.feature or 'the split'}"
            raise GateFailed(gate, measured=x.measured, limit=x.limit, hint=x.reason)
