"""An A/B experiment: what is claimed, how it is measured, and when it is over."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from laketop.ml.experiments import sequential

if TYPE_CHECKING:
    from pyspark.sql import Column

CONTROL = "control"
TREATMENT = "treatment"

_DIGITS = 13  # of hexadecimal: 52 bits, which a double holds without loss


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison of a treatment with a control, settled before the first look.

    `metric` names a figure of which more is better, one a key; `spread` is its standard deviation
    in one arm, as `proportion_spread` gives it for a rate. `minimum_effect` is the smallest
    difference of the means worth finding, in units of the metric; `looks` is how often one plans
    to look. `share` of the keys goes to the treatment, by hash of `name` and key, so the same key
    stays in its arm and another experiment splits otherwise. Rows of the first
    `novelty_hours` after `started_at` (UTC) are left out.
    Errors: ValueError for figures that make no experiment.
    """

    name: str
    hypothesis: str
    metric: str
    minimum_effect: float
    spread: float
    started_at: datetime
    power: float = 0.8
    alpha: float = 0.05
    share: float = 0.5
    looks: int = 20
    novelty_hours: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            told
            for told, is_sound in (
                ("a name", bool(self.name)),
                ("a hypothesis", bool(self.hypothesis.strip())),
                ("a minimum effect above 0", self.minimum_effect > 0),
                ("a spread above 0", self.spread > 0),
                ("a share between 0 and 1", 0 < self.share < 1),
                ("an alpha between 0 and a half", 0 < self.alpha < 0.5),
                ("a power between alpha and 1", self.alpha < self.power < 1),
                ("one look at least", self.looks >= 1),
                ("no negative novelty window", self.novelty_hours >= 0),
                ("a start with a time zone", self.started_at.tzinfo is not None),
            )
            if not is_sound
        ]
        if faults:
            raise ValueError(f"the experiment {self.name!r} needs {', '.join(faults)}")

    @property
    def counts_from(self) -> datetime:
        """From when on rows count: the start and the novelty window."""
        return self.started_at + timedelta(hours=self.novelty_hours)

    def planned_information(self) -> float:
        """Return the information, 1 / var(difference), at which the power is reached."""
        return sequential.information_for(
            self.minimum_effect, wanted=self.power, looks=self.looks, alpha=self.alpha
        )

    def sample_size(self) -> int:
        """Return how many keys, in both arms together, the experiment needs at most."""
        scale = self.spread**2 * (1 / self.share + 1 / (1 - self.share))
        return math.ceil(self.planned_information() * scale)

    def arm_of(self, key: str) -> str:
        """Return the arm of a key, the same on every machine as `arm` gives it."""
        digest = hashlib.sha256(f"{self.name}:{key}".encode()).hexdigest()
        place = int(digest[:_DIGITS], 16) / 16**_DIGITS
        return TREATMENT if place < self.share else CONTROL

    def arm(self, key: Column) -> Column:
        """Return the arm of a column of keys; NULL for a key that is NULL."""
        from pyspark.sql import functions as F

        digest = F.sha2(F.concat(F.lit(f"{self.name}:"), key.cast("string")), 256)
        place = F.conv(F.substring(digest, 1, _DIGITS), 16, 10).cast("double") / 16**_DIGITS
        found = F.when(place < self.share, TREATMENT).otherwise(CONTROL)
        return F.when(key.isNotNull(), found)


def proportion_spread(rate: float) -> float:
    """Return the standard deviation of a 0-or-1 metric with this mean.

    >>> proportion_spread(0.5)
    0.5
    """
    return math.sqrt(rate * (1 - rate))


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What has been counted in one arm: keys, and mean and variance of the metric over them.

    `allocated` are the keys that were sent there, those without a value among them; None where
    each has one.
    """

    keys: int
    mean: float
    variance: float
    allocated: int | None = None

    @property
    def sent(self) -> int:
        """How many keys were sent to the arm."""
        return self.keys if self.allocated is None else self.allocated


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look found. `effect` is treatment minus control, between `low` and `high`.

    `decision` is "treatment", "control" (the treatment is surely worse), "undecided" when the
    planned keys are there without either, "invalid" when the arms do not have the shares that
    they should, else "continue".
    """

    control: Arm
    treatment: Arm
    effect: float
    low: float
    high: float
    ratio_p_value: float
    ratio_evidence: float
    planned_keys: int
    decision: str

    @property
    def is_final(self) -> bool:
        """Whether the experiment ends with it."""
        return self.decision != "continue"


LEAST_KEYS = 100
"""Fewer keys in an arm say nothing: the interval rests on the central limit theorem."""
RATIO_ALPHA = 0.001


def look_at(experiment: Experiment, control: Arm, treatment: Arm) -> Look:
    """Return what the counts so far say; it may be asked as often as one likes.

    The metric may be any number. What is assumed: keys are independent, the metric has a finite
    variance, and the arms, where they differ in size, are of much the same shape.
    """
    counts = control.keys, treatment.keys
    planned = experiment.planned_information()
    r = sequential.mixture(planned, experiment.alpha)
    effect = treatment.mean - control.mean
    variance = _variance(control, treatment)
    is_told = min(counts) >= LEAST_KEYS and 0 < variance < math.inf
    information = 1 / variance if is_told else 0.0
    half = sequential.half_width(information, r=r, alpha=experiment.alpha)
    sent = control.sent, treatment.sent
    evidence = sequential.ratio_evidence(sent, experiment.share)
    keys = experiment.sample_size()
    decision = "continue"
    if evidence >= 1 / RATIO_ALPHA:
        decision = "invalid"
    elif effect - half > 0:
        decision = TREATMENT
    elif effect + half < 0:
        decision = CONTROL
    elif sum(counts) >= keys:
        decision = "undecided"
    return Look(
        control=control,
        treatment=treatment,
        effect=effect,
        low=effect - half,
        high=effect + half,
        ratio_p_value=sequential.ratio_p_value(sent, experiment.share),
        ratio_evidence=evidence,
        planned_keys=keys,
        decision=decision,
    )


def _variance(control: Arm, treatment: Arm) -> float:
    """Return the variance of the difference of the means, infinite where there is none.

    It is the greater of that of two variances and that of a common one. A small arm of a skewed
    metric, such as a seldom bought ticket, has its mean and its variance wrong at once: by itself
    it would call many a run of nothing but chance decided. In arms of one size both are the same.
    """
    arms = control, treatment
    if min(arm.keys for arm in arms) < 2:
        return math.inf
    own = sum(arm.variance / arm.keys for arm in arms)
    freedom = sum(arm.keys - 1 for arm in arms)
    common = sum((arm.keys - 1) * arm.variance for arm in arms) / freedom
    return max(own, common * sum(1 / arm.keys for arm in arms))
