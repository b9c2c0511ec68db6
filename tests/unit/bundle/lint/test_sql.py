from __future__ import annotations

import pytest

from laketop.bundle.lint.sql import tables_in


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("SELECT * FROM a.b.c", {"a.b.c"}, set()),
        ("select 1 from `a`.`b-1`.c join d.e on 1", {"a.b-1.c", "d.e"}, set()),
        ("CREATE OR REPLACE TABLE a.b AS SELECT * FROM c.d", {"c.d"}, {"a.b"}),
        ("create table if not exists {schema}.t (x int)", set(), {"{schema}.t"}),
        ("INSERT OVERWRITE TABLE a.b SELECT 1", set(), {"a.b"}),
        ("MERGE INTO a.b USING c.d ON 1", set(), {"a.b"}),
        ("COPY INTO a.b FROM '/Volumes/x'", set(), {"a.b"}),
        ("CREATE OR REFRESH STREAMING TABLE a.b AS SELECT 1", set(), {"a.b"}),
        ("SELECT * FROM delta.`/x/y` -- FROM f.g\n/* JOIN h.i */", set(), set()),
        ("SELECT * FROM one", set(), set()),
        ("SELECT ' FROM a.b '", set(), set()),
        ("SELECT * FROM cat.fn.f(1)", set(), set()),
    ],
)
def test_statements_name_what_they_read_and_write(
    text: str, read: set[str], written: set[str]
) -> None:
    found, made = tables_in(text)
    assert (set(found), made) == (read, written)


def test_a_name_has_its_line() -> None:
    text = "/* FROM a.a\n*/ SELECT 'x\n'\nFROM a.b"
    assert tables_in(text)[0] == {"a.b": 3}
