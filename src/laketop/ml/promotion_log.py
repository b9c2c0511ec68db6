"""The Delta table `promotions`: what was decided, and the lock that lets one promotion win.

decided_at TIMESTAMP, model, version, previous STRING, outcome STRING, approved_by, reason, run
STRING, number BIGINT, promotion STRING, settled_at TIMESTAMP. `outcome` is "promoted", "rolled
back", "started over", "challenger", "rejected", "pending" or "approved"; while aliases move
"promoting", "rolling back" or "starting over".

Every move of the champion has a `number`, counted from 1 for each model. The row that takes the
next number is written before an alias moves, by a MERGE that inserts only where the number is
free: of two that try at once, Delta's conflict check lets one commit. So the table is log and
lock in one, here and on Databricks, and whoever comes later can finish what a killed process has
begun.
"""

from __future__ import annotations

import dataclasses
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from laketop.errors import LaketopError
from laketop.ml import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PROMOTING = "promoting"
PROMOTED = "promoted"
ROLLING_BACK = "rolling back"
ROLLED_BACK = "rolled back"
STARTING_OVER = "starting over"
STARTED_OVER = "started over"
DONE = {PROMOTING: PROMOTED, ROLLING_BACK: ROLLED_BACK, STARTING_OVER: STARTED_OVER}

COLUMNS = (
    "decided_at timestamp, model string, version string, previous string, outcome string, "
    "approved_by string, reason string, run string, number bigint, promotion string, "
    "settled_at timestamp"
)
_SERIAL = {"delta.isolationLevel": "Serializable"}
_TRIES = 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """One row of `promotions`."""

    model: str
    version: str
    outcome: str
    previous: str | None = None
    approved_by: str = ""
    reason: str = ""
    run: str = ""
    number: int | None = None
    promotion: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    decided_at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    settled_at: datetime | None = None

    @property
    def is_moving(self) -> bool:
        """Whether aliases may still have to be moved for it."""
        return self.outcome in DONE


def provide(spark: SparkSession, name: str) -> None:
    """Create the table `name` of decisions where there is none."""
    _again(lambda: tables.provide(spark, name, COLUMNS, properties=_SERIAL))


class Log(Protocol):
    """Where decisions are kept, and numbers are taken."""

    def newest(self, model: str) -> Decision | None:
        """Return the decision with the highest number, None where there is none."""

    def claim(self, decision: Decision) -> bool:
        """Write the decision if its number is free; return whether it was."""

    def finish(self, decision: Decision) -> None:
        """Write down that the aliases of the decision have moved."""

    def add(self, decision: Decision) -> None:
        """Append a decision that takes no number."""


class DeltaLog:
    """The log in `<schema>.promotions`; `schema` is catalog.schema."""

    def __init__(self, spark: SparkSession, schema: str) -> None:
        self._spark = spark
        self._name = f"{schema}.promotions"
        provide(spark, self._name)

    def newest(self, model: str) -> Decision | None:
        """Return the decision with the highest number, None where there is none."""
        from pyspark.sql import functions as F

        rows = self._spark.table(self._name).where(
            (F.col("model") == model) & F.col("number").isNotNull()
        )
        row = rows.orderBy(F.desc("number")).first()
        return None if row is None else Decision(**row.asDict())

    def claim(self, decision: Decision) -> bool:
        """Write the decision if its number is free; return whether it was."""
        _again(lambda: self._insert_where_free(decision))
        newest = self.newest(decision.model)
        return newest is not None and newest.promotion == decision.promotion

    def finish(self, decision: Decision) -> None:
        """Write down that the aliases of the decision have moved."""
        done = tables.literal(DONE[decision.outcome])
        _again(
            lambda: self._spark.sql(
                f"UPDATE {tables.quoted(self._name)} SET outcome = {done}, "
                f"settled_at = current_timestamp() "
                f"WHERE promotion = {tables.literal(decision.promotion)} "
                f"AND outcome = {tables.literal(decision.outcome)}"
            ).collect()
        )

    def add(self, decision: Decision) -> None:
        """Append a decision that takes no number."""
        _again(lambda: tables.append(self._spark, self._name, self._frame(decision)))

    def _frame(self, decision: Decision) -> DataFrame:
        row = tuple(dataclasses.asdict(decision)[name] for name in _names())
        return self._spark.createDataFrame([row], schema=COLUMNS)

    def _insert_where_free(self, decision: Decision) -> None:
        view = f"decision_{uuid.uuid4().hex}"
        self._frame(decision).createOrReplaceTempView(view)
        names = ", ".join(map(tables.quoted_column, _names()))
        values = ", ".join(f"s.{tables.quoted_column(name)}" for name in _names())
        try:
            self._spark.sql(
                f"MERGE INTO {tables.quoted(self._name)} AS t USING {view} AS s "
                "ON t.model = s.model AND t.number = s.number "
                f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
            ).collect()
        finally:
            self._spark.catalog.dropTempView(view)


def _names() -> list[str]:
    return [column.split(" ")[0] for column in COLUMNS.split(", ")]


def _again(act: Callable[[], object]) -> None:
    """Do it until no other writer comes in between; what is done has to bear repetition.

    Errors: LaketopError when that does not happen for many tries.
    """
    for attempt in range(_TRIES):
        try:
            act()
        except Exception as error:
            if not _is_conflict(error):
                raise
            # Chance is what keeps two writers from meeting again and again; nothing secret.
            time.sleep(random.uniform(0, 0.05 * (1 + attempt)))  # noqa: S311
        else:
            return
    raise LaketopError(
        f"other writers came in between {_TRIES} times", hint="try again when fewer write"
    )


def _is_conflict(error: Exception) -> bool:
    """Return whether Delta, here or on Databricks, says that another writer was first."""
    told = str(error)
    return any(
        sign in told
        for sign in (
            *("DELTA_CONCURRENT", "Concurrent", "DELTA_METADATA_CHANGED", "MetadataChanged"),
            *("DELTA_PROTOCOL_CHANGED", "ProtocolChanged", "TABLE_OR_VIEW_ALREADY_EXISTS"),
            "DELTA_TABLE_ALREADY_EXISTS",
        )
    )
