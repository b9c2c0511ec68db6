"""`databricks.feature_store`: the older import path of `databricks.feature_engineering`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from laketop.errors import Refused
from laketop.ml.features import FeatureEngineeringClient, FeatureFunction, FeatureLookup

if TYPE_CHECKING:
    from types import ModuleType

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructType

    from laketop.ml.features import FeatureTable, TrainingSet

__all__ = [
    "FeatureEngineeringClient",
    "FeatureFunction",
    "FeatureLookup",
    "FeatureStoreClient",
    "feature_table",
]

EVERY_FIVE_MINUTES = {"processingTime": "5 minutes"}
_Names = str | Sequence[str] | None

# Documented of the older client alone, and not done here.
REFUSED = {
    "add_data_sources": "lineage is drawn from the tables that a model was trained on",
    "create_feature_table": "use create_table",
    "delete_data_sources": "lineage is drawn from the tables that a model was trained on",
    "drop_online_table": "use databricks.feature_engineering, which has stores of its own",
    "get_feature_table": "use get_table",
    "publish_table": "publish with databricks.feature_engineering, to a store of "
    "create_online_store",
    "register_table": "a Delta table with a PRIMARY KEY is a feature table",
}


class FeatureStoreClient(FeatureEngineeringClient):
    """The older client, which takes its first arguments by position.

    Feature tables are those of Unity Catalog. Its documented signatures are not those of the newer
    client, so it stands in for it nowhere.
    """

    def __init__(
        self,
        feature_store_uri: str | None = None,
        model_registry_uri: str | None = None,
        **options: Any,
    ) -> None:
        if feature_store_uri is not None:
            raise Refused("FeatureStoreClient(feature_store_uri=...)", hint="leave it out")
        super().__init__(model_registry_uri=model_registry_uri, **options)

    def create_table(
        self,
        name: str,
        primary_keys: str | Sequence[str],
        df: DataFrame | None = None,
        *,
        timestamp_keys: _Names = None,
        partition_columns: _Names = None,
        schema: StructType | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> FeatureTable:
        """Create a feature table."""
        if timestamp_keys is not None:
            kwargs["timestamp_keys"] = timestamp_keys
        return super().create_table(
            name=name,
            primary_keys=primary_keys,
            df=df,
            partition_columns=partition_columns,
            schema=schema,
            description=description,
            tags=tags,
            **kwargs,
        )

    def get_table(self, name: str) -> FeatureTable:
        """Return what is known of a feature table."""
        return super().get_table(name=name)

    def read_table(self, name: str, **kwargs: Any) -> DataFrame:
        """Return the rows of a feature table; options were those of other stores."""
        for option in kwargs:
            raise Refused(f"read_table({option}=...)", hint="read the table with spark.read")
        return super().read_table(name=name)

    def write_table(
        self,
        name: str,
        df: DataFrame,
        mode: str = "merge",
        checkpoint_location: str | None = None,
        trigger: Mapping[str, Any] = EVERY_FIVE_MINUTES,
    ) -> Any:
        """Merge rows into a feature table by its key."""
        return super().write_table(
            name=name, df=df, mode=mode, checkpoint_location=checkpoint_location, trigger=trigger
        )

    def drop_table(self, name: str) -> None:
        """Drop a feature table."""
        super().drop_table(name=name)

    def set_feature_table_tag(  # type: ignore[override]
        self, table_name: str, key: str, value: str
    ) -> None:
        """Set a tag of a feature table."""
        super().set_feature_table_tag(name=table_name, key=key, value=value)

    def delete_feature_table_tag(  # type: ignore[override]
        self, table_name: str, key: str
    ) -> None:
        """Delete a tag of a feature table."""
        super().delete_feature_table_tag(name=table_name, key=key)

    def create_training_set(  # type: ignore[override]
        self,
        df: DataFrame,
        feature_lookups: Sequence[FeatureLookup | FeatureFunction],
        label: _Names,
        exclude_columns: str | Sequence[str] = (),
        **kwargs: Any,
    ) -> TrainingSet:
        """Return `df` with features, each as of the row's own time."""
        return super().create_training_set(
            df=df,
            feature_lookups=feature_lookups,
            label=label,
            exclude_columns=exclude_columns,
            **kwargs,
        )

    def log_model(  # type: ignore[override]
        self,
        model: object,
        artifact_path: str,
        *,
        flavor: ModuleType,
        training_set: TrainingSet | None = None,
        registered_model_name: str | None = None,
        await_registration_for: int = 300,
        infer_input_example: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Log a model with the feature spec of its training set."""
        return super().log_model(
            model=model,
            artifact_path=artifact_path,
            flavor=flavor,
            training_set=training_set,
            registered_model_name=registered_model_name,
            await_registration_for=await_registration_for,
            infer_input_example=infer_input_example,
            **kwargs,
        )

    def score_batch(
        self,
        model_uri: str,
        df: DataFrame,
        result_type: str | DataType = "double",
        **options: Any,
    ) -> DataFrame:
        """Return `df` with features and the model's prediction."""
        return super().score_batch(model_uri=model_uri, df=df, result_type=result_type, **options)

    def __getattribute__(self, name: str) -> Any:
        if name not in REFUSED:
            return super().__getattribute__(name)

        def refused(*_: object, **__: object) -> object:
            raise Refused(f"FeatureStoreClient.{name}", hint=REFUSED[name])

        return refused


def feature_table(compute: Callable[..., DataFrame]) -> Callable[..., DataFrame]:
    """Give a function that computes features the method `compute_and_write`."""

    def compute_and_write(
        input: dict[str, Any],  # noqa: A002  # the documented name
        feature_table_name: str,
        mode: str = "merge",
    ) -> DataFrame:
        rows = compute(**input)
        client = FeatureStoreClient(spark=rows.sparkSession)
        client.write_table(feature_table_name, rows, mode=mode)
        return rows

    compute.compute_and_write = compute_and_write  # type: ignore[attr-defined]
    return compute
