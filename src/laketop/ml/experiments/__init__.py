"""A/B experiments over live inference rows or recorded traffic, stopped as soon as is honest."""

from laketop.ml.experiments.experiment import (
    CONTROL,
    TREATMENT,
    Arm,
    Experiment,
    Look,
    look_at,
    proportion_spread,
)
from laketop.ml.experiments.sequential import half_width, ratio_evidence, ratio_p_value
from laketop.ml.experiments.tables import look, replayed, start
from laketop.ml.experiments.traffic import observed

__all__ = [
    "CONTROL",
    "TREATMENT",
    "Arm",
    "Experiment",
    "Look",
    "half_width",
    "look",
    "look_at",
    "observed",
    "proportion_spread",
    "ratio_evidence",
    "ratio_p_value",
    "replayed",
    "start",
]
