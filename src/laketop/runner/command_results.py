"""What a command of an execution context told, in the API's form and within its limits."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

MOST_ROWS = 10_000
"""How many rows of a SQL command come back."""
MOST_CHARACTERS = 20_000_000
"""How much of a result comes back."""


class Printed(io.StringIO):
    """What was printed, up to a limit; what goes beyond it is dropped, and told by `is_cut`."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        super().__init__()
        self._room = most
        self.is_cut = False

    def write(self, text: str, /) -> int:
        """Take a text; it counts as written whole."""
        kept = text[: self._room]
        self._room -= super().write(kept)
        self.is_cut = self.is_cut or len(kept) < len(text)
        return len(text)


def texts(kind: str, *, is_cut: bool = False, **fields: str) -> dict[str, Any]:
    """Return a result of texts, each cut at the limit; `truncated` is there where one was."""
    told = {name: text[:MOST_CHARACTERS] for name, text in fields.items()}
    is_cut = is_cut or told != fields
    return {"resultType": kind, **told, **({"truncated": True} if is_cut else {})}


def table(
    schema: StructType, rows: Sequence[Iterable[Any]], *, most: int = MOST_CHARACTERS
) -> dict[str, Any]:
    """Return a result of rows: as many as the limits of rows and characters let through."""
    data: list[list[Any]] = []
    for row in rows[:MOST_ROWS]:
        values = [_plain(value) for value in row]
        most -= sum(len(str(value)) for value in values)
        if most < 0:
            break
        data.append(values)
    return {
        "resultType": "table",
        "schema": [
            {"name": f.name, "type": json.dumps(f.dataType.simpleString()), "metadata": "{}"}
            for f in schema.fields
        ],
        "data": data,
        "truncated": len(data) < len(rows),
        "isJsonSchema": True,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no number for it
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
