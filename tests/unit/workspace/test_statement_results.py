"""Rows of statements: types as Databricks names them, chunks, encodings."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pytest
from pyspark.sql import types as t

from laketop.workspace import statement_results as results

NESTED = t.StructType(
    [
        t.StructField("aB", t.IntegerType()),
        t.StructField("c", t.MapType(t.StringType(), t.DoubleType())),
    ]
)


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        (t.ByteType(), "BYTE", "TINYINT"),
        (t.IntegerType(), "INT", "INT"),
        (t.LongType(), "LONG", "BIGINT"),
        (t.StringType(), "STRING", "STRING"),
        (t.DecimalType(10, 2), "DECIMAL", "DECIMAL(10,2)"),
        (t.TimestampNTZType(), "TIMESTAMP", "TIMESTAMP_NTZ"),
        (t.NullType(), "NULL", "VOID"),
        (t.ArrayType(t.IntegerType()), "ARRAY", "ARRAY<INT>"),
        (NESTED, "STRUCT", "STRUCT<aB: INT, c: MAP<STRING, DOUBLE>>"),
    ],
)
def test_types_have_the_names_of_databricks(kind: t.DataType, name: str, text: str) -> None:
    (told,) = results.columns_of(t.StructType([t.StructField("x", kind)]))

    assert (told["name"], told["type_name"], told["type_text"]) == ("x", name, text)


def test_chunks_hold_every_row_once_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "CHUNK_BYTES", 64 * 1024)
    texts = [str(number) * 1000 for number in range(200)]
    table = pa.table({"c0": texts})

    chunks = results.chunks_of(table)

    assert len(chunks) > 1
    assert all(chunk.nbytes < 1.5 * results.CHUNK_BYTES for chunk in chunks)
    assert [row[0] for chunk in chunks for row in results.data_array(chunk)] == texts


@pytest.mark.parametrize("table", [pa.table({"c0": pa.array([], pa.string())}), pa.table({})])
def test_no_rows_are_one_chunk_without_rows(table: pa.Table) -> None:
    (chunk,) = results.chunks_of(table)
    assert results.data_array(chunk) == []


def test_encodings_give_the_rows_back() -> None:
    table = pa.table({"c0": ['a "b"', None, "x,y"], "c1": ["1", "2", "ü\n"]})
    rows = [['a "b"', "1"], [None, "2"], ["x,y", "ü\n"]]

    assert json.loads(results.encoded(table, "JSON_ARRAY", header=None)) == rows
    arrow = results.encoded(table, "ARROW_STREAM", header=None)
    assert pa.ipc.open_stream(arrow).read_all() == table
    text = results.encoded(table, "CSV", header=["p", "q"]).decode()
    shown = list(csv.reader(io.StringIO(text, newline="")))
    assert shown == [["p", "q"], ['a "b"', "1"], ["null", "2"], ["x,y", "ü\n"]]
