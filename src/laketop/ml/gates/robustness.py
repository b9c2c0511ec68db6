"""A gate on what the world sends: nulls, categories never seen, numbers and times far out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from laketop.ml.gates.verdict import Contender, Gate, LabelledRows, Verdict

if TYPE_CHECKING:
    import pandas as pd

_UNSEEN = "a category never seen"
_FAR = {"double": (-1e12, 1e12), "float": (-1e12, 1e12), "long": (-(2**40), 2**40)}
_FAR["integer"] = (-(2**31), 2**31 - 1)
_FAR_TIMES = ("1700-01-01", "2250-01-01")  # nanoseconds in 64 bits reach from 1677 to 2262
_VARIED = {"string", "boolean", "datetime", *_FAR}


def robustness(*, rows_asked: int = 100) -> Gate:
    """Return a gate that asks about strange rows, and wants one finite number for each.

    Each input in turn is made null (where its type can be: all but integer and long), a category
    never seen, or a number or time far out; where all scores are from 0 to 1, the strange ones
    must be. Inputs of other types are named as not asked. `measured` counts the inputs and changes
    that failed.
    """

    def gate(candidate: Contender, _: Contender | None, rows: LabelledRows) -> Verdict:
        sample = rows.features.head(rows_asked)
        usual = rows.scores(candidate)
        probable = bool(usual.min() >= 0 and usual.max() <= 1)
        faults, asked = [], 0
        for change, strange in _strange(candidate, sample):
            asked += 1
            fault = _fault(candidate, strange, probable=probable)
            if fault:
                faults.append(f"{change}: {fault}")
        return Verdict(
            gate="robustness",
            passed=not faults,
            measured=float(len(faults)),
            limit=0.0,
            reason="; ".join(faults or [f"{asked} kinds of strange rows, all answered"])
            + _not_asked(candidate),
        )

    return gate


def _strange(candidate: Contender, sample: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, kind in candidate.inputs.items():
        if kind in {"double", "float"}:
            yield f"{name!r} null", sample.assign(**{name: float("nan")})
        if kind == "boolean":
            yield f"{name!r} null", sample.assign(**{name: None}).astype({name: object})
        if kind == "datetime":
            for time in (None, *_FAR_TIMES):
                moved = sample.assign(**{name: time}).astype({name: "datetime64[ns]"})
                yield f"{name!r} {time or 'null'}", moved
        if kind == "string":
            yield f"{name!r} null", sample.assign(**{name: None}).astype({name: object})
            yield f"{name!r} unseen", sample.assign(**{name: _UNSEEN})
        for far in _FAR.get(kind, ()):
            like = sample[name].dtype if kind in {"integer", "long"} else float
            yield f"{name!r} = {far:g}", sample.assign(**{name: far}).astype({name: like})


def _not_asked(candidate: Contender) -> str:
    others = [f"{name!r} ({kind})" for name, kind in candidate.inputs.items()]
    kinds = candidate.inputs.values()
    left = [told for told, kind in zip(others, kinds, strict=True) if kind not in _VARIED]
    return f"; not asked: {', '.join(left)}" if left else ""


def _fault(candidate: Contender, strange: pd.DataFrame, *, probable: bool) -> str:
    """Return what is wrong with the scores of `strange`, "" if nothing is."""
    import numpy as np

    try:
        scores = np.asarray(candidate.predict(strange), dtype=float).ravel()
    except Exception as error:  # noqa: BLE001 - whatever a model raises is what is looked for
        return f"{type(error).__name__}: {str(error).strip().splitlines()[:1]}"
    if scores.size != len(strange):
        return f"{scores.size} scores for {len(strange)} rows"
    if not np.isfinite(scores).all():
        return "a score that is no finite number"
    if probable and (scores.min() < 0 or scores.max() > 1):
        return f"scores from {scores.min():g} to {scores.max():g}"
    return ""
