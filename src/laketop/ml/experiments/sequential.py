"""A difference of two means, watched as the data comes in: intervals that hold at every look.

The interval is Robbins' normal mixture. With D the difference of the means and t = 1 / var(D) the
information so far, D t moves as a Brownian motion with drift, and

    D ± sqrt((t + r) log((t + r) / (r alpha²))) / t

holds the true difference at every t at once with probability 1 - alpha, for any r > 0 that was
chosen before. Source: Robbins, Annals of Mathematical Statistics 41 (1970); as an asymptotic
confidence sequence, Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics (2024).
That it is asymptotic means that means of any numbers will do whose variance is finite and estimated
from enough of them.
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_GRID = 201
_LARGEST = 1e12


def mixture(information: float, alpha: float) -> float:
    """Return the r that makes the interval narrowest at `information`.

    Source: Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49 (2021), section 3.5.
    """
    spread = -2 * math.log(alpha)
    return information / (spread + math.log(spread + 1))


def half_width(information: float, *, r: float, alpha: float) -> float:
    """Return half the width of the interval at `information`, infinite where there is none."""
    if information <= 0:
        return math.inf
    total = information + r
    return math.sqrt(total * math.log(total / (r * alpha**2))) / information


def power(effect: float, information: float, *, looks: int, alpha: float) -> float:
    """Return the probability that one of `looks` equally spaced looks finds `effect`.

    `information` is 1 / var(D) at the last look. Found is an interval without 0; those on the
    wrong side of it do not count.
    Source: the recursion of Armitage, McPherson and Rowe, J. R. Stat. Soc. A 132 (1969).
    """
    import numpy as np

    r = mixture(information, alpha)
    step = information / looks
    times = step * np.arange(1, looks + 1)
    bounds = np.array([t * half_width(float(t), r=r, alpha=alpha) for t in times])
    normal, spread, drift = NormalDist(), math.sqrt(step), effect * step
    found = 1 - normal.cdf((bounds[0] - drift) / spread)
    at = np.linspace(-bounds[0], bounds[0], _GRID)
    density = _normal((at - drift) / spread) / spread
    for bound in bounds[1:]:
        weights = density * _trapezoid(at)
        above = np.array([1 - normal.cdf(z) for z in (bound - at - drift) / spread])
        found += float(weights @ above)
        beyond = np.linspace(-bound, bound, _GRID)
        density = _normal((beyond[:, None] - at[None, :] - drift) / spread) @ weights / spread
        at = beyond
    return float(found)


def information_for(effect: float, *, wanted: float, looks: int, alpha: float) -> float:
    """Return the information at which the power of `looks` looks is `wanted`.

    Errors: ValueError for no effect, or a power that is no fraction above alpha.
    """
    if effect == 0 or not alpha < wanted < 1:
        raise ValueError(f"no number of rows finds an effect of {effect} with power {wanted}")
    return _planned(wanted, looks, alpha) / effect**2


@functools.cache
def _planned(wanted: float, looks: int, alpha: float) -> float:
    """Return the information for an effect of 1; power depends on effect² x information alone."""
    low, high = 1.0, 4.0
    while power(1.0, high, looks=looks, alpha=alpha) < wanted:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        if power(1.0, middle, looks=looks, alpha=alpha) < wanted:
            low = middle
        else:
            high = middle
    return high


def ratio_p_value(counts: tuple[int, int], share: float) -> float:
    """Return the p-value of Pearson's chi-squared test of the counts of two arms, at one look.

    `share` is the share that the second arm should have.
    """
    total = sum(counts)
    if not total:
        return 1.0
    expected = (1 - share) * total, share * total
    statistic = sum((c - e) ** 2 / e for c, e in zip(counts, expected, strict=True))
    return math.erfc(math.sqrt(statistic / 2))


def ratio_evidence(counts: tuple[int, int], share: float, *, weight: float = 200.0) -> float:
    """Return how much likelier the counts are if the split is not `share`: a Bayes factor.

    It may be looked at as often as one likes: the probability that it ever reaches 1 / alpha is
    at most alpha while the split is right. The split, if wrong, is thought to be a beta variable
    around `share`, as sure as `weight` rows.
    Source: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data (2022).
    """
    first, second = counts
    a, b = (1 - share) * weight, share * weight

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    told = log_beta(a + first, b + second) - log_beta(a, b)
    told -= first * math.log(1 - share) + second * math.log(share)
    return min(math.exp(min(told, 700.0)), _LARGEST)


def _normal(z: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi), dtype=float)


def _trapezoid(at: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    weights = np.full(at.size, at[1] - at[0])
    weights[[0, -1]] /= 2
    return weights
