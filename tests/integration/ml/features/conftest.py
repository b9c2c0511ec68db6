"""A client of feature tables on the shared engine."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from laketop.ml import FeatureEngineeringClient


@pytest.fixture
def client(spark: SparkSession) -> FeatureEngineeringClient:
    return FeatureEngineeringClient(spark=spark)
