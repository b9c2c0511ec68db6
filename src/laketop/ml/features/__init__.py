"""Feature tables, point-in-time training sets, and models that know their features.

`client` and `online` have the methods, `definitions` and `spec` what they take and keep,
`point_in_time` the join; `apart` and `forwarding` let a model predict in its own environment;
`feature_table`, `training_set`, `named_spec`, `logged_model`, `scoring` and `completing` do one
thing each.
"""

from __future__ import annotations

from laketop.ml.features.client import FeatureEngineeringClient
from laketop.ml.features.definitions import FeatureFunction, FeatureLookup
from laketop.ml.features.feature_table import FeatureTable
from laketop.ml.features.online import OnlineStore, PublishedTable
from laketop.ml.features.spec import (
    SPEC_FILE,
    FeatureSpec,
    ResolvedFunction,
    ResolvedLookup,
    read_spec,
)
from laketop.ml.features.training_set import TrainingSet

__all__ = [
    "SPEC_FILE",
    "FeatureEngineeringClient",
    "FeatureFunction",
    "FeatureLookup",
    "FeatureSpec",
    "FeatureTable",
    "OnlineStore",
    "PublishedTable",
    "ResolvedFunction",
    "ResolvedLookup",
    "TrainingSet",
    "read_spec",
]
