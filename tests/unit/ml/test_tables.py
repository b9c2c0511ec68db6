"""Names and literals in SQL text."""

from __future__ import annotations

from laketop.ml.tables import literal, quoted, quoted_column


def test_a_backtick_cannot_end_a_name() -> None:
    assert quoted("a.b`; DROP") == "`a`.`b``; DROP`"


def test_a_column_keeps_its_dots() -> None:
    assert quoted_column("a.b`c") == "`a.b``c`"


def test_a_quote_cannot_end_a_literal() -> None:
    assert literal("a'b\\") == "'a\\'b\\\\'"
