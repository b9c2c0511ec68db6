"""Which columns a model can take by its signature."""

from __future__ import annotations

import pytest
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
)

from laketop.ml.features.scoring import misfit


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        (IntegerType(), "double", None),
        (DecimalType(10, 2), "double", None),
        (LongType(), "integer", None),  # left to MLflow, which looks at the values
        (StringType(), "double", "string"),
        (BooleanType(), "long", "boolean"),
        (DoubleType(), "string", "double"),
        (DateType(), "datetime", None),
        (StringType(), "datetime", "string"),
        (ArrayType(DoubleType()), "double", None),  # as a tensor of MLflow's
        (StringType(), "", None),
    ],
)
def test_a_type_fits_unless_none_of_its_values_can(
    given: DataType, wanted: str, expected: str | None
) -> None:
    assert misfit(given, wanted) == expected
