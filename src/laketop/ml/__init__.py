"""Features, gates, promotion and monitoring that run unchanged on a laptop and on Databricks.

Every name is loaded when it is first used: importing this package loads neither Spark nor MLflow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laketop.errors import GateFailed, LaketopError, NotFound, Refused
    from laketop.ml.features import (
        FeatureEngineeringClient,
        FeatureLookup,
        FeatureSpec,
        FeatureTable,
        TrainingSet,
        read_spec,
    )
    from laketop.ml.gates import (
        Contender,
        Gate,
        LabelledRows,
        Verdict,
        approval,
        auc,
        auc_difference,
        compliance_tags,
        inference_time,
        minimum_auc,
        no_worse_than_champion,
        signature,
    )
    from laketop.ml.monitoring import psi, refresh
    from laketop.ml.promotion import (
        challenge,
        contender,
        evaluate,
        outcome,
        promote,
        record_evaluation,
        record_promotion,
        require,
        roll_back,
        version_of,
    )
    from laketop.ml.tables import (
        append,
        at_version,
        current_version,
        exists,
        merge,
        properties,
        set_properties,
    )
    from laketop.ml.tracking import code_version, provenance, record

_HOMES = {
    "laketop.errors": ("GateFailed", "LaketopError", "NotFound", "Refused"),
    "laketop.ml.features": (
        "FeatureEngineeringClient",
        "FeatureLookup",
        "FeatureSpec",
        "FeatureTable",
        "TrainingSet",
        "read_spec",
    ),
    "laketop.ml.gates": (
        "Contender",
        "Gate",
        "LabelledRows",
        "Verdict",
        "approval",
        "auc",
        "auc_difference",
        "compliance_tags",
        "inference_time",
        "minimum_auc",
        "no_worse_than_champion",
        "signature",
    ),
    "laketop.ml.monitoring": ("psi", "refresh"),
    "laketop.ml.promotion": (
        "challenge",
        "contender",
        "evaluate",
        "outcome",
        "promote",
        "record_evaluation",
        "record_promotion",
        "require",
        "roll_back",
        "version_of",
    ),
    "laketop.ml.tables": (
        "append",
        "at_version",
        "current_version",
        "exists",
        "merge",
        "properties",
        "set_properties",
    ),
    "laketop.ml.tracking": ("code_version", "provenance", "record"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Contender",
    "FeatureEngineeringClient",
    "FeatureLookup",
    "FeatureSpec",
    "FeatureTable",
    "Gate",
    "GateFailed",
    "LabelledRows",
    "LaketopError",
    "NotFound",
    "Refused",
    "TrainingSet",
    "Verdict",
    "append",
    "approval",
    "at_version",
    "auc",
    "auc_difference",
    "challenge",
    "code_version",
    "compliance_tags",
    "contender",
    "current_version",
    "evaluate",
    "exists",
    "inference_time",
    "merge",
    "minimum_auc",
    "no_worse_than_champion",
    "outcome",
    "promote",
    "properties",
    "provenance",
    "psi",
    "read_spec",
    "record",
    "record_evaluation",
    "record_promotion",
    "refresh",
    "require",
    "roll_back",
    "set_properties",
    "signature",
    "version_of",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
