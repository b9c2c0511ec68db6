"""Load what stands for evaluation, ask every gate, keep what they said.

The Delta table `model_evaluations` has evaluated_at TIMESTAMP, model, version, champion STRING,
rows STRING, row_count BIGINT, gate STRING, passed, pending BOOLEAN, measured, limit DOUBLE,
reason, run STRING, slice, metric STRING, low, high DOUBLE. One row is a verdict, with `metric`
NULL; the rows of the same gate with a `metric` are its figures, by slice where it has slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from laketop.errors import GateFailed, NotFound
from laketop.ml import tables
from laketop.ml.gates import Contender, Gate, LabelledRows, Verdict
from laketop.ml.locks import LOCK_FILE, pins

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.tracking import MlflowClient
    from numpy.typing import NDArray
    from pyspark.sql import SparkSession

EVALUATIONS = (
    "evaluated_at timestamp, model string, version string, champion string, rows string, "
    "row_count bigint, gate string, passed boolean, pending boolean, measured double, "
    "limit double, reason string, run string, slice string, metric string, low double, high double"
)


def contender(client: MlflowClient, name: str, version: str) -> Contender:
    """Return version `version` of the registered model `name`.

    It is loaded at its first prediction, so that one that cannot be loaded fails its gates.
    Errors: MLflow's own when there is no such version.
    """
    import mlflow
    import numpy as np

    uri = f"models:/{name}/{version}"
    told = client.get_model_version(name, version)
    signature = mlflow.models.get_model_info(uri).signature
    columns = None if signature is None else signature.inputs
    outputs = None if signature is None else signature.outputs
    inputs = (
        {} if columns is None else dict(zip(columns.input_names(), _types(columns), strict=True))
    )
    loaded: list[Any] = []

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        if not loaded:
            loaded.append(mlflow.pyfunc.load_model(uri))
        return np.asarray(loaded[0].predict(frame[list(inputs)] if inputs else frame), dtype=float)

    return Contender(
        name=name,
        version=str(version),
        predict=predict,
        inputs=inputs,
        outputs=0 if outputs is None else len(outputs.inputs),
        tags=dict(told.tags),
        description=told.description or "",
        author=told.user_id or "",
        requirements=_requirements(uri),
        uri=uri,
    )


def evaluate(
    candidate: Contender, champion: Contender | None, rows: LabelledRows, gates: Iterable[Gate]
) -> tuple[Verdict, ...]:
    """Return the verdict of every gate, in order; none is left out when one fails.

    A gate that a contender makes fail with an error, such as a model that cannot predict, is a
    verdict that has not passed, with the error's sentence as its reason, which names the champion
    where it is the champion's; predictions that are no numbers are told with whose they are.
    """
    against = None if champion is None else replace(_guarded(champion), role="champion")
    judged = replace(candidate, role="candidate")
    return tuple(_verdict(gate, judged, against, rows) for gate in gates)


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
    """Append verdicts and figures to `<schema>.model_evaluations`; `schema` is catalog.schema."""
    at = now or datetime.now(UTC)
    against = None if champion is None else champion.version
    facts = (at, candidate.name, candidate.version, against, rows.name)
    written: list[tuple[Any, ...]] = []
    for v in verdicts:
        judged = (v.gate, v.passed, v.pending)
        told = (v.measured, v.limit, v.reason, run)
        written.append((*facts, len(rows), *judged, *told, None, None, None, None))
        for m in v.measures:
            figure = (m.slice or None, m.metric, m.low, m.high)
            written.append((*facts, m.rows, *judged, m.measured, None, None, run, *figure))
    name = f"{schema}.model_evaluations"
    tables.provide(spark, name, EVALUATIONS)
    tables.append(spark, name, spark.createDataFrame(written, schema=EVALUATIONS))


def evaluation_of(
    spark: SparkSession, schema: str, *, model: str, version: str, run: str | None = None
) -> tuple[list[Verdict], str | None]:
    """Return the newest verdicts on a version, and the champion that it was compared with.

    With `run`, the newest of that run.
    Errors: NotFound when the version was not evaluated.
    """
    from pyspark.sql import functions as F

    name = f"{schema}.model_evaluations"
    if not tables.exists(spark, name):
        raise NotFound("evaluation of the version", f"{model}/{version}")
    tables.provide(spark, name, EVALUATIONS)
    wanted = (F.col("model") == model) & (F.col("version") == str(version))
    wanted = wanted & F.col("metric").isNull()
    if run is not None:
        wanted = wanted & (F.col("run") == run)
    rows = spark.table(name).where(wanted).collect()
    newest = max((row["evaluated_at"] for row in rows), default=None)
    if newest is None:
        raise NotFound("evaluation of the version", f"{model}/{version}")
    chosen = [row for row in rows if row["evaluated_at"] == newest]
    names = ("gate", "passed", "pending", "measured", "limit", "reason")
    return [Verdict(**{n: row[n] for n in names}) for row in chosen], chosen[0]["champion"]


class _ChampionFailed(Exception):
    """The champion, not the candidate, could not predict."""


def _guarded(champion: Contender) -> Contender:
    """Return the champion so that what it raises says whose error it is."""

    def predict(frame: pd.DataFrame) -> NDArray[np.float64]:
        try:
            return champion.predict(frame)
        except Exception as error:
            raise _ChampionFailed(
                f"the champion, version {champion.version!r}, failed: {_said(error)}"
            ) from error

    return replace(champion, predict=predict)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def _verdict(
    gate: Gate, candidate: Contender, champion: Contender | None, rows: LabelledRows
) -> Verdict:
    try:
        return gate(candidate, champion, rows)
    except Exception as error:  # noqa: BLE001 - a model may raise anything, and that is a finding
        reason = str(error) if isinstance(error, _ChampionFailed) else _said(error)
        name = getattr(gate, "__qualname__", "gate").partition(".")[0]
        return Verdict(gate=name, passed=False, reason=reason)


def _requirements(uri: str) -> tuple[str, ...]:
    """Return the pins of the model's lock, or the lines of its requirements where it has none."""
    from mlflow.artifacts import load_text
    from mlflow.exceptions import MlflowException

    for name in (LOCK_FILE, "requirements.txt"):
        try:
            text = load_text(f"{uri}/{name}")
        except (MlflowException, OSError):
            continue
        if name == LOCK_FILE:
            return tuple(f"{package}=={version}" for package, version in pins(text).items())
        return tuple(text.splitlines())
    return ()  # a model without either: the gates on requirements say so


def _types(schema: Any) -> list[str]:
    return [str(getattr(kind, "name", kind)) for kind in schema.input_types()]
