"""From challenger to champion: evaluate, record, move the aliases.

Two Delta tables keep what was decided:

`model_evaluations`: evaluated_at TIMESTAMP, model, version, champion STRING, rows STRING,
row_count BIGINT, gate STRING, passed, pending BOOLEAN, measured, limit DOUBLE, reason, run STRING;
one row a gate.

`promotions`: decided_at TIMESTAMP, model, version, previous STRING, outcome STRING
(promoted, rejected, pending, rolled back), approved_by, reason, run STRING; one row a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from laketop.errors import GateFailed, NotFound
from laketop.ml import tables
from laketop.ml.gates import Contender, Gate, LabelledRows, Verdict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.tracking import MlflowClient
    from numpy.typing import NDArray
    from pyspark.sql import SparkSession

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"

EVALUATIONS = (
    "evaluated_at timestamp, model string, version string, champion string, rows string, "
    "row_count bigint, gate string, passed boolean, pending boolean, measured double, "
    "limit double, reason string, run string"
)
PROMOTIONS = (
    "decided_at timestamp, model string, version string, previous string, outcome string, "
    "approved_by string, reason string, run string"
)


def contender(client: MlflowClient, name: str, version: str) -> Contender:
    """Return version `version` of the registered model `name`, loaded.

    Errors: MLflow's own when there is no such version.
    """
    import mlflow
    import numpy as np

    model = mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    columns = model.metadata.get_input_schema()
    outputs = model.metadata.get_output_schema()
    inputs = (
        {} if columns is None else dict(zip(columns.input_names(), _types(columns), strict=True))
    )

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict(frame[list(inputs)] if inputs else frame), dtype=float)

    return Contender(
        name=name,
        version=str(version),
        predict=predict,
        inputs=inputs,
        outputs=0 if outputs is None else len(outputs.inputs),
        tags=dict(client.get_model_version(name, version).tags),
    )


def version_of(client: MlflowClient, name: str, alias: str) -> str | None:
    """Return the version that `alias` of the model `name` points to, None if to nothing."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND"}:
            return None
        raise


def evaluate(
    candidate: Contender, champion: Contender | None, rows: LabelledRows, gates: Iterable[Gate]
) -> tuple[Verdict, ...]:
    """Return the verdict of every gate, in order; none is left out when one fails."""
    return tuple(gate(candidate, champion, rows) for gate in gates)


def outcome(verdicts: Sequence[Verdict]) -> str:
    """Return "approved", "pending" when only a person is missing, else "rejected".

    Errors: ValueError for no verdict at all: nothing passes that was not measured.
    """
    if not verdicts:
        raise ValueError("no gate was asked, so nothing can be decided")
    if all(verdict.passed for verdict in verdicts):
        return "approved"
    waiting = all(verdict.passed or verdict.pending for verdict in verdicts)
    return "pending" if waiting else "rejected"


def require(verdicts: Sequence[Verdict]) -> None:
    """Raise GateFailed for the first gate that did not pass.

    Errors: GateFailed, with what was measured (NaN where there is no figure).
    """
    for verdict in verdicts:
        if not verdict.passed:
            raise GateFailed(
                verdict.gate,
                measured=float("nan") if verdict.measured is None else verdict.measured,
                limit=float("nan") if verdict.limit is None else verdict.limit,
                hint=verdict.reason,
            )


def record_evaluation(
    spark: SparkSession,
    schema: str,
    verdicts: Sequence[Verdict],
    *,
    candidate: Contender,
    champion: Contender | None,
    rows: LabelledRows,
    run: str = "",
    now: datetime | None = None,
) -> None:
    """Append one row a verdict to `<schema>.model_evaluations`; `schema` is catalog.schema."""
    at = now or datetime.now(UTC)
    against = None if champion is None else champion.version
    facts = (at, candidate.name, candidate.version, against, rows.name, len(rows))
    written = [
        (*facts, v.gate, v.passed, v.pending, v.measured, v.limit, v.reason, run) for v in verdicts
    ]
    tables.append(
        spark, f"{schema}.model_evaluations", spark.createDataFrame(written, schema=EVALUATIONS)
    )


def challenge(client: MlflowClient, name: str, version: str) -> None:
    """Let the alias `challenger` of the model `name` point to `version`."""
    client.set_registered_model_alias(name, CHALLENGER, version)


def promote(client: MlflowClient, name: str, version: str) -> str | None:
    """Make `version` the champion, the old one `previous`, and return the old one.

    At every moment between the steps there is a champion; a repeated call changes nothing more.
    """
    old = version_of(client, name, CHAMPION)
    if old is not None and old != str(version):
        client.set_registered_model_alias(name, PREVIOUS, old)
    client.set_registered_model_alias(name, CHAMPION, version)
    if version_of(client, name, CHALLENGER) == str(version):
        client.delete_registered_model_alias(name, CHALLENGER)
    return old if old != str(version) else version_of(client, name, PREVIOUS)


def roll_back(client: MlflowClient, name: str) -> str:
    """Make the previous version the champion again, and return it.

    Errors: NotFound when there is no previous version.
    """
    previous = version_of(client, name, PREVIOUS)
    if previous is None:
        raise NotFound("previous version of the model", name)
    client.set_registered_model_alias(name, CHAMPION, previous)
    client.delete_registered_model_alias(name, PREVIOUS)
    return previous


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
    now: datetime | None = None,
) -> None:
    """Append one decision to `<schema>.promotions`; `schema` is catalog.schema."""
    at = now or datetime.now(UTC)
    row = (at, model, version, previous, outcome, approved_by, reason, run)
    tables.append(spark, f"{schema}.promotions", spark.createDataFrame([row], schema=PROMOTIONS))


def _types(schema: Any) -> list[str]:
    return [str(getattr(kind, "name", kind)) for kind in schema.input_types()]
