"""Feature tables, point-in-time training sets, and models that know their features.

The names and signatures are those of Databricks' `FeatureEngineeringClient`; the behaviour is
written from its public documentation, on Spark, Delta and MLflow alone.

A model logged with a training set carries `feature_spec.json` beside its `MLmodel` file:

```
{"format": 1,
 "label": "late",
 "exclude_columns": ["known_at"],
 "inputs": ["origin", "known_at", "distance"],
 "lookups": [{"table": "dev.flights.weather_features", "version": 3,
              "primary_keys": ["origin"], "timeseries_column": "known_at",
              "lookup_key": ["origin"], "timestamp_lookup_key": "known_at",
              "lookback_seconds": 7200.0, "feature_names": ["temp"],
              "rename_outputs": {}, "default_values": {}}]}
```

`inputs` are the columns that a frame to be scored must bring; `version` is the Delta version that
the training set was read from, while scoring reads the newest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.errors import NotFound, Refused
from laketop.ml import tables

if TYPE_CHECKING:
    from types import ModuleType

    from mlflow.models.model import ModelInfo
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

SPEC_FILE = "feature_spec.json"
SPEC_FORMAT = 1
PRIMARY_KEYS = "feature.primary_keys"
TIMESERIES_COLUMN = "feature.timeseries_column"
DESCRIPTION = "comment"

_TUPLES = ("primary_keys", "lookup_key", "feature_names")
_LATER = frozenset(
    {
        "create_feature_serving_endpoint",
        "create_feature_spec",
        "create_online_store",
        "delete_feature_serving_endpoint",
        "delete_feature_spec",
        "delete_feature_table_tag",
        "delete_online_store",
        "get_feature_serving_endpoint",
        "get_online_store",
        "list_online_stores",
        "publish_table",
        "set_feature_table_tag",
        "update_online_store",
    }
)


def _listed(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


class FeatureLookup:
    """Which features of a table a training set looks up, and by what.

    `lookup_key` names columns of the training frame in the order of the table's primary key,
    the time left out. On a time series table `timestamp_lookup_key` names the column that holds
    the moment of asking: the newest row at or before it is taken, and none that is older than
    `lookback_window`, both ends inclusive. `feature_names` None means every column that is no key.
    `rename_outputs` maps feature to new name, `default_values` feature to the value that fills
    a row without a match.
    """

    def __init__(
        self,
        table_name: str,
        lookup_key: str | Sequence[str],
        *,
        feature_names: str | Sequence[str] | None = None,
        rename_outputs: Mapping[str, str] | None = None,
        timestamp_lookup_key: str | Sequence[str] | None = None,
        lookback_window: timedelta | None = None,
        default_values: Mapping[str, Any] | None = None,
        **unsupported: object,
    ) -> None:
        _refuse("FeatureLookup", unsupported)
        times = _listed(timestamp_lookup_key)
        if len(times) > 1:
            raise ValueError(f"timestamp_lookup_key names {list(times)!r}, more than one column")
        if lookback_window is not None and lookback_window < timedelta(0):
            raise ValueError(f"lookback_window is {lookback_window!r}, which is negative")
        self.table_name = table_name
        self.lookup_key = _listed(lookup_key)
        self.feature_names = None if feature_names is None else _listed(feature_names)
        self.rename_outputs = dict(rename_outputs or {})
        self.timestamp_lookup_key = times[0] if times else None
        self.lookback_window = lookback_window
        self.default_values = dict(default_values or {})


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """What is known of a feature table: its keys, without the time, and its time column."""

    name: str
    primary_keys: tuple[str, ...]
    timeseries_column: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ResolvedLookup:
    """A lookup with nothing left open, as the feature spec keeps it.

    Units: `lookback_seconds` in seconds, None = no limit.
    """

    table: str
    version: int
    primary_keys: tuple[str, ...]
    lookup_key: tuple[str, ...]
    timeseries_column: str | None = None
    timestamp_lookup_key: str | None = None
    lookback_seconds: float | None = None
    feature_names: tuple[str, ...] = ()
    rename_outputs: Mapping[str, str] = field(default_factory=dict)
    default_values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that this lookup adds, in order."""
        return tuple(self.rename_outputs.get(name, name) for name in self.feature_names)


@dataclass(frozen=True, kw_only=True)
class FeatureSpec:
    """How a model's inputs are made: the content of `feature_spec.json`."""

    label: str | None
    inputs: tuple[str, ...]
    lookups: tuple[ResolvedLookup, ...]
    exclude_columns: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the spec as the text of its file."""
        return json.dumps({"format": SPEC_FORMAT} | asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> FeatureSpec:
        """Return the spec that `to_json` wrote.

        Errors: Refused for a format that is not known here.
        """
        body = json.loads(text)
        if (found := body.pop("format", None)) != SPEC_FORMAT:
            raise Refused(f"feature spec format {found!r}", hint=f"this reads {SPEC_FORMAT}")
        lookups = tuple(
            ResolvedLookup(**lookup | {key: tuple(lookup[key]) for key in _TUPLES})
            for lookup in body["lookups"]
        )
        return cls(
            label=body["label"],
            inputs=tuple(body["inputs"]),
            lookups=lookups,
            exclude_columns=tuple(body["exclude_columns"]),
        )

    @property
    def tables(self) -> dict[str, int]:
        """The feature tables with the Delta version that the training set read."""
        return {lookup.table: lookup.version for lookup in self.lookups}


class TrainingSet:
    """A frame with its features looked up, and the spec that says how."""

    def __init__(self, df: DataFrame, spec: FeatureSpec) -> None:
        self._df = df
        self.spec = spec

    def load_df(self) -> DataFrame:
        """Return the rows with their features, without the excluded columns.

        Shapes: one row for each row of the frame that the set was made of, none lost or doubled.
        """
        return self._df.drop(*self.spec.exclude_columns)


class FeatureEngineeringClient:
    """Feature tables in Delta, training sets as of a time, models with their feature spec.

    Keys are kept as table properties (`feature.primary_keys`, `feature.timeseries_column`), so
    the same code runs where a table constraint cannot say TIMESERIES.
    """

    def __init__(
        self, *, model_registry_uri: str | None = None, spark: SparkSession | None = None
    ) -> None:
        self._spark = spark
        self._registry_uri = model_registry_uri

    @property
    def spark(self) -> SparkSession:
        """The session handed in, or the active one."""
        if self._spark is None:
            from pyspark.sql import SparkSession

            self._spark = SparkSession.builder.getOrCreate()
        return self._spark

    def create_table(
        self,
        *,
        name: str,
        primary_keys: str | Sequence[str],
        df: DataFrame | None = None,
        timeseries_columns: str | Sequence[str] | None = None,
        schema: StructType | None = None,
        description: str | None = None,
        **unsupported: object,
    ) -> FeatureTable:
        """Create a feature table from `df`, whose rows are written, or empty from `schema`.

        Shapes: `primary_keys` includes the time series column, or leaves it to
        `timeseries_columns`; key columns become NOT NULL.
        Errors: ValueError without `df` and `schema`, or for a key that they lack.
        """
        for older in ("timeseries_column", "timestamp_keys"):
            timeseries_columns = timeseries_columns or unsupported.pop(older, None)  # type: ignore[assignment]
        _refuse("create_table", unsupported)
        if df is None and schema is None:
            raise ValueError(f"create_table of {name!r} needs df or schema")
        columns = schema if schema is not None else df.schema  # type: ignore[union-attr]
        table = _table(name, columns, _listed(primary_keys), _listed(timeseries_columns))
        table = replace(table, description=description or "")
        self.spark.sql(_create_statement(table, columns))
        if df is not None:
            df.select(*columns.names).writeTo(name).append()
        return table

    def get_table(self, *, name: str) -> FeatureTable:
        """Return what is known of the feature table `name`.

        Errors: NotFound when there is no such table, or when it is no feature table.
        """
        found = tables.properties(self.spark, name)
        if PRIMARY_KEYS not in found:
            raise NotFound("feature table", name, hint="make it with create_table")
        return FeatureTable(
            name=name,
            primary_keys=tuple(json.loads(found[PRIMARY_KEYS])),
            timeseries_column=found.get(TIMESERIES_COLUMN),
            description=found.get(DESCRIPTION, ""),
        )

    def read_table(self, *, name: str) -> DataFrame:
        """Return the rows of the feature table `name`."""
        self.get_table(name=name)
        return self.spark.table(name)

    def write_table(
        self, *, name: str, df: DataFrame, mode: str = "merge", **unsupported: object
    ) -> None:
        """Merge the rows of `df` into the feature table `name` by its key.

        Shapes: `df` holds the whole key and, for a table without time, any subset of features.
        Errors: Refused for another mode or a stream, ValueError for a key that comes twice.
        """
        _refuse("write_table", unsupported)
        if mode != "merge":
            raise Refused(f"write_table(mode={mode!r})", hint="use mode='merge'")
        if df.isStreaming:
            raise Refused("write_table of a streaming DataFrame", hint="merge in foreachBatch")
        table = self.get_table(name=name)
        keys = [*table.primary_keys, *_listed(table.timeseries_column)]
        lacking = [c for c in self.spark.table(name).columns if c not in df.columns]
        if table.timeseries_column is not None and lacking:
            raise ValueError(f"rows for the time series table {name!r} lack {lacking!r}")
        tables.merge(self.spark, name, df, keys)

    def drop_table(self, *, name: str) -> None:
        """Drop the feature table `name`.

        Errors: NotFound when it is not there, or is no feature table.
        """
        self.get_table(name=name)
        self.spark.sql(f"DROP TABLE {tables.quoted(name)}")

    def create_training_set(
        self,
        *,
        df: DataFrame,
        feature_lookups: Sequence[FeatureLookup] | None = None,
        label: str | None,
        exclude_columns: str | Sequence[str] | None = None,
        **unsupported: object,
    ) -> TrainingSet:
        """Return `df` with the features of `feature_lookups`, each as of the row's own time.

        The feature tables are read at their present Delta version, which the spec records.
        Errors: ValueError for columns that clash or are missing, NotFound for unknown tables
        and features, Refused for anything but a FeatureLookup.
        """
        _refuse("create_training_set", unsupported)
        lookups = tuple(self._resolved(lookup, df) for lookup in feature_lookups or ())
        _check_outputs(df, label, lookups)
        made = {name for lookup in lookups for name in lookup.outputs}
        spec = FeatureSpec(
            label=label,
            inputs=tuple(name for name in df.columns if name != label and name not in made),
            lookups=lookups,
            exclude_columns=_listed(exclude_columns),
        )
        pairs = [(x, tables.at_version(self.spark, x.table, x.version)) for x in lookups]
        return TrainingSet(_joined(df, pairs), spec)

    def log_model(
        self,
        *,
        model: object,
        flavor: ModuleType,
        artifact_path: str | None = None,
        name: str | None = None,
        training_set: TrainingSet | None = None,
        registered_model_name: str | None = None,
        await_registration_for: int = 300,
        infer_input_example: bool = False,
        **kwargs: Any,
    ) -> ModelInfo:
        """Log `model` with `flavor` and, beside it, the feature spec of `training_set`.

        Without `signature` it is inferred from five rows of the training set and the
        predictions for them. Other keyword arguments go to `flavor.save_model`.
        Errors: Refused for `infer_input_example`; MLflow's own.
        """
        import mlflow
        from mlflow.models.model import Model

        if infer_input_example:
            raise Refused("log_model(infer_input_example=True)", hint="pass input_example")
        if self._registry_uri is not None:
            mlflow.set_registry_uri(self._registry_uri)
        if training_set is not None and "signature" not in kwargs:
            kwargs["signature"] = _signature(model, training_set)
        logged: ModelInfo = Model.log(
            artifact_path=None,
            name=name or artifact_path or "model",
            flavor=_WithSpec(flavor, None if training_set is None else training_set.spec),
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            **{_MODEL_ARGUMENT.get(flavor.__name__, _last(flavor.__name__) + "_model"): model},
            **kwargs,
        )
        return logged

    def score_batch(
        self,
        *,
        model_uri: str,
        df: DataFrame,
        result_type: str | DataType = "double",
        env_manager: str = "local",
        **unsupported: object,
    ) -> DataFrame:
        """Return `df` with the model's features and, as last column, `prediction`.

        A feature that `df` already brings is taken from it and not looked up. The features are
        those of now, each as of the row's own time.
        Errors: ValueError for an input that `df` lacks, Refused for other environments.
        """
        import mlflow

        _refuse("score_batch", unsupported)
        if env_manager != "local":
            raise Refused(f"score_batch(env_manager={env_manager!r})", hint="use 'local'")
        folder = _downloaded(model_uri, self._registry_uri)
        joined = self.look_up(read_spec(folder), df)
        names = _input_names(folder)
        predict = mlflow.pyfunc.spark_udf(self.spark, str(folder), result_type=result_type)
        return joined.withColumn("prediction", predict(*(_column(name) for name in names)))

    def look_up(self, spec: FeatureSpec, df: DataFrame) -> DataFrame:
        """Return `df` with the features of `spec` that it does not bring itself.

        Errors: ValueError for an input that `df` lacks.
        """
        given = set(df.columns)
        missing = [name for name in spec.inputs if name not in given]
        if missing:
            raise ValueError(f"the rows to score lack the columns {missing!r}")
        pairs = []
        for lookup in spec.lookups:
            both = zip(lookup.feature_names, lookup.outputs, strict=True)
            names = tuple(name for name, output in both if output not in given)
            if names:
                wanted = replace(lookup, feature_names=names)
                pairs.append((wanted, self.spark.table(lookup.table)))
        return _joined(df, pairs)

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name not in _LATER:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def refused(*_: object, **__: object) -> object:
            raise Refused(f"FeatureEngineeringClient.{name}")

        return refused

    def _resolved(self, lookup: object, df: DataFrame) -> ResolvedLookup:
        if not isinstance(lookup, FeatureLookup):
            raise Refused(type(lookup).__name__, hint="look features up with FeatureLookup")
        table = self.get_table(name=lookup.table_name)
        schema = self.spark.table(lookup.table_name).schema
        _check_lookup(lookup, table, schema, df)
        keys = {*table.primary_keys, *_listed(table.timeseries_column)}
        names = lookup.feature_names
        window = lookup.lookback_window
        return ResolvedLookup(
            table=lookup.table_name,
            version=tables.current_version(self.spark, lookup.table_name),
            primary_keys=table.primary_keys,
            lookup_key=lookup.lookup_key,
            timeseries_column=table.timeseries_column,
            timestamp_lookup_key=lookup.timestamp_lookup_key,
            lookback_seconds=None if window is None else window.total_seconds(),
            feature_names=tuple(n for n in schema.names if n not in keys)
            if names is None
            else names,
            rename_outputs=lookup.rename_outputs,
            default_values=lookup.default_values,
        )


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


def read_spec(folder: Path) -> FeatureSpec:
    """Return the feature spec of the model that was saved in `folder`.

    Errors: NotFound when the model was logged without a training set.
    """
    file = folder / SPEC_FILE
    if not file.is_file():
        raise NotFound("feature spec", str(folder), hint="log the model with a training set")
    return FeatureSpec.from_json(file.read_text(encoding="utf-8"))


def _refuse(function: str, unsupported: Mapping[str, object]) -> None:
    for name, value in unsupported.items():
        if value is not None and value is not False:
            raise Refused(f"{function}({name}=...)")


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _table(
    name: str, schema: StructType, keys: tuple[str, ...], times: tuple[str, ...]
) -> FeatureTable:
    if len(times) > 1:
        raise ValueError(f"the feature table {name!r} has {list(times)!r}, more than one time")
    missing = [key for key in (*keys, *times) if key not in schema.names]
    if missing or not keys:
        raise ValueError(f"the feature table {name!r} lacks the key columns {missing!r}")
    time = times[0] if times else None
    if time is not None and schema[time].dataType.typeName() not in {"timestamp", "date"}:
        raise ValueError(f"the time series column {time!r} is neither a timestamp nor a date")
    return FeatureTable(
        name=name,
        primary_keys=tuple(key for key in keys if key != time),
        timeseries_column=time,
    )


def _create_statement(table: FeatureTable, schema: StructType) -> str:
    keys = {*table.primary_keys, *_listed(table.timeseries_column)}
    columns = ", ".join(
        f"{tables.quoted_column(column.name)} {column.dataType.simpleString()}"
        + (" NOT NULL" if column.name in keys else "")
        for column in schema.fields
    )
    values = {PRIMARY_KEYS: json.dumps(table.primary_keys)}
    if table.timeseries_column is not None:
        values[TIMESERIES_COLUMN] = table.timeseries_column
    pairs = ", ".join(f"{tables.literal(k)} = {tables.literal(v)}" for k, v in values.items())
    comment = f" COMMENT {tables.literal(table.description)}" if table.description else ""
    return (
        f"CREATE TABLE {tables.quoted(table.name)} ({columns}) USING DELTA{comment} "
        f"TBLPROPERTIES ({pairs})"
    )


def _check_lookup(
    lookup: FeatureLookup, table: FeatureTable, schema: StructType, df: DataFrame
) -> None:
    time = lookup.timestamp_lookup_key
    unknown = [name for name in (*lookup.lookup_key, *_listed(time)) if name not in df.columns]
    if unknown:
        raise ValueError(f"the training frame lacks the lookup columns {unknown!r}")
    if len(lookup.lookup_key) != len(table.primary_keys):
        raise ValueError(
            f"lookup_key {list(lookup.lookup_key)!r} does not match the primary key "
            f"{list(table.primary_keys)!r} of {table.name!r}"
        )
    for key in table.primary_keys:
        if schema[key].dataType.typeName() in {"timestamp", "date"}:
            raise Refused(
                f"a lookup in {table.name!r}, whose key column {key!r} is a time but no "
                "time series,",
                hint=f"create the table with timeseries_columns={key!r}",
            )
    if (table.timeseries_column is None) != (time is None):
        expected = "needs" if time is None else "is no time series table and takes no"
        raise ValueError(f"{table.name!r} {expected} timestamp_lookup_key")
    if lookup.lookback_window is not None and time is None:
        raise ValueError(f"lookback_window on {table.name!r} needs a time series table")
    if time is not None and table.timeseries_column is not None:
        wanted, given = schema[table.timeseries_column].dataType, df.schema[time].dataType
        if wanted != given:
            raise ValueError(
                f"{time!r} is {given.simpleString()}, but {table.timeseries_column!r} of "
                f"{table.name!r} is {wanted.simpleString()}"
            )
    for name in (*(lookup.feature_names or ()), *lookup.rename_outputs, *lookup.default_values):
        if name not in schema.names:
            raise NotFound(f"feature of {table.name!r}", name)


def _check_outputs(df: DataFrame, label: str | None, lookups: Sequence[ResolvedLookup]) -> None:
    if label is not None and label not in df.columns:
        raise ValueError(f"the training frame lacks the label column {label!r}")
    seen = set(df.columns)
    for lookup in lookups:
        for name in lookup.outputs:
            if name in seen:
                raise ValueError(
                    f"the feature {name!r} of {lookup.table!r} is there already; "
                    "give it another name with rename_outputs"
                )
            seen.add(name)


def _signature(model: object, training_set: TrainingSet) -> object:
    from mlflow.models import infer_signature

    rows = training_set.load_df().limit(5).toPandas()
    inputs = rows.drop(columns=[training_set.spec.label] if training_set.spec.label else [])
    return infer_signature(inputs, model.predict(inputs))  # type: ignore[attr-defined]


def _downloaded(model_uri: str, registry_uri: str | None) -> Path:
    import mlflow

    if registry_uri is not None:
        mlflow.set_registry_uri(registry_uri)
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri))


def _input_names(folder: Path) -> list[str]:
    from mlflow.models.model import Model

    columns: Any = Model.load(str(folder)).signature
    if columns is None or columns.inputs is None:
        raise ValueError(f"the model in {str(folder)!r} has no signature with inputs")
    return list(columns.inputs.input_names())


def _column(name: str) -> Any:
    from pyspark.sql import functions as F

    return F.col(tables.quoted_column(name))


_Pair = tuple[ResolvedLookup, "DataFrame"]


def _joined(df: DataFrame, pairs: Sequence[_Pair]) -> DataFrame:
    wanted = [*df.columns, *(name for lookup, _ in pairs for name in lookup.outputs)]
    groups: dict[tuple[tuple[str, ...], str], list[_Pair]] = {}
    for lookup, source in pairs:
        if lookup.timestamp_lookup_key is None:
            df = _equal_join(df, lookup, source)
        else:
            key = lookup.lookup_key, lookup.timestamp_lookup_key
            groups.setdefault(key, []).append((lookup, source))
    for (keys, asked), group in groups.items():
        df = _as_of_join(df, group, keys=keys, asked=asked)
    return df.select(*(_column(name) for name in wanted))


def _outputs(lookup: ResolvedLookup, match: Any, schema: StructType) -> list[Any]:
    from pyspark.sql import functions as F

    columns = []
    for feature in lookup.feature_names:
        value = match.getField(feature)
        if feature in lookup.default_values:
            default = F.lit(lookup.default_values[feature]).cast(schema[feature].dataType)
            value = F.coalesce(value, default)
        columns.append(value.alias(lookup.rename_outputs.get(feature, feature)))
    return columns


def _equal_join(df: DataFrame, lookup: ResolvedLookup, source: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    names = [f"__key_{i}" for i in range(len(lookup.primary_keys))]
    features = F.struct(*(_column(name) for name in lookup.feature_names))
    right = source.dropDuplicates(list(lookup.primary_keys)).select(
        *(_column(key).alias(name) for key, name in zip(lookup.primary_keys, names, strict=True)),
        features.alias("__match"),
    )
    pairs = zip(lookup.lookup_key, names, strict=True)
    on = [_column(column) == F.col(name) for column, name in pairs]
    return df.join(right, on, "left").select(
        *(_column(name) for name in df.columns),
        *_outputs(lookup, F.col("__match"), source.schema),
    )


def _as_of_join(
    df: DataFrame, pairs: Sequence[_Pair], *, keys: Sequence[str], asked: str
) -> DataFrame:
    # All sides in one column of time, sorted within each key; the last row of each feature table
    # is carried forward. A feature row sorts before an asking row of the same moment, so `<=`
    # holds, and as a struct it keeps the NULLs inside it. One shuffle by key for all tables that
    # are asked by the same columns, never a product of the sides.
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    names = [f"__key_{i}" for i in range(len(keys))]
    both = df.select(
        *(_column(key).alias(name) for key, name in zip(keys, names, strict=True)),
        _column(asked).alias("__time"),
        F.struct(*(_column(name) for name in df.columns)).alias("__row"),
    )
    for i, (lookup, source) in enumerate(pairs):
        both = both.unionByName(
            _told(lookup, source, names, match=f"__match_{i}"), allowMissingColumns=True
        )
    so_far = (
        Window.partitionBy(*names)
        .orderBy("__time", F.col("__row").isNotNull())
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    matches = [f"__match_{i}" for i in range(len(pairs))]
    found = {name: F.last(name, ignorenulls=True).over(so_far) for name in matches}
    usable = {
        name: F.when(_usable(lookup, name, names), F.col(name))
        for name, (lookup, _) in zip(matches, pairs, strict=True)
    }
    outputs = [
        output
        for name, (lookup, source) in zip(matches, pairs, strict=True)
        for output in _outputs(lookup, F.col(name), source.schema)
    ]
    return (
        both.withColumns(found)
        .where(F.col("__row").isNotNull())
        .withColumns(usable)
        .select("__row.*", *outputs)
    )


def _told(
    lookup: ResolvedLookup, source: DataFrame, names: Sequence[str], *, match: str
) -> DataFrame:
    from pyspark.sql import functions as F

    time = _column(lookup.timeseries_column or "")
    features = (_column(name) for name in lookup.feature_names)
    return source.where(time.isNotNull()).select(
        *(_column(key).alias(name) for key, name in zip(lookup.primary_keys, names, strict=True)),
        time.alias("__time"),
        F.struct(time.alias("__since"), *features).alias(match),
    )


def _usable(lookup: ResolvedLookup, match: str, names: Sequence[str]) -> Any:
    from pyspark.sql import functions as F

    usable = F.col("__time").isNotNull()
    for name in names:
        usable = usable & F.col(name).isNotNull()
    if lookup.lookback_seconds is not None:
        window = F.make_dt_interval(secs=F.lit(lookup.lookback_seconds))
        usable = usable & (F.col(match).getField("__since") >= F.col("__time") - window)
    return usable
