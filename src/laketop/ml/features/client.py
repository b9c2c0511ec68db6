"""The client of feature tables, by the names and signatures of Databricks' own.

The behaviour is written from the public documentation, on Spark, Delta and MLflow alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laketop.errors import NotFound, Refused
from laketop.ml import streaming, tables
from laketop.ml.features import (
    apart,
    feature_table,
    logged_model,
    named_spec,
    resolving,
    scoring,
    training_set,
)
from laketop.ml.features.definitions import FeatureFunction, FeatureLookup, listed, refuse
from laketop.ml.features.feature_table import FeatureTable
from laketop.ml.features.online import OnlineStores
from laketop.ml.features.spec import FeatureSpec
from laketop.ml.features.training_set import TrainingSet

if TYPE_CHECKING:
    from types import ModuleType

    from mlflow.models.model import ModelInfo
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.types import DataType, StructType

EVERY_FIVE_MINUTES = {"processingTime": "5 minutes"}

# Documented, and not done here: each needs a service that a laptop does not have.
REFUSED = {
    "create_feature_serving_endpoint": "serve a model, which looks its features up itself",
    "create_online_table": "publish the feature table to an online store with publish_table",
    "delete_feature_serving_endpoint": "there is no such endpoint",
    "get_feature_serving_endpoint": "there is no such endpoint",
}


class FeatureEngineeringClient(OnlineStores):
    """Feature tables in Delta, training sets as of a time, models with their feature spec."""

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
        partition_columns: str | Sequence[str] | None = None,
        schema: StructType | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> FeatureTable:
        """Create a feature table from `df`, whose rows are written, or empty from `schema`.

        The older `timeseries_column` and `timestamp_keys` are taken as `timeseries_columns`.
        Shapes: `primary_keys` includes the time series column, or leaves it to
        `timeseries_columns`; key columns become NOT NULL.
        Errors: ValueError without `df` and `schema`, for a table that is there already, for a key
        that they lack, that is NULL or comes twice; nothing is left of the table then.
        """
        for older in ("timeseries_column", "timestamp_keys"):
            timeseries_columns = timeseries_columns or kwargs.pop(older, None)
        refuse("create_table", kwargs)
        if df is None and schema is None:
            raise ValueError(f"create_table of {name!r} needs df or schema")
        columns = schema if schema is not None else df.schema  # type: ignore[union-attr]
        table = replace(
            feature_table.defined(
                name,
                columns,
                keys=listed(primary_keys),
                times=listed(timeseries_columns),
                partitions=listed(partition_columns),
            ),
            description=description or "",
            tags=dict(tags or {}),
        )
        if tables.exists(self.spark, name):
            raise ValueError(f"the table {name!r} is there already")
        if df is not None:
            feature_table.check_keys(table, df)
        feature_table.create(self.spark, table, columns)
        if df is not None:
            self._fill(table, df.select(*map(tables.quoted_column, columns.names)))
        return table

    def _fill(self, table: FeatureTable, df: DataFrame) -> None:
        try:
            df.writeTo(table.name).append()
        except BaseException:
            self.spark.sql(f"DROP TABLE {tables.quoted(table.name)}")
            raise

    def get_table(self, *, name: str) -> FeatureTable:
        """Return what is known of the feature table `name`.

        Errors: NotFound when there is no such table, or when it is no feature table.
        """
        return feature_table.found(self.spark, name)

    def read_table(self, *, name: str) -> DataFrame:
        """Return the rows of the feature table `name`.

        Errors: NotFound when it is not there, or is no feature table.
        """
        self.get_table(name=name)
        return self.spark.table(name)

    def write_table(
        self,
        *,
        name: str,
        df: DataFrame,
        mode: str = "merge",
        checkpoint_location: str | None = None,
        trigger: Mapping[str, Any] = EVERY_FIVE_MINUTES,
    ) -> StreamingQuery | None:
        """Merge the rows of `df` into the feature table `name` by its key.

        A streaming `df` starts a query, which is returned: it merges each micro-batch, in output
        mode update, so that every row counts exactly once as long as `checkpoint_location` stays.
        `trigger` is what `DataStreamWriter.trigger` takes, and of no use to a batch.
        Shapes: `df` holds the whole key and, for a table without time, any subset of features.
        Errors: Refused for another mode, and for a checkpoint without a stream; ValueError for
        columns that are missing or unknown, keys of another type, and a key that is NULL or comes
        twice, which ends a stream. Nothing is written then, of a stream nothing of that batch.
        """
        if mode != "merge":
            raise Refused(f"write_table(mode={mode!r})", hint="use mode='merge'")
        if checkpoint_location is not None and not df.isStreaming:
            hint = "leave it out, or read df with spark.readStream"
            raise Refused("checkpoint_location of a df that is no stream", hint=hint)
        table = self.get_table(name=name)
        feature_table.check_rows(self.spark, table, df)
        if df.isStreaming:
            return streaming.merging(
                df, name, table.keys, trigger=trigger, checkpoint_location=checkpoint_location
            )
        feature_table.check_keys(table, df)
        tables.merge_unique(self.spark, name, df, table.keys)
        return None

    def drop_table(self, *, name: str) -> None:
        """Drop the feature table `name`.

        Errors: NotFound when it is not there, or is no feature table.
        """
        self.get_table(name=name)
        self.spark.sql(f"DROP TABLE {tables.quoted(name)}")

    def set_feature_table_tag(self, *, name: str, key: str, value: str) -> None:
        """Set a tag of the feature table `name`; `get_table` tells it.

        Errors: NotFound when it is not there, or is no feature table.
        """
        self.get_table(name=name)
        tables.set_properties(self.spark, name, {feature_table.TAG + key: value})

    def delete_feature_table_tag(self, *, name: str, key: str) -> None:
        """Delete a tag of the feature table `name`.

        Errors: NotFound when the table or the tag is not there.
        """
        if key not in self.get_table(name=name).tags:
            raise NotFound(f"tag of {name!r}", key)
        tables.unset_property(self.spark, name, feature_table.TAG + key)

    def create_feature_spec(
        self,
        *,
        name: str,
        features: Sequence[FeatureLookup | FeatureFunction],
        exclude_columns: str | Sequence[str] | None = None,
    ) -> FeatureSpec:
        """Keep `features` under `name`, a function of the catalog, for training sets to use.

        Errors: those of `create_training_set`; Spark's own when the name is taken.
        """
        spec, _ = resolving.resolved(
            self.spark, features, schema=None, labels=(), exclude_columns=listed(exclude_columns)
        )
        named_spec.create(self.spark, name, spec)
        return spec

    def delete_feature_spec(self, *, name: str) -> None:
        """Delete the feature spec `name`.

        Errors: NotFound when it is not there.
        """
        named_spec.delete(self.spark, name)

    def create_training_set(
        self,
        *,
        df: DataFrame,
        feature_lookups: Sequence[FeatureLookup | FeatureFunction] | None = None,
        feature_spec: str | None = None,
        label: str | Sequence[str] | None,
        exclude_columns: str | Sequence[str] | None = None,
        use_spark_native_join: bool = False,  # noqa: ARG002  # every join here is Spark's own
        **kwargs: Any,
    ) -> TrainingSet:
        """Return `df` with features, each as of the row's own time.

        Give `feature_lookups`, or the name of a `feature_spec`. The feature tables are read at
        their present Delta version, which the spec records. A feature may be asked by the output
        of another; functions are computed after the lookups that they do not feed.
        `use_spark_native_join` changes nothing: the join is one Spark plan in any case.
        Shapes: the columns of `df` in their order, then the features in theirs.
        Errors: ValueError for columns that clash, are missing or of another type; NotFound for
        unknown tables, features, functions and specs; Refused for anything else in the list.
        """
        refuse("create_training_set", kwargs)
        if feature_spec is not None and feature_lookups is not None:
            raise ValueError("give feature_lookups or feature_spec, not both")
        if df.isStreaming:
            raise Refused("create_training_set of a streaming DataFrame", hint="read it as a table")
        excluded = listed(exclude_columns)
        features = feature_lookups or ()
        if feature_spec is not None:
            kept = named_spec.read(self.spark, feature_spec)
            features = named_spec.features(kept)
            excluded = (
                *kept.exclude_columns,
                *(n for n in excluded if n not in kept.exclude_columns),
            )
        spec, sources = resolving.resolved(
            self.spark, features, schema=df.schema, labels=listed(label), exclude_columns=excluded
        )
        made = training_set.trained(df, spec, sources)
        resolving.check_functions(spec, made.whole)
        return made

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

        Without `signature` it is inferred from five rows of the training set and the predictions
        for them; `infer_input_example` keeps these rows as the input example. Other keyword
        arguments go to `flavor.save_model`, but `tags`, which are those of the version. The tables
        become inputs of the active run and tags of the registered version; without an active run
        they are tags alone.
        Errors: ValueError for a signature that takes columns which `training_set` does not give;
        MLflow's own. No version is there then, and none is ever without its tags.
        """
        if self._registry_uri is not None:
            _use_registry(self._registry_uri)
        return logged_model.logged(
            model,
            flavor,
            training_set=training_set,
            infer_input_example=infer_input_example,
            name=name or artifact_path or "model",
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            **kwargs,
        )

    def score_batch(
        self,
        *,
        model_uri: str,
        df: DataFrame,
        result_type: str | DataType = "double",
        env_manager: str = "local",
        params: Mapping[str, Any] | None = None,
        use_spark_native_join: bool = False,  # noqa: ARG002  # every join here is Spark's own
    ) -> DataFrame:
        """Return `df` with the model's features and, as last column, `prediction`.

        A feature that `df` already brings is taken from it and not looked up. The features are
        those of now, each as of the row's own time. A feature without a match is NULL, or its
        default. With `env_manager` "virtualenv" or "uv" the model runs in a new environment of
        its own Python and requirements, those of its lock where it has one; it is there as long as
        this process.
        Errors: NotFound for a model without a feature spec and for tables or features that are
        gone, ValueError for an input that `df` lacks or has in another type, LaketopError for an
        environment that cannot be built, with the requirement; Refused for "conda", except on
        Databricks.
        """
        apart.check(env_manager)
        if self._registry_uri is not None:
            _use_registry(self._registry_uri)
        return scoring.scored(
            self.spark,
            model_uri,
            df,
            result_type=result_type,
            env_manager=env_manager,
            params=params,
        )

    def look_up(self, spec: FeatureSpec, df: DataFrame) -> DataFrame:
        """Return `df` with the features of `spec` that it does not bring itself, as of now.

        Errors: those of `score_batch`.
        """
        return training_set.looked_up(self.spark, spec, df)

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name not in REFUSED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def refused(*_: object, **__: object) -> object:
            raise Refused(f"FeatureEngineeringClient.{name}", hint=REFUSED[name])

        return refused


def _use_registry(uri: str) -> None:
    import mlflow

    mlflow.set_registry_uri(uri)
