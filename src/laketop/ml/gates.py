"""What a model must show before it may be promoted.

A gate is a function `(candidate, champion, rows) -> Verdict`; the functions here make gates.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a gate found: `measured` against `limit`, None where there is no figure.

    `pending` means that a person has yet to decide; such a verdict has not passed.
    """

    gate: str
    passed: bool
    measured: float | None = None
    limit: float | None = None
    reason: str = ""
    pending: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """A model version that stands for evaluation.

    Shapes: `predict` takes a frame that holds `inputs` and returns one score a row, higher for
    the positive class. `inputs` maps column to MLflow type name ("double", "string").
    """

    name: str
    version: str
    predict: Callable[[pd.DataFrame], NDArray[np.float64]]
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)


class LabelledRows:
    """The rows on which contenders are compared, each scored once.

    Shapes: `frame` holds the features and the column `label`, 0 or 1 without nulls.
    Errors: ValueError for an unknown label column, or a label that is neither 0 nor 1.
    """

    def __init__(self, frame: pd.DataFrame, *, label: str, name: str) -> None:
        if label not in frame.columns:
            raise ValueError(f"the rows {name!r} lack the label column {label!r}")
        self.features = frame.drop(columns=[label])
        self.labels: NDArray[np.float64] = frame[label].to_numpy(dtype=float)
        if not set(self.labels.tolist()) <= {0.0, 1.0}:
            raise ValueError(f"the label {label!r} of the rows {name!r} must be 0 or 1")
        self.name = name
        self._scores: dict[tuple[str, str], NDArray[np.float64]] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def scores(self, contender: Contender) -> NDArray[np.float64]:
        """Return what `contender` predicts for these rows.

        Errors: ValueError when it does not give one finite number a row.
        """
        import numpy as np

        key = (contender.name, contender.version)
        if key not in self._scores:
            found = np.asarray(contender.predict(self.features), dtype=float).ravel()
            if found.shape != self.labels.shape or not np.isfinite(found).all():
                raise ValueError(
                    f"version {contender.version!r} of {contender.name!r} gave "
                    f"{found.size} predictions for {len(self)} rows, or some that are no number"
                )
            self._scores[key] = found
        return self._scores[key]


Gate = Callable[[Contender, Contender | None, LabelledRows], Verdict]


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
    return _Ranked(y, np.asarray(scores, dtype=float)).auc(np.ones_like(y))


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
    ranked = [_Ranked(y, np.asarray(scores, dtype=float)) for scores in (candidate, champion)]
    ones = np.ones_like(y)
    measured = ranked[0].auc(ones) - ranked[1].auc(ones)
    drawn = np.random.default_rng(seed)
    differences = []
    for _ in range(rounds):
        weights = np.bincount(drawn.integers(0, y.size, y.size), minlength=y.size).astype(float)
        if 0 < weights @ y < weights.sum():
            differences.append(ranked[0].auc(weights) - ranked[1].auc(weights))
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences or [measured], [tail, 1 - tail])
    return float(low), float(measured), float(high)


class _Ranked:
    """Scores sorted once, so that each weighting of the rows costs one pass."""

    def __init__(self, labels: NDArray[np.float64], scores: NDArray[np.float64]) -> None:
        import numpy as np

        if labels.shape != scores.shape:
            raise ValueError(f"{labels.size} labels do not match {scores.size} scores")
        self._order = np.argsort(scores, kind="stable")
        ordered = scores[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        self._labels = labels[self._order]

    def auc(self, weights: NDArray[np.float64]) -> float:
        import numpy as np

        weights = weights[self._order]
        if not self._labels.size:
            raise ValueError("an AUC needs rows of both labels, here are none")
        positive = np.add.reduceat(weights * self._labels, self._starts)
        negative = np.add.reduceat(weights * (1 - self._labels), self._starts)
        pairs = positive.sum() * negative.sum()
        if pairs == 0:
            raise ValueError("an AUC needs rows of both labels, here is only one")
        below = np.cumsum(negative) - negative / 2
        return float(positive @ below / pairs)


_KINDS = {
    "boolean": "b",
    "integer": "iu",
    "long": "iu",
    "float": "fiu",
    "double": "fiu",
    "string": "O",
    "datetime": "M",
}


def signature() -> Gate:
    """Return a gate that wants inputs and outputs declared, and every input in the rows.

    `measured` counts the faults: no signature, a missing column, a column of another type.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        faults = [] if candidate.inputs and candidate.outputs else ["no signature"]
        for name, kind in candidate.inputs.items():
            if name not in rows.features.columns:
                faults.append(f"{name!r} is not in the rows")
            elif rows.features[name].dtype.kind not in _KINDS.get(kind, ""):
                faults.append(f"{name!r} is {rows.features[name].dtype}, not {kind}")
        reason = "; ".join(faults) or f"{len(candidate.inputs)} inputs, all in the rows"
        return Verdict(
            gate="signature",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason=reason,
        )

    return gate


def minimum_auc(limit: float) -> Gate:
    """Return a gate that wants an AUC of at least `limit`, a fraction."""

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        measured = auc(rows.labels, rows.scores(candidate))
        return Verdict(
            gate="minimum_auc",
            passed=measured >= limit,
            measured=measured,
            limit=limit,
            reason=f"AUC {measured:.4f} on {len(rows)} rows of {rows.name}",
        )

    return gate


def no_worse_than_champion(
    margin: float = 0.0, *, rounds: int = 200, confidence: float = 0.95, seed: int = 0
) -> Gate:
    """Return a gate that compares both models on the same rows.

    It passes when the low end of the paired bootstrap interval of the AUC difference is at
    least `-margin`: 0 asks for a gain that is no accident, more allows for a draw.
    """

    def gate(candidate: Contender, champion: Contender | None, rows: LabelledRows) -> Verdict:
        if champion is None:
            return Verdict(
                gate="no_worse_than_champion", passed=True, limit=-margin, reason="no champion yet"
            )
        low, measured, high = auc_difference(
            rows.labels,
            rows.scores(candidate),
            rows.scores(champion),
            rounds=rounds,
            confidence=confidence,
            seed=seed,
        )
        return Verdict(
            gate="no_worse_than_champion",
            passed=low >= -margin,
            measured=low,
            limit=-margin,
            reason=(
                f"AUC {measured:+.4f} against version {champion.version} on {len(rows)} rows of "
                f"{rows.name}, {confidence:.0%} between {low:+.4f} and {high:+.4f}"
            ),
        )

    return gate


def inference_time(limit_ms: float, *, rows_timed: int = 1000, repeats: int = 3) -> Gate:
    """Return a gate on the milliseconds for the first `rows_timed` rows, best of `repeats`."""

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        sample = rows.features.head(rows_timed)
        took = []
        for _i in range(repeats):
            begin = time.perf_counter()
            candidate.predict(sample)
            took.append(1000 * (time.perf_counter() - begin))
        measured = min(took)
        return Verdict(
            gate="inference_time",
            passed=measured <= limit_ms,
            measured=measured,
            limit=limit_ms,
            reason=f"{measured:.1f} ms for {len(sample)} rows, best of {repeats}",
        )

    return gate


def compliance_tags(required: Mapping[str, str]) -> Gate:
    """Return a gate that wants tags on the version, each matching a whole regular expression.

    `measured` counts the tags that are missing or do not match.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del rows
        faults = [
            f"{name!r} is {candidate.tags.get(name)!r}"
            for name, pattern in sorted(required.items())
            if re.fullmatch(pattern, candidate.tags.get(name, "")) is None
        ]
        return Verdict(
            gate="compliance_tags",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults) or f"{', '.join(sorted(required))} are set",
        )

    return gate


def approval(by: str | None) -> Gate:
    """Return a gate that waits until a person is named who approves."""

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        del candidate, rows
        who = (by or "").strip()
        reason = f"approved by {who}" if who else "nobody has approved it yet"
        return Verdict(gate="approval", passed=bool(who), pending=not who, reason=reason)

    return gate
