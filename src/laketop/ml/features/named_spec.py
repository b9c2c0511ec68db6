"""Feature specs by name: a function of the catalog that returns the text of the spec.

A function needs no store beside the catalog, falls under its grants and is dropped with its schema.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from laketop.errors import NotFound
from laketop.ml import tables
from laketop.ml.features.definitions import FeatureFunction, FeatureLookup
from laketop.ml.features.spec import FeatureSpec

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COMMENT = "A feature spec."


def create(spark: SparkSession, name: str, spec: FeatureSpec) -> None:
    """Keep `spec` as the function `name`; Spark's own error when there is one already."""
    spark.sql(
        f"CREATE FUNCTION {tables.quoted(name)}() RETURNS STRING COMMENT {tables.literal(COMMENT)} "
        f"RETURN {tables.literal(spec.to_json())}"
    )


def read(spark: SparkSession, name: str) -> FeatureSpec:
    """Return the spec that is kept under `name`.

    Errors: NotFound when there is no such function, or when it is no feature spec.
    """
    from pyspark.errors import AnalysisException

    try:
        row = spark.sql(f"SELECT {tables.quoted(name)}()").first()
        return FeatureSpec.from_json("" if row is None else str(row[0]))
    except (AnalysisException, ValueError, KeyError) as error:
        raise NotFound("feature spec", name, hint="make it with create_feature_spec") from error


def delete(spark: SparkSession, name: str) -> None:
    """Drop the spec `name`.

    Errors: NotFound when it is not there.
    """
    read(spark, name)
    spark.sql(f"DROP FUNCTION {tables.quoted(name)}")


def features(spec: FeatureSpec) -> list[FeatureLookup | FeatureFunction]:
    """Return the lookups and functions that a kept spec was made of, in the order of outputs."""
    made: list[tuple[int, FeatureLookup | FeatureFunction]] = []
    for lookup in spec.lookups:
        seconds = lookup.lookback_seconds
        asked = FeatureLookup(
            lookup.table,
            lookup.lookup_key,
            feature_names=lookup.feature_names,
            rename_outputs=lookup.rename_outputs,
            timestamp_lookup_key=lookup.timestamp_lookup_key,
            lookback_window=None if seconds is None else timedelta(seconds=seconds),
            default_values=lookup.default_values,
        )
        made.append((_place(spec, lookup.outputs), asked))
    for function in spec.functions:
        computed = FeatureFunction(
            udf_name=function.udf_name,
            input_bindings=function.input_bindings,
            output_name=function.output_name,
        )
        made.append((_place(spec, function.outputs), computed))
    return [feature for _, feature in sorted(made, key=lambda pair: pair[0])]


def _place(spec: FeatureSpec, outputs: tuple[str, ...]) -> int:
    return spec.outputs.index(outputs[0]) if outputs else len(spec.outputs)
