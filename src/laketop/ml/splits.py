"""Splits by time: what is learned from lies before what is tested on, always.

A random split of rows that belong together, such as the flights of one aircraft on one day, lets
the test know what training knew; so a random split is refused here by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from laketop.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_RANDOM = ("shuffle", "random_state", "stratify")


def split_at(
    frame: pd.DataFrame, *, time: str, at: object, gap: timedelta = timedelta(0)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows before `at` less `gap`, and the rows from `at` on.

    Shapes: both in the order of `frame`; rows within the gap are in neither part.
    Errors: ValueError when a part is empty, when `time` is no column or holds a null.
    """
    import pandas as pd

    times = _times(frame, time)
    moment = pd.Timestamp(at)  # type: ignore[arg-type]  # whatever pandas reads as a moment
    if times.dt.tz is not None and moment.tz is None:
        moment = moment.tz_localize(times.dt.tz)
    parts = frame[times < moment - gap], frame[times >= moment]
    for part, where in zip(parts, ("before", "from"), strict=True):
        if part.empty:
            raise ValueError(f"no row lies {where} {moment} by {time!r}, so nothing can be split")
    return parts


@dataclass(frozen=True, init=False)
class TimeSplitter:
    """Splits rows into expanding windows of time, as scikit-learn's splitters do.

    The moments of the rows are cut into `n_splits` + 1 stretches of about as many rows; each test
    part is one stretch, and training is everything before it, `gap` left out. Rows of the same
    moment are never parted.
    Errors: Refused for `shuffle`, `random_state`, `stratify`.
    """

    time: str
    n_splits: int
    gap: timedelta

    def __init__(
        self,
        time: str,
        *,
        n_splits: int = 5,
        gap: timedelta = timedelta(0),
        **unsupported: object,
    ) -> None:
        for name in _RANDOM:
            if unsupported.pop(name, None) not in (None, False):
                raise Refused(
                    f"a random split ({name}=…)",
                    hint="rows of one time know each other: split by time alone",
                )
        if unsupported:
            raise TypeError(f"TimeSplitter takes no {min(unsupported)!r}")
        if n_splits < 1 or gap < timedelta(0):
            raise ValueError(f"n_splits is {n_splits!r}, gap {gap!r}: at least 1, and not negative")
        for name, value in (("time", time), ("n_splits", n_splits), ("gap", gap)):
            object.__setattr__(self, name, value)

    def split(
        self,
        X: pd.DataFrame,  # noqa: N803 - scikit-learn's own name
        y: object = None,  # noqa: ARG002 - as scikit-learn asks
        groups: object = None,  # noqa: ARG002 - as scikit-learn asks
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the positions of the training and of the test rows, from the earliest on.

        Errors: ValueError when there are fewer moments than stretches, or a gap leaves nothing
        to learn from.
        """
        import numpy as np

        times = _times(X, self.time)
        if len(times) <= self.n_splits:
            raise ValueError(f"{len(times)} rows are too few for {self.n_splits} splits")
        ordered = times.sort_values(kind="stable").reset_index(drop=True)
        cuts = [
            ordered.iloc[round(len(ordered) * part / (self.n_splits + 1))]
            for part in range(1, self.n_splits + 1)
        ]
        if len(set(cuts)) < len(cuts) or cuts[0] == ordered.iloc[0]:
            raise ValueError(f"{self.time!r} has too few moments for {self.n_splits} splits")
        for cut, end in zip(cuts, [*cuts[1:], None], strict=True):
            train = np.flatnonzero(times < cut - self.gap)
            tested = times >= cut if end is None else (times >= cut) & (times < end)
            if train.size == 0:
                raise ValueError(f"the gap of {self.gap} leaves nothing to learn from before {cut}")
            yield train, np.flatnonzero(tested)

    def get_n_splits(self, *_: object, **__: object) -> int:
        """Return how many splits there will be."""
        return self.n_splits


def _times(frame: pd.DataFrame, time: str) -> Any:
    import pandas as pd

    if time not in frame.columns:
        raise ValueError(f"the rows have no column {time!r}, so they cannot be split by time")
    times = pd.to_datetime(frame[time])
    if times.isna().any():
        raise ValueError(f"{int(times.isna().sum())} rows have no {time!r}: split by time or drop")
    return times
