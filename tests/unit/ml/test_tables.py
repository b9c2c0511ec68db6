"""Names and literals in SQL text."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.errors import PySparkException

from laketop.ml.tables import held, literal, quoted, quoted_column


def test_a_backtick_cannot_end_a_name() -> None:
    assert quoted("a.b`; DROP") == "`a`.`b``; DROP`"


def test_a_column_keeps_its_dots() -> None:
    assert quoted_column("a.b`c") == "`a.b``c`"


def test_a_quote_cannot_end_a_literal() -> None:
    assert literal("a'b\\") == "'a\\'b\\\\'"


class Refusing:
    """A frame on compute that keeps no rows, or has another reason."""

    def __init__(self, why: str) -> None:
        self.why = why

    def persist(self) -> Any:
        raise PySparkException(self.why)


def test_compute_that_keeps_no_rows_computes_them_each_time() -> None:
    frame: Any = Refusing("[NOT_SUPPORTED_WITH_SERVERLESS] PERSIST TABLE is not supported")
    with held(frame) as kept:
        assert kept is frame


def test_another_reason_is_told() -> None:
    frame: Any = Refusing("[UNRESOLVED_COLUMN] no column a")
    with pytest.raises(PySparkException, match="no column a"), held(frame):
        raise AssertionError("nothing is kept")
