"""Features, gates, promotion and monitoring that run unchanged on a laptop and on Databricks.

Every name is loaded when it is first used: importing this package loads neither Spark nor MLflow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laketop.errors import ExpectationFailed, GateFailed, LaketopError, NotFound, Refused
    from laketop.ml.calibration import (
        calibration_metrics,
        reliability,
        reliability_figure,
    )
    from laketop.ml.expectations import (
        Checked,
        Expectation,
        check,
        complete,
        expect,
        expect_or_drop,
        expect_or_fail,
        fresh,
        within,
    )
    from laketop.ml.explain import (
        shap_summary,
        shap_values,
    )
    from laketop.ml.features import (
        FeatureEngineeringClient,
        FeatureFunction,
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
    from laketop.ml.labels import (
        Balance,
        checked_label,
        prior_corrected,
    )
    from laketop.ml.locks import (
        lock_tag,
    )
    from laketop.ml.model_card import (
        ModelCard,
    )
    from laketop.ml.monitoring import psi, refresh
    from laketop.ml.packaging import (
        WithFiles,
    )
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
    from laketop.ml.splits import (
        TimeSplitter,
        split_at,
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
    from laketop.ml.tuning import (
        Budget,
        Found,
        search,
    )

_HOMES = {
    "laketop.errors": ("ExpectationFailed", "GateFailed", "LaketopError", "NotFound", "Refused"),
    "laketop.ml.calibration": (
        "calibration_metrics",
        "reliability",
        "reliability_figure",
    ),
    "laketop.ml.expectations": (
        "Checked",
        "Expectation",
        "check",
        "complete",
        "expect",
        "expect_or_drop",
        "expect_or_fail",
        "fresh",
        "within",
    ),
    "laketop.ml.explain": (
        "shap_summary",
        "shap_values",
    ),
    "laketop.ml.labels": (
        "Balance",
        "checked_label",
        "prior_corrected",
    ),
    "laketop.ml.locks": ("lock_tag",),
    "laketop.ml.model_card": ("ModelCard",),
    "laketop.ml.packaging": ("WithFiles",),
    "laketop.ml.tuning": (
        "Budget",
        "Found",
        "search",
    ),
    "laketop.ml.splits": (
        "TimeSplitter",
        "split_at",
    ),
    "laketop.ml.features": (
        "FeatureEngineeringClient",
        "FeatureFunction",
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
    "Balance",
    "Budget",
    "Checked",
    "Contender",
    "Expectation",
    "ExpectationFailed",
    "FeatureEngineeringClient",
    "FeatureFunction",
    "FeatureLookup",
    "FeatureSpec",
    "FeatureTable",
    "Found",
    "Gate",
    "GateFailed",
    "LabelledRows",
    "LaketopError",
    "ModelCard",
    "NotFound",
    "Refused",
    "TimeSplitter",
    "TrainingSet",
    "Verdict",
    "WithFiles",
    "append",
    "approval",
    "at_version",
    "auc",
    "auc_difference",
    "calibration_metrics",
    "challenge",
    "check",
    "checked_label",
    "code_version",
    "complete",
    "compliance_tags",
    "contender",
    "current_version",
    "evaluate",
    "exists",
    "expect",
    "expect_or_drop",
    "expect_or_fail",
    "fresh",
    "inference_time",
    "lock_tag",
    "merge",
    "minimum_auc",
    "no_worse_than_champion",
    "outcome",
    "prior_corrected",
    "promote",
    "properties",
    "provenance",
    "psi",
    "read_spec",
    "record",
    "record_evaluation",
    "record_promotion",
    "refresh",
    "reliability",
    "reliability_figure",
    "require",
    "roll_back",
    "search",
    "set_properties",
    "shap_summary",
    "shap_values",
    "signature",
    "split_at",
    "version_of",
    "within",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
