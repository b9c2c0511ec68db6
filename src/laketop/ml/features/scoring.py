"""Scoring in batch: features looked up for keys, predictions as a column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.errors import Refused
from laketop.ml import tables
from laketop.ml.features.spec import read_spec
from laketop.ml.features.training_set import looked_up

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType

PREDICTION = "prediction"


def scored(
    spark: SparkSession,
    model_uri: str,
    df: DataFrame,
    *,
    result_type: str | DataType,
    params: Mapping[str, Any] | None,
) -> DataFrame:
    """Return `df` with its features and, as last column, `prediction`.

    Errors: NotFound for a model without a feature spec; ValueError when `df` has a column of
    that name already, lacks an input, or the model has no signature.
    """
    import mlflow

    if PREDICTION in df.columns:
        raise ValueError(f"the rows to score have a column {PREDICTION!r} already")
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri))
    joined = looked_up(spark, read_spec(folder), df)
    names = _input_names(folder, model_uri)
    missing = [name for name in names if name not in joined.columns]
    if missing:
        raise ValueError(f"the model {model_uri!r} takes {missing!r}, which the rows to score lack")
    predict = mlflow.pyfunc.spark_udf(
        spark, str(folder), result_type=result_type, params=None if params is None else dict(params)
    )
    return joined.withColumn(PREDICTION, predict(*map(tables.quoted_column, names)))


def check_environment(env_manager: str) -> None:
    """Refuse every environment but the present one.

    Errors: Refused, for the environments that MLflow would build; ValueError for others.
    """
    if env_manager in {"virtualenv", "conda", "uv"}:
        raise Refused(
            f"score_batch(env_manager={env_manager!r})",
            hint="install the model's requirements.txt and use 'local'",
        )
    if env_manager != "local":
        raise ValueError(f"env_manager is {env_manager!r}, neither 'local' nor 'virtualenv'")


def _input_names(folder: Path, model_uri: str) -> list[str]:
    from mlflow.models.model import Model

    columns: Any = Model.load(str(folder)).signature
    if columns is None or columns.inputs is None:
        raise ValueError(f"the model {model_uri!r} has no signature with inputs")
    return list(columns.inputs.input_names())
