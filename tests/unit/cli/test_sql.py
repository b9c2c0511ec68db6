from __future__ import annotations

import datetime as dt
import json

import pytest

from laketop.cli.sql import _plain, failure_of


class Pair(tuple[int, ...]):
    """What a row is: a tuple that knows its names."""

    __slots__ = ()

    def asDict(self) -> dict[str, int]:  # noqa: N802 - Spark's name
        return dict(zip("ab", self, strict=True))


def test_values_become_what_json_has() -> None:
    row = [Pair((1, 2)), b"ab", float("nan"), dt.date(2013, 4, 1), {"k": [Pair((3, 4))]}]
    told = json.dumps([_plain(value) for value in row], allow_nan=False)
    assert json.loads(told) == [
        {"a": 1, "b": 2},
        "YWI=",
        "nan",
        "2013-04-01",
        {"k": [{"a": 3, "b": 4}]},
    ]


UNRESOLVED = "[UNRESOLVED_COLUMN] `b` cannot be resolved. SQLSTATE: 42703; line 1 pos 7"
PARSE = """\
[PARSE_SYNTAX_ERROR] Syntax error at or near 'from'. SQLSTATE: 42601 (line 1, pos 7)

== SQL ==
select from
-------^^^"""
ABORTED = "(org.apache.spark.SparkException) Job aborted"
FRAMES = "\n\tat org.apache.spark.A.b(A.scala:1)\n"
STACK = "\n\nJVM stacktrace:\norg.apache.spark.SparkException\n"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (f"{UNRESOLVED};\n'Project ['b]\n+- OneRowRelation\n", UNRESOLVED),
        (PARSE, PARSE),
        (f"{PARSE[:-8]};\nSELECT 'No space left on device'\n-----^^^", None),
        (f"{UNRESOLVED};\n'Filter ('a = No space left on device)\n", UNRESOLVED),
        (f"{ABORTED}{FRAMES}Caused by: x\n\t... 3 more{STACK}", f"{ABORTED}\nCaused by: x"),
    ],
)
def test_an_error_is_what_spark_says_without_plans_and_frames(told: str, kept: str | None) -> None:
    assert str(failure_of(told)) == (told if kept is None else kept)


def test_a_full_disk_is_said_with_what_to_do() -> None:
    told = str(failure_of(f"{ABORTED}: java.io.IOException: No space left on device{STACK}"))
    assert told.startswith("a disk was full while the statement ran\nhint: make room")
