"""A gate on candidates that know too much: what a model may not know when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from laketop.ml.evidence import Evidence
from laketop.ml.gates.roc import auc
from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def no_leak(
    known_later: Sequence[str] = (),
    *,
    evidence: Sequence[Evidence] = (),
    live: LabelledRows | None = None,
    largest_drop: float = 0.01,
    largest_single_auc: float = 0.95,
) -> Gate:
    """Return a gate against inputs that carry the answer.

    Four signs, each enough: an input is named in `known_later`; `evidence`, which
    `laketop.ml.leaks` has found in the training set's specification and rows, tells of a leak in
    an input or in the split; one numeric input alone has an AUC of `largest_single_auc` or more
    (in either direction), of a regression a rank correlation; the AUC drops by more than
    `largest_drop` on `live`, the same rows with every feature as it was known at the moment of the
    prediction. `measured` counts the signs.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        signs = [f"{n!r} is known only later" for n in known_later if n in candidate.inputs]
        signs += [
            f"{x.feature or 'the split'} leaks, {x.check}: {x.reason}"
            for x in evidence
            if x.leaking and (x.feature is None or x.feature in candidate.inputs)
        ]
        alone = _alone(candidate, rows)
        is_number = rows.problem == "regression"
        how = "a rank correlation" if is_number else "an AUC"
        signs += [
            f"{name!r} alone has {how} of {area:.4f}"
            for name, area in alone.items()
            if area >= largest_single_auc
        ]
        if live is not None:
            drop = auc(rows.classes, rows.scores(candidate)) - auc(
                live.classes, live.scores(candidate)
            )
            if drop > largest_drop:
                signs.append(f"the AUC drops by {drop:.4f} on what was known at the time")
        metric = "correlation_alone" if is_number else "auc_alone"
        strongest = max(alone, key=alone.__getitem__, default="")
        told = f"strongest input {strongest!r}, {how} of {alone[strongest]:.4f}" if alone else ""
        return Verdict(
            gate="no_leak",
            passed=not signs,
            measured=float(len(signs)),
            limit=0.0,
            reason="; ".join(signs) or told or "no numeric input to look at",
            measures=tuple(
                Measure(
                    metric=metric,
                    slice=name,
                    measured=area,
                    rows=len(rows),
                )
                for name, area in alone.items()
            ),
        )

    return gate


def _alone(candidate: Contender, rows: LabelledRows) -> dict[str, float]:
    """Return what each numeric input of the model orders on its own; nulls left out.

    The AUC, 0.5 to 1, or for a regression the size of Spearman's rank correlation, 0 to 1.
    """
    import numpy as np

    found = {}
    for name in candidate.inputs:
        if name in rows.features.columns and rows.features[name].dtype.kind in "biuf":
            values = rows.features[name].to_numpy(dtype=float, na_value=float("nan"))
            known = ~np.isnan(values)
            y = rows.labels[known]
            if rows.problem == "regression":
                found[name] = _correlation(y, values[known])
            elif 0 < y.sum() < y.size:
                area = auc(y, values[known])
                found[name] = max(area, 1 - area)
    return found


def _correlation(labels: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    import pandas as pd

    ranks = [pd.Series(part).rank() for part in (labels, values)]
    return 0.0 if min(part.nunique() for part in ranks) < 2 else abs(float(ranks[0].corr(ranks[1])))
