"""A Delta table's own log, read without an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from laketop.workspace.ui.delta_log import history, shape, type_name

_FIELDS = [
    {"name": "id", "type": "long", "nullable": False, "metadata": {"comment": "<b>"}},
    {"name": "tags", "type": {"type": "array", "elementType": "string"}, "nullable": True},
]
_METADATA = {
    "schemaString": json.dumps({"type": "struct", "fields": _FIELDS}),
    "partitionColumns": ["id"],
    "configuration": {"delta.appendOnly": "true"},
    "description": "rows",
}


def _commit(table: Path, version: int, *actions: dict[str, Any]) -> None:
    log = table / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    info = {"commitInfo": {"timestamp": version * 1000, "operation": "WRITE"}}
    lines = [json.dumps(one) for one in (info, {"add": {"path": f"{version}.parquet"}}, *actions)]
    (log / f"{version:020}.json").write_text("\n".join(lines), encoding="utf-8")


def test_the_columns_are_those_of_the_newest_metadata(tmp_path: Path) -> None:
    _commit(tmp_path, 0, {"metaData": {**_METADATA, "description": "older"}})
    _commit(tmp_path, 1, {"metaData": _METADATA})
    _commit(tmp_path, 2)
    found = shape(tmp_path)
    assert found is not None
    assert [(c.name, c.type, c.is_nullable, c.comment) for c in found.columns] == [
        ("id", "bigint", False, "<b>"),
        ("tags", "array<string>", True, ""),
    ]
    assert (found.description, found.partitions) == ("rows", ["id"])
    assert found.properties == {"delta.appendOnly": "true"}


def test_of_a_log_that_was_cut_the_checkpoint_tells_the_columns(tmp_path: Path) -> None:
    _commit(tmp_path, 11)
    row = {**_METADATA, "configuration": [("delta.appendOnly", "true")]}
    kind = pa.struct(
        [
            ("schemaString", pa.string()),
            ("partitionColumns", pa.list_(pa.string())),
            ("configuration", pa.map_(pa.string(), pa.string())),
            ("description", pa.string()),
        ]
    )
    actions = pa.table({"metaData": pa.array([None, row], kind)})
    pq.write_table(actions, tmp_path / "_delta_log" / f"{10:020}.checkpoint.parquet")
    found = shape(tmp_path)
    assert found is not None
    assert [column.name for column in found.columns] == ["id", "tags"]
    assert found.properties == {"delta.appendOnly": "true"}


def test_the_history_is_the_newest_commits_first_and_by_pages(tmp_path: Path) -> None:
    for version in range(12):
        _commit(tmp_path, version)
    assert [one.version for one in history(tmp_path, 5)] == [11, 10, 9, 8, 7]
    assert [one.version for one in history(tmp_path, 5, before=7)] == [6, 5, 4, 3, 2]
    newest = history(tmp_path, 1)[0]
    assert (newest.at_ms, newest.operation, newest.metrics) == (11_000, "WRITE", {})


@pytest.mark.parametrize(
    "text", ["", "not json", '{"metaData": {}}', '{"metaData": {"schemaString": "x"}}']
)
def test_what_cannot_be_read_has_no_columns(tmp_path: Path, text: str) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / f"{0:020}.json").write_text(text, encoding="utf-8")
    assert shape(tmp_path) is None


def test_what_is_no_table_has_neither_columns_nor_history(tmp_path: Path) -> None:
    assert shape(tmp_path) is None
    assert history(tmp_path, 5) == []


def test_types_are_written_as_sql_writes_them() -> None:
    inner = {"type": "struct", "fields": [{"name": "a", "type": "integer"}]}
    kind = {"type": "map", "keyType": "string", "valueType": inner}
    assert type_name(kind) == "map<string, struct<a: int>>"
    assert type_name("decimal(10,2)") == "decimal(10,2)"
