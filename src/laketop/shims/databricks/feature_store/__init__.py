"""`databricks.feature_store`: the older import path of `databricks.feature_engineering`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from laketop.ml.features import FeatureEngineeringClient, FeatureFunction, FeatureLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from laketop.ml.features import FeatureTable, TrainingSet

__all__ = [
    "FeatureEngineeringClient",
    "FeatureFunction",
    "FeatureLookup",
    "FeatureStoreClient",
    "feature_table",
]


class FeatureStoreClient(FeatureEngineeringClient):
    """The older client, which takes its first arguments by position.

    Feature tables are those of Unity Catalog.
    """

    # Its documented signatures are not those of the newer client, so it stands in for it nowhere.

    def __init__(
        self,
        feature_store_uri: str | None = None,
        model_registry_uri: str | None = None,
        **options: Any,
    ) -> None:
        if feature_store_uri is not None:
            from laketop.errors import Refused

            raise Refused("FeatureStoreClient(feature_store_uri=...)", hint="leave it out")
        super().__init__(model_registry_uri=model_registry_uri, **options)

    def create_table(
        self, name: str, primary_keys: Any, df: DataFrame | None = None, **options: Any
    ) -> FeatureTable:
        """Create a feature table."""
        return super().create_table(name=name, primary_keys=primary_keys, df=df, **options)

    def get_table(self, name: str) -> FeatureTable:
        """Return what is known of a feature table."""
        return super().get_table(name=name)

    def read_table(self, name: str) -> DataFrame:
        """Return the rows of a feature table."""
        return super().read_table(name=name)

    def write_table(self, name: str, df: DataFrame, mode: str = "merge", **options: Any) -> Any:
        """Merge rows into a feature table by its key."""
        return super().write_table(name=name, df=df, mode=mode, **options)

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
        feature_lookups: Any,
        label: Any,
        exclude_columns: Any = None,
        **options: Any,
    ) -> TrainingSet:
        """Return `df` with features, each as of the row's own time."""
        return super().create_training_set(
            df=df,
            feature_lookups=feature_lookups,
            label=label,
            exclude_columns=exclude_columns,
            **options,
        )

    def log_model(  # type: ignore[override]
        self, model: object, artifact_path: str, *, flavor: Any, **options: Any
    ) -> Any:
        """Log a model with the feature spec of its training set."""
        return super().log_model(model=model, artifact_path=artifact_path, flavor=flavor, **options)

    def score_batch(
        self, model_uri: str, df: DataFrame, result_type: Any = "double", **options: Any
    ) -> DataFrame:
        """Return `df` with features and the model's prediction."""
        return super().score_batch(model_uri=model_uri, df=df, result_type=result_type, **options)

    def publish_table(self, name: str, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        """Refuse: the older client published to databases outside of Databricks."""
        from laketop.errors import Refused

        raise Refused(
            f"FeatureStoreClient.publish_table(name={name!r}, ...)",
            hint="publish with databricks.feature_engineering, to a store of create_online_store",
        )


def feature_table(compute: Callable[..., DataFrame]) -> Callable[..., DataFrame]:
    """Give a function that computes features the method `compute_and_write`."""

    def compute_and_write(
        input: dict[str, Any],  # noqa: A002  # the documented name
        feature_table_name: str,
        mode: str = "merge",
    ) -> DataFrame:
        rows = compute(**input)
        FeatureStoreClient().write_table(feature_table_name, rows, mode=mode)
        return rows

    compute.compute_and_write = compute_and_write  # type: ignore[attr-defined]
    return compute
