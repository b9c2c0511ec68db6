"""Models that carry their feature spec, and know the tables that they were trained on.

The spec is a file of the model; the tables become dataset inputs of the run, from which Unity
Catalog draws lineage when the version is registered, and two tags of the model version:
`feature_tables` (`["dev.flights.weather_features@v3"]`) and `feature_functions`, JSON lists. A
version is made with its tags, so that none is ever there without them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.ml import tables
from laketop.ml.features.scoring import misfit
from laketop.ml.features.spec import SPEC_FILE, FeatureSpec

if TYPE_CHECKING:
    from types import ModuleType

    from mlflow.models import ModelSignature
    from mlflow.models.model import ModelInfo
    from pyspark.sql import SparkSession

    from laketop.ml.features.training_set import TrainingSet

FEATURE_TABLES = "feature_tables"
FEATURE_FUNCTIONS = "feature_functions"
SAMPLE = 5  # rows, for a signature or an input example

# The keyword of `save_model` that takes the model, where it is not `<flavor>_model`.
_MODEL_ARGUMENT = {
    "mlflow.lightgbm": "lgb_model",
    "mlflow.pyfunc": "python_model",
    "mlflow.pytorch": "pytorch_model",
    "mlflow.sklearn": "sk_model",
    "mlflow.tensorflow": "model",
    "mlflow.transformers": "transformers_model",
    "mlflow.xgboost": "xgb_model",
}


def logged(
    model: object,
    flavor: ModuleType,
    *,
    training_set: TrainingSet | None,
    infer_input_example: bool,
    **options: Any,
) -> ModelInfo:
    """Log `model` with `flavor`, the spec of `training_set` beside it, and its lineage.

    `tags` among the options become tags of the logged model and of the registered version.
    Errors: ValueError when the signature asks for columns that `training_set` does not give, or
    gives in another type; MLflow's own. Nothing is logged then, and there is no version.
    """
    import mlflow
    from mlflow.models.model import Model

    if training_set is not None:
        _check_signature(options.get("signature"), training_set)
        _describe(model, training_set, options, example=infer_input_example)
        if mlflow.active_run() is not None:
            _record_inputs(training_set.whole.sparkSession, training_set.spec)
    spec = None if training_set is None else training_set.spec
    tags = {**(options.pop("tags", None) or {}), **({} if spec is None else _tags(spec))}
    argument = _MODEL_ARGUMENT.get(flavor.__name__, _last(flavor.__name__) + "_model")
    info: ModelInfo = Model.log(
        artifact_path=None,
        flavor=_WithSpec(flavor, spec),
        tags=tags or None,
        **{argument: model},
        **options,
    )
    if tags and info.registered_model_version is not None:
        _complete(options["registered_model_name"], str(info.registered_model_version), tags)
    return info


class _WithSpec:
    """An MLflow flavor that writes the feature spec into what another flavor saves."""

    def __init__(self, flavor: ModuleType, spec: FeatureSpec | None) -> None:
        self.__name__ = flavor.__name__
        self._flavor = flavor
        self._spec = spec

    def save_model(self, path: str, **kwargs: Any) -> None:
        """Save with the inner flavor, then add the spec."""
        self._flavor.save_model(path=path, **kwargs)
        if self._spec is not None:
            (Path(path) / SPEC_FILE).write_text(self._spec.to_json(), encoding="utf-8")


def _check_signature(signature: ModelSignature | None, training_set: TrainingSet) -> None:
    """Raise ValueError for inputs that rows with the features of `training_set` would not have."""
    inputs: Any = None if signature is None else signature.inputs
    if inputs is None or not inputs.has_input_names():  # a tensor takes all that there is
        return
    schema = training_set.load_df().drop(*training_set.spec.labels).schema
    missing = [name for name in inputs.required_input_names() if name not in schema.names]
    if missing:
        raise ValueError(
            f"the signature takes {missing!r}, which the training set does not give: "
            f"its features are {schema.names!r}"
        )
    if inputs.is_tensor_spec():
        return
    for name, kind in zip(inputs.input_names(), inputs.input_types(), strict=True):
        wanted = getattr(kind, "name", "")
        if name not in schema.names:  # it may be left out
            continue
        if (other := misfit(schema[name].dataType, wanted)) is not None:
            raise ValueError(
                f"the signature takes {name!r} as {wanted}, but the training set gives {other}"
            )


def _describe(
    model: object, training_set: TrainingSet, options: dict[str, Any], *, example: bool
) -> None:
    from mlflow.models import infer_signature

    wants_signature = options.get("signature") is None
    wants_example = example and options.get("input_example") is None
    if not (wants_signature or wants_example):
        return
    rows = tables.to_pandas(training_set.load_df().drop(*training_set.spec.labels).limit(SAMPLE))
    if wants_example:
        options["input_example"] = rows
    if wants_signature:
        predicted = model.predict(rows)  # type: ignore[attr-defined]  # any flavor's model
        options["signature"] = infer_signature(rows, predicted)


def _record_inputs(spark: SparkSession, spec: FeatureSpec) -> None:
    import mlflow
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    datasets: list[Any] = []
    for name, version in sorted(spec.tables.items()):
        source = DeltaDatasetSource(
            delta_table_name=name,
            delta_table_version=version,
            delta_table_id=tables.identifier(spark, name),
        )
        datasets.append(MetaDataset(source, name=name))  # type: ignore[abstract]  # by mistake
    if datasets:
        mlflow.log_inputs(
            datasets=datasets,
            contexts=["features"] * len(datasets),
            tags_list=[{}] * len(datasets),
        )


def _tags(spec: FeatureSpec) -> dict[str, str]:
    values = {
        FEATURE_TABLES: [f"{name}@v{number}" for name, number in sorted(spec.tables.items())],
        FEATURE_FUNCTIONS: sorted({function.udf_name for function in spec.functions}),
    }
    return {key: json.dumps(names) for key, names in values.items() if names}


def _complete(model: str, version: str, tags: Mapping[str, str]) -> None:
    """Set what is missing: an older MLflow gives tags to the logged model alone."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    held = client.get_model_version(model, version).tags
    for key, value in tags.items():
        if held.get(key) != value:
            client.set_model_version_tag(model, version, key, value)


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
