"""What a model must show before it may be promoted.

A gate is a function `(candidate, champion, rows) -> Verdict`; the functions here make gates, one
idea a file.
"""

from laketop.ml.gates.approval import APPROVED_BY, approval
from laketop.ml.gates.calibration import calibrated, calibration_error
from laketop.ml.gates.champion import no_worse_than_champion
from laketop.ml.gates.documentation import compliance_tags, documentation
from laketop.ml.gates.environment import clean_environment
from laketop.ml.gates.error import (
    maximum_error,
    maximum_slice_error,
    mean_interval,
    no_larger_error_than_champion,
)
from laketop.ml.gates.fairness import fairness
from laketop.ml.gates.leakage import no_leak
from laketop.ml.gates.quality import minimum_auc, minimum_slice_auc
from laketop.ml.gates.reproducibility import repeatable, reproducible
from laketop.ml.gates.requirements import licences, vulnerabilities
from laketop.ml.gates.robustness import robustness
from laketop.ml.gates.roc import (
    auc,
    auc_difference,
    auc_interval,
    delong_difference,
    delong_interval,
)
from laketop.ml.gates.schema import compatible_schema, signature
from laketop.ml.gates.speed import inference_time
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

__all__ = [
    "APPROVED_BY",
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
    "maximum_slice_error",
    "mean_interval",
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
]
