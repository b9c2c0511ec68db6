"""Look for leaks in a training set: its specification, its rows, its split."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from laketop.ml import tables
from laketop.ml.evidence import Evidence
from laketop.ml.features.resolving import Resolved, root
from laketop.ml.features.spec import FeatureSpec, ResolvedLookup
from laketop.ml.leaks.cutoff import after_cutoff
from laketop.ml.leaks.splitting import across_split
from laketop.ml.leaks.telling import telling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from laketop.ml.features import TrainingSet


def find(
    spark: SparkSession,
    training_set: TrainingSet,
    *,
    cutoff: str,
    split: str | None = None,
    lag: timedelta | None = timedelta(hours=1),
    vanished: float = 0.25,
    planned: Sequence[str] = (),
) -> tuple[Evidence, ...]:
    """Return the evidence for and against each feature of `training_set`, whoever brings it.

    Features are compared `lag` earlier, and have vanished when less than the share `vanished` of
    their correlation is left; None leaves that check out. `planned` names columns of times that
    are known before they come, such as a schedule's.
    Shapes: `cutoff` is a column of the frame, the moment after which nothing may be known;
    `split` a SQL condition on its columns that holds for the test rows. What features tell of the
    label is looked at where it is a number or boolean.
    Errors: ValueError when there is no column `cutoff`.
    """
    whole, spec = training_set.whole, training_set.spec
    if cutoff not in whole.columns:
        raise ValueError(f"the training set has no column {cutoff!r} to be the cut-off")
    pairs = [
        (lookup, tables.at_version(spark, lookup.table, lookup.version))
        for lookup in spec.lookups
        if lookup.version is not None
    ]
    features = _features(spec, whole.columns)
    looked_up = {name for lookup in spec.lookups for name in lookup.outputs}
    own = [name for name in features if name not in {*looked_up, *planned}]
    found = after_cutoff(whole, pairs, own=own, cutoff=cutoff)
    if spec.labels:
        timed = [pair for pair in pairs if pair[0].timestamp_lookup_key is not None]
        found += telling(whole, spec, timed, features=features, lag=lag, least=vanished)
    found += _made_of_leaks(spec, found)
    if split is not None:
        found += across_split(training_set, cutoff, split)
    return tuple(found)


def _features(spec: FeatureSpec, columns: Sequence[str]) -> list[str]:
    """Return the columns that a model may see, and those that only make such columns."""
    made: list[Resolved] = [*spec.lookups, *spec.functions]
    outputs = {name for feature in made for name in feature.outputs}
    out = {*spec.labels, *spec.exclude_columns}
    return [name for name in columns if name in outputs or name not in out]


def _made_of_leaks(spec: FeatureSpec, found: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence against what is computed from, or looked up by, a leaking feature."""
    leaking = {x.feature for x in found if x.leaking}
    made: list[Resolved] = [*spec.lookups, *spec.functions]
    names = [*spec.inputs, *(name for feature in made for name in feature.outputs)]
    told: list[Evidence] = []
    while True:
        fresh = [
            (feature, name, by)
            for feature in made
            for by in (root(need, names) for need in feature.needs)
            if by in leaking
            for name in feature.outputs
            if name not in leaking
        ]
        if not fresh:
            return told
        for feature, name, by in fresh:
            if name not in leaking:
                told.append(_of_a_leak(feature, name, by))
                leaking.add(name)


def _of_a_leak(feature: Resolved, name: str, by: str) -> Evidence:
    is_lookup = isinstance(feature, ResolvedLookup)
    return Evidence(
        feature=name,
        table=feature.table if isinstance(feature, ResolvedLookup) else None,
        check="made_of_a_leak",
        measured=1.0,
        limit=0.0,
        leaking=True,
        rows=0,
        reason=f"it is {'looked up by' if is_lookup else 'computed from'} {by!r}, which leaks",
    )
