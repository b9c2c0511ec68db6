"""How much features tell of the label: by themselves, and when they are looked up earlier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from laketop.ml import tables
from laketop.ml.evidence import Evidence
from laketop.ml.features.point_in_time import joined
from laketop.ml.features.resolving import stages
from laketop.ml.features.spec import FeatureSpec, ResolvedFunction
from laketop.ml.features.training_set import computed
from laketop.ml.gates.roc import auc
from laketop.ml.leaks.cutoff import Pair

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

STRONG = 0.1  # of 2 AUC - 1 or the rank correlation, from which on vanishing means something
ALONE = 0.95  # of the AUC or the rank correlation: no honest feature of noisy labels gets there
SAMPLE = 50_000  # rows
_PARTS = [part / 20 for part in range(1, 20)]


def telling(
    whole: DataFrame,
    spec: FeatureSpec,
    pairs: Sequence[Pair],
    *,
    features: Sequence[str],
    lag: timedelta | None,
    least: float,
) -> list[Evidence]:
    """Return what each of `features` tells of the first label, which has to be a number.

    Shapes: `pairs` are the look-ups as of a time, which are looked up `lag` earlier as well.
    """
    numbers = _kinds(whole, "numeric")
    label = spec.labels[0]
    if label not in numbers:
        return []
    texts = _kinds(whole, "text")
    asked = [name for name in features if name in numbers | texts]
    df, lagged = (whole, {}) if lag is None else _lagged(whole, spec, pairs, lag)
    lagged = {name: before for name, before in lagged.items() if name in numbers | texts}
    texts |= {before for name, before in lagged.items() if name in texts}
    rows = _sample(df, whole.columns, [label, *asked, *lagged.values()], texts)
    of = {name: lookup.table for lookup, _ in pairs for name in lookup.outputs}
    found = [
        _faded(rows, (name, before), table=of.get(name), label=label, lag=lag, least=least)
        for name, before in lagged.items()
    ]
    return found + [_alone(rows, name, table=of.get(name), label=label) for name in asked]


def _sample(
    df: DataFrame, columns: Sequence[str], wanted: Sequence[str], texts: set[str]
) -> pd.DataFrame:
    """Return a sample that is the same each time: the rows whose hash is smallest."""
    from pyspark.sql import functions as F

    first = df.orderBy(F.xxhash64(*map(tables.column, columns))).limit(SAMPLE)
    kept = [
        tables.column(n) if n in texts else tables.column(n).cast("double").alias(n) for n in wanted
    ]
    return tables.to_pandas(first.select(*kept))


def _lagged(
    whole: DataFrame, spec: FeatureSpec, pairs: Sequence[Pair], lag: timedelta
) -> tuple[DataFrame, dict[str, str]]:
    """Return the frame with features as of `lag` earlier, and their names by those of now."""
    from pyspark.sql import functions as F

    shifts = {lookup.timestamp_lookup_key for lookup, _ in pairs}
    earlier = {f"__before_{time}": tables.column(time) - F.lit(lag) for time in shifts if time}
    names: dict[str, str] = {}
    moved: list[Pair] = []
    for lookup, source in pairs:
        both = zip(lookup.feature_names, lookup.outputs, strict=True)
        renamed = {feature: f"__lagged_{output}" for feature, output in both}
        names |= {output: f"__lagged_{output}" for output in lookup.outputs}
        at = f"__before_{lookup.timestamp_lookup_key}"
        moved.append((replace(lookup, timestamp_lookup_key=at, rename_outputs=renamed), source))
    df = joined(whole.withColumns(earlier), moved) if moved else whole
    for function in _in_order(spec.functions, whole.columns):
        bound = {k: names.get(v, v) for k, v in function.input_bindings.items()}
        if bound != dict(function.input_bindings):
            output = f"__lagged_{function.output_name}"
            again = replace(function, input_bindings=bound, output_name=output)
            df = df.select("*", computed(again, df.columns))
            names[function.output_name] = output
    return df, names


def _in_order(
    functions: Sequence[ResolvedFunction], columns: Sequence[str]
) -> list[ResolvedFunction]:
    """Return the functions so that each comes after those whose outputs it takes."""
    made = {function.output_name for function in functions}
    given = [name for name in columns if name not in made]
    return [
        x for stage in stages(functions, given) for x in stage if isinstance(x, ResolvedFunction)
    ]


def _faded(
    rows: pd.DataFrame,
    names: tuple[str, str],
    *,
    table: str | None,
    label: str,
    lag: timedelta | None,
    least: float,
) -> Evidence:
    name, lagged = names
    now = _told(rows, name, label)
    before = _told(rows, lagged, label)
    left = before / now if now else 1.0
    how = "a rank-biserial correlation" if _is_binary(rows[label]) else "a rank correlation"
    return Evidence(
        feature=name,
        table=table,
        check="vanishes_when_lagged",
        measured=left,
        limit=least,
        leaking=now >= max(STRONG, _by_chance(rows[label])) and left < least,
        rows=len(rows),
        reason=f"what it tells of {label!r} has {how} of {now:.3f}, and of "
        f"{before:.3f} when it is looked up {lag} earlier",
    )


def _is_binary(labels: Any) -> bool:
    return bool(labels.nunique() == 2)


def _by_chance(labels: Any) -> float:
    """Return three standard deviations of what a feature that tells nothing seems to tell.

    Source: the variance of Mann and Whitney's U for two classes, else that of Spearman's rho.
    """
    known = labels.dropna()
    if not _is_binary(known):
        return 3 / math.sqrt(max(len(known), 1))
    first = int((known == known.max()).sum())
    return 3 * math.sqrt((len(known) + 1) / (3 * first * (len(known) - first)))


def _alone(rows: pd.DataFrame, name: str, *, table: str | None, label: str) -> Evidence:
    how = "AUC" if _is_binary(rows[label]) else "rank correlation"
    orders = [_by_others(rows, name, label)]
    orders += [rows[name]] if _is_number(rows[name]) else []
    measured = max(_ordered(values, rows[label]) for values in orders)
    known = rows[name].notna() & rows[label].notna()
    return Evidence(
        feature=name,
        table=table,
        check="tells_the_label_alone",
        measured=measured,
        limit=ALONE,
        leaking=measured >= ALONE,
        rows=int(known.sum()),
        reason=f"by itself it orders {label!r} with a {how} of {measured:.3f}",
    )


def _told(rows: pd.DataFrame, name: str, label: str) -> float:
    """Return the correlation with the label, or that of the mean label of alike values.

    The second finds what is not monotone, and texts. Of two labels it is the rank-biserial one,
    2 AUC - 1: however strong the feature, Spearman's is small where one of them is rare.
    """
    orders = [_by_others(rows, name, label)]
    orders += [rows[name]] if _is_number(rows[name]) else []
    told = (_ordered(values, rows[label]) for values in orders)
    return max(2 * x - 1 if _is_binary(rows[label]) else x for x in told)


def _ordered(values: Any, labels: Any) -> float:
    """Return how well the values order the labels: the AUC of two labels, a correlation of more."""
    known = values.notna() & labels.notna()
    y = labels[known]
    if not _is_binary(labels):
        return _correlation(values, labels)
    if y.nunique() != 2:
        return 0.5
    area = auc((y == y.max()).to_numpy(), values[known].to_numpy())
    return max(area, 1 - area)


def _by_others(rows: pd.DataFrame, name: str, label: str) -> Any:
    """Return for each row the mean label of alike values in the other half of the rows.

    Alike are equal texts, and numbers within one twentieth of all.
    """
    import numpy as np
    import pandas as pd

    values = rows[name]
    if _is_number(values):
        part = np.searchsorted(values.quantile(_PARTS), values, side="left")
        values = pd.Series(part, index=values.index).where(values.notna())
    even, odd = slice(0, None, 2), slice(1, None, 2)
    told = []
    for half, other in ((even, odd), (odd, even)):
        means = rows[label].iloc[other].groupby(values.iloc[other]).mean()
        told.append(values.iloc[half].map(means))
    return pd.concat(told).sort_index()


def _is_number(values: Any) -> bool:
    return values.dtype.kind in "biuf"


def _correlation(left: Any, right: Any) -> float:
    """Return the size of Spearman's rank correlation, 0 where it is not defined."""
    both = left.notna() & right.notna()
    if both.sum() < 3:
        return 0.0
    a, b = left[both].rank(), right[both].rank()
    if a.nunique() < 2 or b.nunique() < 2:
        return 0.0
    return abs(float(a.corr(b)))


def _kinds(df: DataFrame, kind: str) -> set[str]:
    from pyspark.sql.types import BooleanType, NumericType, StringType

    wanted = (NumericType, BooleanType) if kind == "numeric" else (StringType,)
    return {f.name for f in df.schema.fields if isinstance(f.dataType, wanted)}
