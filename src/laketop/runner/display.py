"""`display` and `displayHTML`: what a notebook shows, as text in the run's log."""

from __future__ import annotations

import html
import re
import sys
from typing import TYPE_CHECKING, Any

from laketop.errors import Refused
from laketop.shims.imports import after_import

if TYPE_CHECKING:
    from types import ModuleType

ROWS = 20
"""Of a DataFrame; the platform's page shows 1,000."""
_WIDTH = 200


def display(value: Any = None, *_args: Any, **_options: Any) -> None:
    """Print a DataFrame's first rows, or what a value looks like as text.

    Errors: Refused for a streaming DataFrame.
    """
    if value is None:
        return
    if _is_spark_frame(value):
        _show_spark(value)
    elif _is_pandas(value):
        print(value.to_string(max_rows=ROWS, line_width=_WIDTH))
    else:
        print(value if isinstance(value, str) else repr(value))


def displayHTML(text: str) -> None:  # noqa: N802 - the platform's name
    """Print the text of a piece of HTML, without its tags."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", "", text, flags=re.DOTALL | re.IGNORECASE)
    bare = html.unescape(re.sub(r"<[^>]*>", " ", bare))
    print(re.sub(r"[^\S\n]+", " ", bare).strip())


def add_display_method() -> None:
    """Give Spark's DataFrame the method `display` once pyspark is imported."""
    after_import("pyspark.sql.dataframe", _add_method)


def _add_method(module: ModuleType) -> None:
    if not hasattr(module.DataFrame, "display"):
        module.DataFrame.display = display


def _is_spark_frame(value: object) -> bool:
    module = sys.modules.get("pyspark.sql.dataframe")
    return module is not None and isinstance(value, module.DataFrame)


def _is_pandas(value: object) -> bool:
    module = sys.modules.get("pandas")
    return module is not None and isinstance(value, (module.DataFrame, module.Series))


def _show_spark(frame: Any) -> None:
    if frame.isStreaming:
        raise Refused(
            "display of a streaming DataFrame",
            hint="write the stream to a table with trigger(availableNow=True), and display that",
        )
    if frame.columns:
        frame.show(ROWS)
