"""The area under the ROC curve, and how sure it is: bootstrap and DeLong.

Intervals are (low, measured, high).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve, ties counting one half.

    Shapes: two 1-D sequences of equal length; labels are 0 or 1.
    Errors: ValueError unless both labels occur.
    Source: Hanley and McNeil (1982); the Mann-Whitney statistic over ranks.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    import numpy as np

    y = np.asarray(labels, dtype=float)
    ranked = _Ranked(y, np.asarray(scores, dtype=float))
    return ranked.auc(np.ones(y.size))


def auc_interval(
    labels: NDArray[Any],
    scores: NDArray[Any],
    *,
    rounds: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return the AUC with the central `confidence` of its bootstrap samples.

    Errors: ValueError unless both labels occur.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    import numpy as np

    y = np.asarray(labels, dtype=float)
    measured = auc(y, scores)
    drawn = _drawn(y, [np.asarray(scores, dtype=float)], rounds, seed)[0]
    return _central(drawn, measured, confidence)


def auc_difference(
    labels: NDArray[Any],
    candidate: NDArray[Any],
    champion: NDArray[Any],
    *,
    rounds: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return AUC of `candidate` minus `champion`, as (low, measured, high).

    Both are drawn on the same rows in each of `rounds` bootstrap samples, so that what is hard
    for both cancels out; the interval is the central `confidence` of them. The same seed gives
    the same interval. Samples that hold one label alone are left out.
    Errors: ValueError unless both labels occur.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    import numpy as np

    y = np.asarray(labels, dtype=float)
    measured = auc(y, candidate) - auc(y, champion)
    both = [np.asarray(scores, dtype=float) for scores in (candidate, champion)]
    first, second = _drawn(y, both, rounds, seed)
    return _central(first - second, measured, confidence)


def delong_interval(
    labels: NDArray[Any], scores: NDArray[Any], *, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return the AUC with a normal interval, which costs one sort.

    The ends are not held within 0 and 1: near 1 with few rows the bootstrap tells better.
    Errors: ValueError unless each label occurs at least twice.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988).
    """
    import numpy as np

    y = np.asarray(labels, dtype=float)
    return _normal(*_placements(y, np.asarray(scores, dtype=float)), confidence)


def delong_difference(
    labels: NDArray[Any],
    candidate: NDArray[Any],
    champion: NDArray[Any],
    *,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Return AUC of `candidate` minus `champion` with a normal interval.

    The variance takes into account that both score the same rows. It costs one sort, where the
    bootstrap costs hundreds of passes.
    Errors: ValueError unless each label occurs at least twice.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988).
    """
    import numpy as np

    y = np.asarray(labels, dtype=float)
    of_positives, of_negatives = zip(
        *(_placements(y, np.asarray(scores, dtype=float)) for scores in (candidate, champion)),
        strict=True,
    )
    return _normal(of_positives[0] - of_positives[1], of_negatives[0] - of_negatives[1], confidence)


def _normal(
    positive: NDArray[np.float64], negative: NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    import numpy as np

    measured = float(positive.mean())
    variance = positive.var(ddof=1) / positive.size + negative.var(ddof=1) / negative.size
    half = NormalDist().inv_cdf((1 + confidence) / 2) * float(np.sqrt(variance))
    return measured - half, measured, measured + half


def _placements(
    labels: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each row, the share of rows of the other label that it is in order with."""
    import numpy as np

    if labels.shape != scores.shape:
        raise ValueError(f"{labels.size} labels do not match {scores.size} scores")
    positive, negative = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    if min(positive.size, negative.size) < 2:
        raise ValueError("an interval by DeLong needs two rows of both labels at least")

    def below(ordered: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        left, right = (np.searchsorted(ordered, at, side=side) for side in ("left", "right"))
        return np.asarray((left + right) / (2 * ordered.size), dtype=float)

    return below(negative, scores[labels == 1]), 1 - below(positive, scores[labels == 0])


def _drawn(
    labels: NDArray[np.float64], models: list[NDArray[np.float64]], rounds: int, seed: int
) -> list[NDArray[np.float64]]:
    """Return the AUC of each model in each bootstrap sample; the samples are the same for all."""
    import numpy as np

    ranked = [_Ranked(labels, scores) for scores in models]
    generator = np.random.default_rng(seed)
    size, positive, found = labels.size, np.flatnonzero(labels == 1), []
    for _ in range(rounds):
        # A sample is how often each row was drawn.
        times = np.bincount(generator.integers(0, size, size), minlength=size)
        if 0 < times[positive].sum() < size:
            found.append([model.auc(times) for model in ranked])
    return list(np.array(found).T) if found else [np.empty(0) for _ in ranked]


def _central(
    drawn: NDArray[np.float64], measured: float, confidence: float
) -> tuple[float, float, float]:
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn if drawn.size else [measured], [tail, 1 - tail])
    return float(low), measured, float(high)


class _Ranked:
    """Scores sorted once, so that each weighting of the rows costs one pass."""

    def __init__(self, labels: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
        import numpy as np

        if labels.shape != scores.shape:
            raise ValueError(f"{labels.size} labels do not match {scores.size} scores")
        if not 0 < labels.sum() < labels.size:
            raise ValueError(f"an AUC needs rows of both labels, not {set(labels.tolist())}")
        self._positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
        self._negative = negative[np.argsort(scores[negative], kind="stable")]
        ordered = scores[self._negative]
        self._below = np.searchsorted(ordered, scores[self._positive], side="left")
        self._not_above = np.searchsorted(ordered, scores[self._positive], side="right")

    def auc(self, weights: NDArray[Any]) -> float:
        """Return the AUC of the rows, each counted by its weight."""
        import numpy as np

        positive = weights[self._positive]
        negative = np.concatenate(([0], np.cumsum(weights[self._negative])))
        ordered = positive @ (negative[self._below] + negative[self._not_above])
        return float(ordered / (2.0 * positive.sum() * negative[-1]))
