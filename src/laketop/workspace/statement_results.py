"""What a SQL statement returns: its columns described, its rows as text or Arrow, in chunks.

Source: databricks-sdk, `sql.StatementExecutionAPI.execute_statement`.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType, StructType

INLINE_BYTES = 25 * 1024 * 1024
CHUNK_BYTES = 4 * 1024 * 1024
_TYPE_NAMES = {
    "tinyint": "BYTE",
    "smallint": "SHORT",
    "bigint": "LONG",
    "void": "NULL",
    "timestamp_ntz": "TIMESTAMP",
    "varchar": "STRING",
    "variant": "STRING",
}
_KNOWN = frozenset(
    (
        *("ARRAY", "BINARY", "BOOLEAN", "BYTE", "CHAR", "DATE", "DECIMAL", "DOUBLE", "FLOAT"),
        *("INT", "INTERVAL", "LONG", "MAP", "NULL", "SHORT", "STRING", "STRUCT", "TIMESTAMP"),
    )
)


def columns_of(schema: StructType) -> list[dict[str, Any]]:
    """Return the columns as the manifest shows them."""
    return [_column(field.name, field.dataType, place) for place, field in enumerate(schema)]


def _column(name: str, kind: DataType, position: int) -> dict[str, Any]:
    text = kind.simpleString()
    word = text.partition("<")[0].partition("(")[0]
    type_name = _TYPE_NAMES.get(word, word.partition(" ")[0].upper())
    told: dict[str, Any] = {
        "name": name,
        "type_text": text.upper() if "<" not in text else _nested(text),
        "type_name": type_name if type_name in _KNOWN else "USER_DEFINED_TYPE",
        "position": position,
    }
    if word == "decimal":
        told["type_precision"] = getattr(kind, "precision", None)
        told["type_scale"] = getattr(kind, "scale", None)
    return told


def _nested(text: str) -> str:
    # Types in capitals, names of fields as they are: struct<aB:int> is STRUCT<aB: INT>.
    parts, word = [], ""
    for letter in text:
        if letter.isalnum() or letter in "_ ":
            word += letter
            continue
        parts.append(f"{word}: " if letter == ":" else word.upper() + letter)
        word = ""
    return ("".join(parts) + word.upper()).replace(",", ", ")


def as_text(df: DataFrame) -> DataFrame:
    """Return the rows with every value as the text that Databricks sends for it."""
    if not df.columns:
        return df
    fields = {f"c{place}": field for place, field in enumerate(df.schema.fields)}
    return df.toDF(*fields).select(*[_text(name, field.dataType) for name, field in fields.items()])


def _text(name: str, kind: DataType) -> Column:
    from pyspark.sql import functions as f

    column = f.col(name)
    word = kind.simpleString().partition("<")[0]
    if word in {"array", "map", "struct", "variant"}:
        return f.to_json(column).alias(name)
    if word == "timestamp":
        return f.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX").alias(name)
    if word == "timestamp_ntz":
        return f.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSS").alias(name)
    if word == "binary":
        return f.base64(column).alias(name)
    return column.cast("string").alias(name)


def chunks_of(table: pa.Table) -> list[pa.Table]:
    """Return the rows in parts of about `CHUNK_BYTES`, one at least."""
    rows = rows_within(table, CHUNK_BYTES)
    return [table.slice(start, rows) for start in range(0, table.num_rows, rows)] or [table]


def rows_within(table: pa.Table, limit_bytes: int) -> int:
    """Return how many rows of the table's mean size are within the limit, one at least."""
    if not table.num_rows or not table.nbytes:
        return max(int(table.num_rows), 1)
    mean_bytes = float(table.nbytes) / float(table.num_rows)
    return max(int(limit_bytes / mean_bytes), 1)


def data_array(table: pa.Table) -> list[list[str | None]]:
    """Return the rows of a table of texts, as lists."""
    columns = [column.to_pylist() for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def encoded(table: pa.Table, form: str, *, header: Sequence[str] | None) -> bytes:
    """Return a chunk as the bytes that an external link gives.

    `header` are the column names, for the first chunk of a CSV.
    """
    if form == "ARROW_STREAM":
        return _arrow(table)
    if form == "CSV":
        return _csv(table, header)
    return json.dumps(data_array(table), separators=(",", ":"), ensure_ascii=False).encode()


def _arrow(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _csv(table: pa.Table, header: Sequence[str] | None) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink)  # RFC 4180: lines end with CR LF
    if header is not None:
        writer.writerow(header)
    for row in data_array(table):
        writer.writerow(["null" if value is None else value for value in row])
    return sink.getvalue().encode()
