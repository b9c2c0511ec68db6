"""Rows that bring keys, completed with the features that a model takes, one online row a key."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laketop.ml.features.resolving import Resolved, lacking, root, stages
from laketop.ml.features.spec import FeatureSpec, ResolvedFunction, ResolvedLookup

if TYPE_CHECKING:
    import pandas as pd

Find = Callable[[str, Sequence[tuple[Any, ...]]], Sequence[Mapping[str, Any] | None]]
"""Returns the newest row of each key in a feature table, None for no row."""


def completed(spec: FeatureSpec, frame: pd.DataFrame, find: Find) -> pd.DataFrame:
    """Return `frame` with the features of `spec` that it does not bring itself.

    As in batch, but for the moment: the newest row of a key is taken, whatever the row's own time
    and the lookback window. A key that is None or not there finds NULL, or the default.
    Shapes: the columns of `frame`, then the features that were looked up; no row is lost.
    Errors: ValueError for a key column that is missing, for a feature that only a function makes,
    and whatever `find` raises.
    """
    wanted = _wanted(spec, tuple(frame.columns))
    missing = lacking((need for x in wanted for need in x.needs), _there(wanted, frame))
    if missing:
        raise ValueError(f"the rows to score lack the columns {missing!r}")
    columns: dict[str, list[Any]] = {name: frame[name].tolist() for name in frame.columns}
    given = len(columns)
    for stage in stages(wanted, list(columns)):
        for lookup in stage:
            if isinstance(lookup, ResolvedFunction):
                raise ValueError(  # noqa: TRY004 - what was sent is wrong, not the call
                    f"the feature {lookup.output_name!r} is made by the function "
                    f"{lookup.udf_name!r}, which is not called online: send the feature"
                )
            keys = list(zip(*(_values(columns, name) for name in lookup.lookup_key), strict=True))
            columns |= _found(lookup, find(lookup.table, keys))
    if len(columns) == given:
        return frame
    import pandas as pd

    return pd.DataFrame(columns, index=frame.index)


def _wanted(spec: FeatureSpec, given: Sequence[str]) -> list[Resolved]:
    """Return what has to be looked up: an excluded feature only if another is made of it."""
    features: list[Resolved] = [*map(_timeless, spec.lookups), *spec.functions]
    needed = {name for name in spec.outputs if name not in spec.exclude_columns}
    made = {name: x for x in features for name in x.outputs}
    waiting = [name for name in needed if name not in given]
    names = set[str]()
    while waiting:
        name = waiting.pop()
        if name in names or name in given or name not in made:
            continue
        names.add(name)
        waiting += [root(need, made) for need in made[name].needs]
    return [x for x in (_narrowed(feature, names) for feature in features) if x is not None]


def _timeless(lookup: ResolvedLookup) -> ResolvedLookup:
    return replace(lookup, timestamp_lookup_key=None)


def _narrowed(feature: Resolved, names: set[str]) -> Resolved | None:
    if isinstance(feature, ResolvedFunction):
        return feature if feature.output_name in names else None
    both = zip(feature.feature_names, feature.outputs, strict=True)
    kept = tuple(name for name, output in both if output in names)
    return replace(feature, feature_names=kept) if kept else None


def _there(wanted: Sequence[Resolved], frame: pd.DataFrame) -> list[str]:
    return [*frame.columns, *(name for x in wanted for name in x.outputs)]


def _values(columns: Mapping[str, list[Any]], name: str) -> list[Any]:
    if name in columns:
        return [_plain(value) for value in columns[name]]
    head, _, rest = name.partition(".")
    return [_plain(_field(value, rest.split("."))) for value in columns[head]]


def _field(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _found(
    lookup: ResolvedLookup, rows: Sequence[Mapping[str, Any] | None]
) -> dict[str, list[Any]]:
    found = {}
    for feature, output in zip(lookup.feature_names, lookup.outputs, strict=True):
        default = lookup.default_values.get(feature)
        values = [None if row is None else row.get(feature) for row in rows]
        found[output] = [default if value is None else value for value in values]
    return found
