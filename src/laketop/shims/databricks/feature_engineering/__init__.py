"""`databricks.feature_engineering`: the client of feature tables, by `laketop.ml.features`."""

from __future__ import annotations

from laketop.errors import Refused
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
    "UpgradeClient",
]


class UpgradeClient:
    """What moves feature tables of a workspace to Unity Catalog; here there are none to move."""

    def __init__(self) -> None:
        raise Refused(
            "UpgradeClient, for feature tables outside Unity Catalog,",
            hint="a Delta table of the catalog with a PRIMARY KEY is a feature table as it is",
        )
