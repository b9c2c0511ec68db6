"""`databricks.feature_engineering`: the client of feature tables, by `laketop.ml.features`."""

from __future__ import annotations

from laketop.ml.features import (
    FeatureEngineeringClient,
    FeatureFunction,
    FeatureLookup,
    FeatureSpec,
    TrainingSet,
)

__all__ = [
    "FeatureEngineeringClient",
    "FeatureFunction",
    "FeatureLookup",
    "FeatureSpec",
    "TrainingSet",
]
