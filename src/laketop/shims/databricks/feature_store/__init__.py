"""`databricks.feature_store`: the older import path of `databricks.feature_engineering`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.ml.features import FeatureEngineeringClient, FeatureLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["FeatureEngineeringClient", "FeatureLookup", "FeatureStoreClient"]


class FeatureStoreClient(FeatureEngineeringClient):
    """The older name of the client; feature tables are those of Unity Catalog."""

    def score_batch(self, model_uri: str, df: DataFrame, **options: Any) -> DataFrame:
        """Return `df` with features and the model's prediction."""
        return super().score_batch(model_uri=model_uri, df=df, **options)
