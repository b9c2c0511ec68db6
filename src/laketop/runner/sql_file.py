"""The SQL of a task: its statements, run one after the other, and the rows of the last one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from laketop.runner.sql_cell import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

MOST_ROWS: Final = 1_000
"""How many rows references to the task can read; unverified."""
SHOWN_ROWS: Final = 20
_MUSTACHE: Final = re.compile(r"\{\{\s*(?P<name>[\w.-]+)\s*\}\}")


def run_file(
    file: Path, parameters: Mapping[str, str], session: Callable[[], SparkSession]
) -> list[dict[str, Any]]:
    """Run the statements of `file`, print what each answers, return the rows of the last one.

    `:name` stands for a parameter's value, `{{name}}` for its text. Rows beyond the first
    thousand of a statement are not asked for; values that JSON does not have become text.
    """
    source = file.read_text(encoding="utf-8")
    text = _MUSTACHE.sub(lambda found: parameters.get(found["name"], found[0]), source)
    rows: list[dict[str, Any]] = []
    for statement in statements(text, parameters):
        frame = session().sql(statement.text, args=dict(statement.arguments) or None)
        taken = [row.asDict(recursive=True) for row in frame.limit(MOST_ROWS).collect()]
        _print(frame.columns, taken)
        rows = json.loads(json.dumps(taken, default=str))
    return rows


def _print(columns: list[str], rows: list[dict[str, Any]]) -> None:
    if not columns:
        return
    import pandas as pd

    shown = pd.DataFrame(rows, columns=columns)
    print(shown.to_string(index=False, max_rows=SHOWN_ROWS))
