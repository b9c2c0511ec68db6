"""Scoring in batch: features looked up for keys, predictions as a column."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.ml import tables
from laketop.ml.features import apart
from laketop.ml.features.spec import read_spec
from laketop.ml.features.training_set import looked_up

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType

PREDICTION = "prediction"

_NUMBERS = {"byte", "short", "integer", "long", "float", "double", "decimal"}
_TIMES = {"timestamp", "timestamp_ntz", "date"}
_SIMPLE = {"number", "string", "boolean", "binary", *_TIMES}
_KINDS = {
    **{name: {"number"} for name in ("integer", "long", "float", "double")},
    "string": {"string"},
    "boolean": {"boolean"},
    "binary": {"binary"},
    "datetime": _TIMES,
}
"""Which types of Spark's fit a type of a signature."""


def scored(
    spark: SparkSession,
    model_uri: str,
    df: DataFrame,
    *,
    result_type: str | DataType,
    env_manager: str,
    params: Mapping[str, Any] | None,
) -> DataFrame:
    """Return `df` with its features and, as last column, `prediction`.

    Errors: NotFound for a model without a feature spec; ValueError when `df` has a column of
    that name already, lacks an input or has it in a type that no conversion makes the model's, or
    the model has no signature; those of `apart.function`.
    """
    import mlflow

    if PREDICTION in df.columns:
        raise ValueError(f"the rows to score have a column {PREDICTION!r} already")
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri))
    joined = looked_up(spark, read_spec(folder), df)
    inputs = _inputs(folder, model_uri)
    names = [name for name, _ in inputs]
    schema = joined.schema
    missing = [name for name in names if name not in schema.names]
    if missing:
        raise ValueError(f"the model {model_uri!r} takes {missing!r}, which the rows to score lack")
    for name, wanted in inputs:
        if (other := misfit(schema[name].dataType, wanted)) is not None:
            raise ValueError(
                f"{name!r} is {other}, but the model {model_uri!r} takes it as {wanted}"
            )
    given = {"result_type": result_type, "params": None if params is None else dict(params)}
    predict = apart.function(spark, folder, env_manager=env_manager, name=model_uri, given=given)
    return joined.withColumn(PREDICTION, predict(*map(tables.quoted_column, names)))


def _inputs(folder: Path, model_uri: str) -> list[tuple[str, str]]:
    """Return names and types of what a model takes, in the words of MLflow's signatures."""
    from mlflow.models.model import Model

    columns: Any = Model.load(str(folder)).signature
    if columns is None or columns.inputs is None:
        raise ValueError(f"the model {model_uri!r} has no signature with inputs")
    kinds = [] if columns.inputs.is_tensor_spec() else columns.inputs.input_types()
    names = list(columns.inputs.input_names())
    return [*zip_longest(names, (getattr(kind, "name", "") for kind in kinds), fillvalue="")]


def misfit(given: DataType, wanted: str) -> str | None:
    """Return the type that a column has, if no value of it can be what the model takes.

    Numbers are left to MLflow, which converts what loses nothing.
    """
    kind = _KINDS.get(wanted)
    held = "number" if given.typeName().partition("(")[0] in _NUMBERS else given.typeName()
    fits = kind is None or held in kind or held not in _SIMPLE
    return None if fits else given.simpleString()
