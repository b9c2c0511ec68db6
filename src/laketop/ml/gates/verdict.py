"""Who stands for evaluation, on which rows, and what a gate says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a gate: `metric` over `rows` rows, with an interval where there is one.

    `slice` names the part of the rows, as `carrier = 'AA'`; empty for all of them.
    """

    metric: str
    measured: float
    slice: str = ""
    low: float | None = None
    high: float | None = None
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a gate found: `measured` against `limit`, None where there is no figure.

    `pending` means that a person has yet to decide; such a verdict has not passed. `measures` are
    the figures beside the one that decided, such as those of every slice.
    """

    gate: str
    passed: bool
    measured: float | None = None
    limit: float | None = None
    reason: str = ""
    pending: bool = False
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """A model version that stands for evaluation.

    Shapes: `predict` takes a frame that holds `inputs` and returns one score a row, higher for
    the positive class. `inputs` maps column to MLflow type name ("double", "string").
    `requirements` are the lines of the model's requirements file; `uri` is where MLflow finds the
    model; `author` is who registered the version. `role` is "candidate" or "champion" while the two
    are compared.
    """

    name: str
    version: str
    predict: Callable[[pd.DataFrame], NDArray[np.float64]]
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    author: str = ""
    requirements: tuple[str, ...] = ()
    uri: str = ""
    role: str = ""

    @property
    def called(self) -> str:
        """What sentences call it, by its role where it has one."""
        version = f"version {self.version!r} of {self.name!r}"
        return f"the {self.role}, {version}," if self.role else version


class LabelledRows:
    """The rows on which contenders are compared, each scored once.

    Shapes: `frame` holds the features and the column `label`, 0 or 1 without nulls, or for the
    problem "regression" any finite number; it may hold columns by which rows are sliced and which
    no model takes.
    Errors: ValueError for an unknown label column, or a label that is null, none of these, or the
    same in every row.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        label: str,
        name: str,
        problem: Literal["classification", "regression"] = "classification",
    ) -> None:
        import numpy as np

        if label not in frame.columns:
            raise ValueError(f"the rows {name!r} lack the label column {label!r}")
        self.features = frame.drop(columns=[label])
        self.features.attrs = {}  # as in `tables.to_pandas`
        if frame[label].isna().any():
            missing = int(frame[label].isna().sum())
            raise ValueError(f"the label {label!r} of the rows {name!r} is null in {missing} rows")
        self.labels: NDArray[np.float64] = frame[label].to_numpy(dtype=float)
        found = set(self.labels.tolist())
        if problem == "classification" and not found <= {0.0, 1.0}:
            raise ValueError(f"the label {label!r} of the rows {name!r} must be 0 or 1")
        if not np.isfinite(self.labels).all():
            raise ValueError(f"the label {label!r} of the rows {name!r} must be finite numbers")
        if len(found) == 1:
            raise ValueError(f"the label {label!r} of the rows {name!r} is {found.pop():g} in all")
        self.name = name
        self.problem = problem
        self._scores: dict[tuple[str, str], NDArray[np.float64]] = {}

    @property
    def classes(self) -> NDArray[np.float64]:
        """The labels of a classification, 0 or 1.

        Errors: ValueError for rows of a regression.
        """
        if self.problem != "classification":
            raise ValueError(
                f"the rows {self.name!r} hold numbers, and this asks for labels 0 and 1"
            )
        return self.labels

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
            strange = int((~np.isfinite(found)).sum())
            if found.shape != self.labels.shape or strange:
                but = f", {strange} of them no finite number" if strange else ""
                raise ValueError(
                    f"{contender.called} gave {found.size} predictions for {len(self)} rows{but}"
                )
            self._scores[key] = found
        return self._scores[key]

    def column(self, name: str) -> pd.Series:
        """Return a column of the features.

        Errors: ValueError when the rows lack it.
        """
        if name not in self.features.columns:
            raise ValueError(f"the rows {self.name!r} lack the column {name!r}")
        return self.features[name]


Gate = Callable[[Contender, Contender | None, LabelledRows], Verdict]
