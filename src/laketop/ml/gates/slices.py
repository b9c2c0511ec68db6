"""Figures of every slice against one limit, on the side on which a slice is surely worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from laketop.ml.gates.verdict import LabelledRows, Measure, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def slices(rows: LabelledRows, columns: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each slice as (`column = 'value'`, which rows), by column and value.

    Errors: ValueError for a column that the rows lack.
    """
    for column in columns:
        values = rows.column(column)
        for value in sorted(values.dropna().unique().tolist(), key=str):
            yield f"{column} = {value!r}", (values == value).to_numpy(dtype=bool)


@dataclass(frozen=True, kw_only=True)
class SliceLimit:
    """What every slice has to keep: a figure of `limit` "at least" or "at most".

    A slice breaks it when its whole interval lies beyond: of "at least" the high end counts, of
    "at most" the low one. `told` says a figure in words.
    """

    gate: str
    limit: float
    wanted: Literal["at least", "at most"]
    told: Callable[[Measure], str]

    def judged(self, measures: Sequence[Measure], *, skipped: int, least: str) -> Verdict:
        """Return the verdict on these slices; `least` says what one needs to be measured.

        Nothing measured has not passed. `measured` is the counting end of the worst slice.
        """
        if not measures:
            reason = f"no slice has {least}, so none was measured"
            return Verdict(gate=self.gate, passed=False, limit=self.limit, reason=reason)
        worst = min(measures, key=lambda measure: self._turned(self.end(measure)))
        failed = [self.told(measure) for measure in measures if not self._kept(measure)]
        told = "; ".join(failed) or f"worst of {len(measures)} is {self.told(worst)}"
        left = f"; {skipped} slices are too small to tell" if skipped else ""
        return Verdict(
            gate=self.gate,
            passed=not failed,
            measured=self.end(worst),
            limit=self.limit,
            reason=told + left,
            measures=tuple(measures),
        )

    def end(self, measure: Measure) -> float:
        """Return the end of the interval that counts, the figure itself where there is none."""
        end = measure.high if self.wanted == "at least" else measure.low
        return measure.measured if end is None else end

    def _kept(self, measure: Measure) -> bool:
        return self._turned(self.end(measure)) >= self._turned(self.limit)

    def _turned(self, value: float) -> float:
        return value if self.wanted == "at least" else -value
