"""Features, gates, promotion and monitoring that run unchanged on a laptop and on Databricks.

Every name is loaded when it is first used: importing this package loads neither Spark nor MLflow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laketop.errors import (
        ExpectationFailed,
        GateFailed,
        LaketopError,
        NotFound,
        Refused,
        Superseded,
    )
    from laketop.ml.approvals import approve, wait_for_approval
    from laketop.ml.calibration import (
        calibration_metrics,
        reliability,
        reliability_figure,
    )
    from laketop.ml.evaluation import (
        contender,
        evaluate,
        evaluation_of,
        outcome,
        record_evaluation,
        require,
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
        not_future,
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
        Measure,
        Verdict,
        approval,
        auc,
        auc_difference,
        auc_interval,
        calibrated,
        calibration_error,
        clean_environment,
        compatible_schema,
        compliance_tags,
        delong_difference,
        delong_interval,
        documentation,
        fairness,
        inference_time,
        licences,
        maximum_error,
        minimum_auc,
        minimum_slice_auc,
        no_larger_error_than_champion,
        no_leak,
        no_worse_than_champion,
        repeatable,
        reproducible,
        robustness,
        signature,
        vulnerabilities,
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
        promote,
        record_promotion,
        roll_back,
        settle,
        start_over,
        version_of,
    )
    from laketop.ml.promotion_log import Decision
    from laketop.ml.reproduction import Recipe, restore, rows_sha256
    from laketop.ml.splits import (
        TimeSplitter,
        split_at,
    )
    from laketop.ml.tables import (
        append,
        at_version,
        current_version,
        exists,
        held,
        merge,
        mirror,
        properties,
        provide,
        set_properties,
        to_pandas,
    )
    from laketop.ml.tracking import code_version, provenance, record
    from laketop.ml.tuning import (
        Budget,
        Found,
        search,
    )

_HOMES = {
    "laketop.errors": (
        "ExpectationFailed",
        "GateFailed",
        "LaketopError",
        "NotFound",
        "Refused",
        "Superseded",
    ),
    "laketop.ml.approvals": ("approve", "wait_for_approval"),
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
        "not_future",
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
    "laketop.ml.reproduction": ("Recipe", "restore", "rows_sha256"),
    "laketop.ml.splits": (
        "TimeSplitter",
        "split_at",
    ),
    "laketop.ml.evaluation": (
        "contender",
        "evaluate",
        "evaluation_of",
        "outcome",
        "record_evaluation",
        "require",
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
        "Measure",
        "Verdict",
        "approval",
        "auc",
        "auc_difference",
        "auc_interval",
        "calibrated",
        "calibration_error",
        "clean_environment",
        "compatible_schema",
        "compliance_tags",
        "delong_difference",
        "delong_interval",
        "documentation",
        "fairness",
        "inference_time",
        "licences",
        "maximum_error",
        "minimum_auc",
        "minimum_slice_auc",
        "no_larger_error_than_champion",
        "no_leak",
        "no_worse_than_champion",
        "repeatable",
        "reproducible",
        "robustness",
        "signature",
        "vulnerabilities",
    ),
    "laketop.ml.monitoring": ("psi", "refresh"),
    "laketop.ml.promotion": (
        "challenge",
        "promote",
        "record_promotion",
        "roll_back",
        "settle",
        "start_over",
        "version_of",
    ),
    "laketop.ml.promotion_log": ("Decision",),
    "laketop.ml.tables": (
        "append",
        "at_version",
        "current_version",
        "exists",
        "held",
        "merge",
        "mirror",
        "properties",
        "provide",
        "set_properties",
        "to_pandas",
    ),
    "laketop.ml.tracking": ("code_version", "provenance", "record"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Balance",
    "Budget",
    "Checked",
    "Contender",
    "Decision",
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
    "Measure",
    "ModelCard",
    "NotFound",
    "Recipe",
    "Refused",
    "Superseded",
    "TimeSplitter",
    "TrainingSet",
    "Verdict",
    "WithFiles",
    "append",
    "approval",
    "approve",
    "at_version",
    "auc",
    "auc_difference",
    "auc_interval",
    "calibrated",
    "calibration_error",
    "calibration_metrics",
    "challenge",
    "check",
    "checked_label",
    "clean_environment",
    "code_version",
    "compatible_schema",
    "complete",
    "compliance_tags",
    "contender",
    "current_version",
    "delong_difference",
    "delong_interval",
    "documentation",
    "evaluate",
    "evaluation_of",
    "exists",
    "expect",
    "expect_or_drop",
    "expect_or_fail",
    "fairness",
    "fresh",
    "held",
    "inference_time",
    "licences",
    "lock_tag",
    "maximum_error",
    "merge",
    "minimum_auc",
    "minimum_slice_auc",
    "mirror",
    "no_larger_error_than_champion",
    "no_leak",
    "no_worse_than_champion",
    "not_future",
    "outcome",
    "prior_corrected",
    "promote",
    "properties",
    "provenance",
    "provide",
    "psi",
    "read_spec",
    "record",
    "record_evaluation",
    "record_promotion",
    "refresh",
    "reliability",
    "reliability_figure",
    "repeatable",
    "reproducible",
    "require",
    "restore",
    "robustness",
    "roll_back",
    "rows_sha256",
    "search",
    "set_properties",
    "settle",
    "shap_summary",
    "shap_values",
    "signature",
    "split_at",
    "start_over",
    "to_pandas",
    "version_of",
    "vulnerabilities",
    "wait_for_approval",
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
