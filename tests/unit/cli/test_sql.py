from __future__ import annotations

import datetime as dt
import json

from laketop.cli.sql import _plain


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
