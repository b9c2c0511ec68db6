"""From what was asked for to a feature spec: names completed, versions fixed, misfits told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from laketop.errors import NotFound, Refused
from laketop.ml import tables
from laketop.ml.features import feature_table
from laketop.ml.features.definitions import FeatureFunction, FeatureLookup
from laketop.ml.features.feature_table import FeatureTable
from laketop.ml.features.spec import FeatureSpec, ResolvedFunction, ResolvedLookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

MOST_TABLES = 50
MOST_FUNCTIONS = 100
_AT_ONCE = 8

Resolved = ResolvedLookup | ResolvedFunction


def resolved(
    spark: SparkSession,
    features: Sequence[FeatureLookup | FeatureFunction],
    *,
    schema: StructType | None,
    labels: Sequence[str],
    exclude_columns: Sequence[str],
) -> tuple[FeatureSpec, dict[str, DataFrame]]:
    """Return the spec of these features over a frame of `schema`, None = not known yet.

    The feature tables are recorded at their present Delta version.
    Shapes: with the spec, each feature table by its name, as it is at that version.
    Errors: ValueError for columns that clash, are missing or of another type; NotFound for
    unknown tables, features and functions; Refused for anything but lookups and functions, and
    beyond 50 tables or 100 functions.
    """
    found = _Tables(spark, [x.table_name for x in features if isinstance(x, FeatureLookup)])
    made = [_resolved(spark, feature, found) for feature in features]
    lookups = tuple(x for x in made if isinstance(x, ResolvedLookup))
    functions = tuple(x for x in made if isinstance(x, ResolvedFunction))
    check_limits(lookups, functions)
    outputs = tuple(name for feature in made for name in feature.outputs)
    given = _needed(made) if schema is None else tuple(schema.names)
    _check_names(given, labels=labels, outputs=outputs)
    if schema is not None:
        _check_excluded(exclude_columns, (*given, *outputs))
    stages(made, given)
    if schema is not None:
        _check_types(lookups, schema, found)
    spec = FeatureSpec(
        labels=tuple(labels),
        inputs=_inputs(given, made, labels=labels, excluded=exclude_columns),
        lookups=lookups,
        functions=functions,
        outputs=outputs,
        exclude_columns=tuple(exclude_columns),
    )
    return spec, found.sources


def stages(features: Sequence[Resolved], given: Iterable[str]) -> list[list[Resolved]]:
    """Return `features` in stages, each of which needs only columns that are there before it.

    A stage has lookups alone or functions alone, and lookups go first.
    Errors: ValueError for a column that neither `given` nor any feature has.
    """
    there, waiting = set(given), list(features)
    found: list[list[Resolved]] = []
    while waiting:
        ready = [x for x in waiting if not lacking(x.needs, there)]
        lookups: list[Resolved] = [x for x in ready if isinstance(x, ResolvedLookup)]
        stage = lookups or ready
        if not stage:
            first = waiting[0]
            what = first.table if isinstance(first, ResolvedLookup) else first.udf_name
            raise ValueError(
                f"the columns {lacking(first.needs, there)!r} that {what!r} is asked by are "
                "neither in the frame nor made by another feature"
            )
        found.append(stage)
        there.update(name for feature in stage for name in feature.outputs)
        waiting = [x for x in waiting if x not in stage]
    return found


def lacking(needs: Iterable[str], there: Iterable[str]) -> list[str]:
    """Return which of `needs`, columns or fields of structs, are not among the columns `there`.

    >>> lacking(["a", "event.at", "b"], ["a", "event"])
    ['b']
    """
    names = set(there)
    return [name for name in needs if root(name, names) not in names]


def root(name: str, names: Iterable[str]) -> str:
    """Return the column that `name` is, or whose field it is.

    >>> root("event.at", ["event"]), root("a.b", ["a.b"])
    ('event', 'a.b')
    """
    return name if name in names else name.partition(".")[0]


def type_of(name: str, schema: StructType) -> DataType | None:
    """Return the type of a column or of a field of a struct, None when there is none."""
    from pyspark.sql.types import StructType as Struct

    if name in schema.names:
        return schema[name].dataType
    head, _, rest = name.partition(".")
    inner = schema[head].dataType if head in schema.names else None
    return type_of(rest, inner) if rest and isinstance(inner, Struct) else None


class _Tables:
    """The feature tables that were asked for, each looked at once, many at a time."""

    def __init__(self, spark: SparkSession, names: Iterable[str]) -> None:
        self._spark = spark
        asked = list(dict.fromkeys(names))
        self.sources: dict[str, DataFrame] = {}
        # Each is a few questions to Spark, whose answers are mostly waited for.
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            keyed = pool.map(lambda name: feature_table.keyed(spark, name), asked)
            dated = pool.map(self._dated, asked)
            told = dict(zip(asked, zip(keyed, dated, strict=True), strict=True))
        self._found = {
            name: (table.over(schema.names), schema, version)
            for name, (table, (schema, version)) in told.items()
        }

    def __getitem__(self, name: str) -> tuple[FeatureTable, StructType, int]:
        return self._found[name]

    def _dated(self, name: str) -> tuple[StructType, int]:
        version = tables.current_version(self._spark, name)
        self.sources[name] = tables.at_version(self._spark, name, version)
        return self.sources[name].schema, version


def _resolved(spark: SparkSession, feature: object, found: _Tables) -> Resolved:
    if isinstance(feature, FeatureFunction):
        _check_function(spark, feature.udf_name)
        return ResolvedFunction(
            udf_name=feature.udf_name,
            output_name=feature.output_name,
            input_bindings=feature.input_bindings,
        )
    if not isinstance(feature, FeatureLookup):
        raise Refused(
            type(feature).__name__, hint="a feature is a FeatureLookup or a FeatureFunction"
        )
    table, schema, version = found[feature.table_name]
    check_lookup(feature, table, schema)
    window = feature.lookback_window
    return ResolvedLookup(
        table=feature.table_name,
        version=version,
        primary_keys=table.primary_keys,
        lookup_key=feature.lookup_key,
        timeseries_column=table.timeseries_column,
        timestamp_lookup_key=feature.timestamp_lookup_key,
        lookback_seconds=None if window is None else window.total_seconds(),
        feature_names=table.features if feature.feature_names is None else feature.feature_names,
        rename_outputs=feature.rename_outputs,
        default_values=feature.default_values,
    )


def _check_function(spark: SparkSession, name: str) -> None:
    from pyspark.errors import AnalysisException

    try:
        spark.sql(f"DESCRIBE FUNCTION {tables.quoted(name)}").first()
    except AnalysisException as error:
        raise NotFound("function", name, hint="make it with CREATE FUNCTION") from error


def check_functions(spec: FeatureSpec, df: DataFrame) -> None:
    """Let Spark analyse `df`, in which the functions of `spec` are called.

    Errors: ValueError when a function does not take what its bindings give it.
    """
    from pyspark.errors import AnalysisException

    if not spec.functions:
        return
    try:
        _ = df.schema
    except AnalysisException as error:
        told = {function.udf_name: dict(function.input_bindings) for function in spec.functions}
        first = str(error).partition("\n")[0]
        raise ValueError(f"the functions {told!r} cannot be called so: {first}") from error


def check_lookup(lookup: FeatureLookup, table: FeatureTable, schema: StructType) -> None:
    """Check what a lookup asks of `table`, whose columns are `schema`.

    Errors: ValueError for keys, a time or a window that the table has not, Refused for a key that
    is an undeclared time, NotFound for a feature that is not there or not looked up.
    """
    time = lookup.timestamp_lookup_key
    if len(lookup.lookup_key) != len(table.primary_keys):
        raise ValueError(
            f"lookup_key {list(lookup.lookup_key)!r} does not match the primary key "
            f"{list(table.primary_keys)!r} of {table.name!r}"
        )
    for key in table.primary_keys:
        if schema[key].dataType.typeName() in feature_table.TIMES:
            raise Refused(
                f"a lookup in {table.name!r}, whose key column {key!r} is a time but no "
                "time series,",
                hint=f"create the table with timeseries_columns={key!r}",
            )
    if (table.timeseries_column is None) != (time is None):
        expected = "needs" if time is None else "is no time series table and takes no"
        raise ValueError(f"{table.name!r} {expected} timestamp_lookup_key")
    if lookup.lookback_window is not None and time is None:
        raise ValueError(f"lookback_window on {table.name!r} needs a time series table")
    names = table.features if lookup.feature_names is None else lookup.feature_names
    for name in names:
        if name not in schema.names:
            raise NotFound(f"feature of {table.name!r}", name)
    for name in (*lookup.rename_outputs, *lookup.default_values):
        if name not in names:
            raise NotFound(f"feature of {table.name!r}, among those looked up,", name)


def check_limits(lookups: Sequence[ResolvedLookup], functions: Sequence[ResolvedFunction]) -> None:
    """Refuse more than 50 feature tables or 100 functions. Errors: Refused."""
    used = len({lookup.table for lookup in lookups})
    if used > MOST_TABLES:
        raise Refused(f"a model of {used} feature tables", hint=f"{MOST_TABLES} are the most")
    if len(functions) > MOST_FUNCTIONS:
        raise Refused(
            f"a model of {len(functions)} functions", hint=f"{MOST_FUNCTIONS} are the most"
        )


def _check_names(
    given: Sequence[str],
    *,
    labels: Sequence[str],
    outputs: Sequence[str],
) -> None:
    for label in labels:
        if label not in given:
            raise ValueError(f"the training frame lacks the label column {label!r}")
    seen = set(given)
    for name in outputs:
        if name in seen:
            raise ValueError(
                f"the feature {name!r} is there already; give it another name with "
                "rename_outputs or output_name"
            )
        seen.add(name)


def _check_excluded(excluded: Sequence[str], there: Sequence[str]) -> None:
    unknown = [name for name in excluded if name not in there]
    if unknown:
        raise ValueError(f"exclude_columns names {unknown!r}, which are not there")


def _check_types(lookups: Sequence[ResolvedLookup], schema: StructType, found: _Tables) -> None:
    made: dict[str, DataType] = {}
    for lookup in lookups:
        _, columns, _ = found[lookup.table]
        for name, output in zip(lookup.feature_names, lookup.outputs, strict=True):
            made[output] = columns[name].dataType
    for lookup in lookups:
        _, columns, _ = found[lookup.table]
        check_key_types(lookup, columns, made, schema)


def check_key_types(
    lookup: ResolvedLookup,
    columns: StructType,
    made: Mapping[str, DataType],
    schema: StructType,
) -> None:
    """Check that the frame asks with the types that the feature table has.

    Shapes: `columns` of the feature table, `schema` of the frame, `made` by other features.
    Errors: ValueError that names both columns and both types.
    """
    pairs = list(zip(lookup.lookup_key, lookup.primary_keys, strict=True))
    if lookup.timestamp_lookup_key is not None and lookup.timeseries_column is not None:
        pairs.append((lookup.timestamp_lookup_key, lookup.timeseries_column))
    for asked, key in pairs:
        given = type_of(asked, schema) or made.get(asked)
        wanted = columns[key].dataType
        if given is not None and given != wanted:
            raise ValueError(
                f"{asked!r} is {given.simpleString()}, but {key!r} of {lookup.table!r} is "
                f"{wanted.simpleString()}"
            )


def _needed(features: Sequence[Resolved]) -> tuple[str, ...]:
    made = {name for feature in features for name in feature.outputs}
    wanted = (need for feature in features for need in feature.needs)
    return tuple(dict.fromkeys(name for name in wanted if root(name, made) not in made))


def _inputs(
    given: Sequence[str],
    features: Sequence[Resolved],
    *,
    labels: Sequence[str],
    excluded: Sequence[str],
) -> tuple[str, ...]:
    needed = {root(need, given) for feature in features for need in feature.needs}
    wrong = [label for label in labels if label in needed]
    if wrong:
        raise ValueError(f"the label {wrong[0]!r} cannot be what a feature is asked by")
    return tuple(
        name for name in given if name not in labels and (name not in excluded or name in needed)
    )
