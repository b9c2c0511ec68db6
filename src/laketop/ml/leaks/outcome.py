"""What follows from evidence of leaks: the features that leak, a table, a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from laketop.errors import GateFailed
from laketop.ml import tables
from laketop.ml.evidence import Evidence

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "leak_evidence"
COLUMNS = (
    "feature string, table string, check string, measured double, limit double, leaking boolean, "
    "rows bigint, reason string"
)


def leaking(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the features that leak, "(split)" for the split, in order, once each."""
    return tuple(dict.fromkeys(x.feature or "(split)" for x in evidence if x.leaking))


def record(spark: SparkSession, schema: str, evidence: Sequence[Evidence]) -> None:
    """Append the evidence to the table `leak_evidence` of `schema`, which has COLUMNS."""
    rows = [tuple(asdict(x).values()) for x in evidence]
    tables.append(spark, f"{schema}.{TABLE}", spark.createDataFrame(rows, COLUMNS))


def require(evidence: Sequence[Evidence]) -> None:
    """Raise GateFailed, its hint the reason, for the first evidence of a leak."""
    for x in evidence:
        if x.leaking:
            gate = f"leaks: {x.check} of {x.feature or 'the split'}"
            raise GateFailed(gate, measured=x.measured, limit=x.limit, hint=x.reason)
