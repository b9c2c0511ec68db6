"""Training sets: a frame with its features, and the same look-ups for rows to be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laketop.errors import NotFound
from laketop.ml import tables
from laketop.ml.features import point_in_time
from laketop.ml.features.resolving import Resolved, check_key_types, root, stages
from laketop.ml.features.spec import FeatureSpec, ResolvedFunction, ResolvedLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class TrainingSet:
    """A frame with its features looked up, and the spec that says how."""

    def __init__(self, df: DataFrame, spec: FeatureSpec) -> None:
        self._df = df
        self.spec = spec

    @property
    def whole(self) -> DataFrame:
        """The rows with their features, the excluded columns among them."""
        return self._df

    def load_df(self) -> DataFrame:
        """Return the rows with their features, without the excluded columns.

        Shapes: one row for each row of the frame that the set was made of, none lost or doubled;
        its columns in their order, then the features in the order in which they were asked for.
        """
        return self._df.drop(*self.spec.exclude_columns)


def trained(df: DataFrame, spec: FeatureSpec, sources: Mapping[str, DataFrame]) -> TrainingSet:
    """Return the training set of `df`; `sources` are the feature tables as `spec` records them."""
    return TrainingSet(_with_features(df, spec, spec.lookups, spec.functions, sources), spec)


def looked_up(spark: SparkSession, spec: FeatureSpec, df: DataFrame) -> DataFrame:
    """Return `df` with the features of `spec` that it does not bring itself, as they are now.

    Errors: ValueError for an input that `df` lacks or has in another type, NotFound for a table
    or a feature that is gone.
    """
    given = df.columns
    functions = tuple(x for x in spec.functions if x.output_name not in given)
    lookups = tuple(x for x in (_wanted(lookup, given) for lookup in spec.lookups) if x is not None)
    features: list[Resolved] = [*lookups, *functions]
    needed = {root(need, given) for feature in features for need in feature.needs}
    missing = [
        name
        for name in spec.inputs
        if name not in given and (name in needed or name not in spec.exclude_columns)
    ]
    if missing:
        raise ValueError(f"the rows to score lack the columns {missing!r}")
    sources = {lookup.table: _present(spark, lookup) for lookup in lookups}
    for lookup in lookups:
        check_key_types(lookup, sources[lookup.table].schema, {}, df.schema)
    return _with_features(df, spec, lookups, functions, sources)


def _wanted(lookup: ResolvedLookup, given: Sequence[str]) -> ResolvedLookup | None:
    both = zip(lookup.feature_names, lookup.outputs, strict=True)
    names = tuple(name for name, output in both if output not in given)
    return replace(lookup, feature_names=names) if names else None


def _present(spark: SparkSession, lookup: ResolvedLookup) -> DataFrame:
    if not tables.exists(spark, lookup.table):
        raise NotFound("feature table", lookup.table, hint="the model was trained with it")
    source = spark.table(lookup.table)
    for name in lookup.feature_names:
        if name not in source.columns:
            raise NotFound(
                f"feature of {lookup.table!r}", name, hint="the model was trained with it"
            )
    return source


def _with_features(
    df: DataFrame,
    spec: FeatureSpec,
    lookups: Sequence[ResolvedLookup],
    functions: Sequence[ResolvedFunction],
    sources: Mapping[str, DataFrame],
) -> DataFrame:
    given = df.columns
    names = given
    features: list[Resolved] = [*lookups, *functions]
    for stage in stages(features, given):
        pairs = [(x, sources[x.table]) for x in stage if isinstance(x, ResolvedLookup)]
        if pairs:
            df = point_in_time.joined(df, pairs)
        calls = [computed(x, names) for x in stage if isinstance(x, ResolvedFunction)]
        if calls:
            df = df.select("*", *calls)
        names = [*names, *(name for feature in stage for name in feature.outputs)]
    wanted = [*given, *(name for name in spec.outputs if name not in given)]
    return df if names == wanted else df.select(*map(tables.column, wanted))


def computed(function: ResolvedFunction, names: Sequence[str]) -> Any:
    """Return the call of a function on the columns `names`, under its output's name."""
    from pyspark.sql import functions as F

    bound = (
        f"{tables.quoted_column(argument)} => "
        + (tables.quoted_column(name) if name in names else tables.quoted(name))
        for argument, name in function.input_bindings.items()
    )
    call = f"{tables.quoted(function.udf_name)}({', '.join(bound)})"
    return F.expr(call).alias(function.output_name)
