"""Reads a Delta table's own log: its columns and its last commits, without an engine.

Source: the Delta transaction log protocol: `metaData` and `commitInfo` actions, checkpoints.
"""

from __future__ import annotations

import dataclasses
import heapq
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"[0-9]{20}\.json")
_CHECKPOINT = re.compile(r"[0-9]{20}\.checkpoint.*\.parquet")
_MOST_READ = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One column, its type as SQL writes it."""

    name: str
    type: str
    is_nullable: bool = True
    comment: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """What a table is by its newest metadata."""

    columns: Sequence[Column]
    partitions: Sequence[str] = ()
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    description: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit. Units: ms since 1970, UTC."""

    version: int
    at_ms: int | None
    operation: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]


def history(table: Path, limit: int, *, before: int | None = None) -> list[Commit]:
    """Return the newest commits of the table, those below version `before` if it is given."""
    names = [n for n in _commits(table) if before is None or int(n[:20]) < before]
    found = []
    for name in heapq.nlargest(limit, names):
        actions = _actions(table, name)
        told: dict[str, Any] = next((a["commitInfo"] for a in actions if "commitInfo" in a), {})
        found.append(
            Commit(
                version=int(name[:20]),
                at_ms=told.get("timestamp"),
                operation=str(told.get("operation", "")),
                parameters=told.get("operationParameters") or {},
                metrics=told.get("operationMetrics") or {},
            )
        )
    return found


def shape(table: Path) -> Shape | None:
    """Return the columns of a table by its log, None for what has no log that can be read."""
    told = _metadata(table)
    if told is None:
        return None
    try:
        schema = json.loads(told["schemaString"])
        columns = [_column(field) for field in schema["fields"]]
    except (KeyError, TypeError, ValueError):
        return None
    return Shape(
        columns=columns,
        partitions=told.get("partitionColumns") or (),
        properties=dict(told.get("configuration") or {}),
        description=told.get("description") or "",
    )


def type_name(kind: Any) -> str:
    """Return a type of the log's schema as SQL writes it."""
    if not isinstance(kind, dict):
        return {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}.get(
            str(kind), str(kind)
        )
    if kind.get("type") == "array":
        return f"array<{type_name(kind['elementType'])}>"
    if kind.get("type") == "map":
        return f"map<{type_name(kind['keyType'])}, {type_name(kind['valueType'])}>"
    fields = [f"{one['name']}: {type_name(one['type'])}" for one in kind.get("fields", ())]
    return f"struct<{', '.join(fields)}>"


def _column(field: Mapping[str, Any]) -> Column:
    return Column(
        name=field["name"],
        type=type_name(field["type"]),
        is_nullable=bool(field.get("nullable", True)),
        comment=str((field.get("metadata") or {}).get("comment", "")),
    )


def _metadata(table: Path) -> dict[str, Any] | None:
    for name in heapq.nlargest(_MOST_READ, _commits(table)):
        for action in _actions(table, name):
            if "metaData" in action:
                return dict(action["metaData"])
    return _of_checkpoint(table)


def _of_checkpoint(table: Path) -> dict[str, Any] | None:
    log = table / "_delta_log"
    files = (
        [one for one in log.iterdir() if _CHECKPOINT.fullmatch(one.name)] if log.is_dir() else []
    )
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in sorted(files, reverse=True):
        try:
            rows = pq.read_table(file, columns=["metaData"]).column("metaData").to_pylist()
        except (OSError, KeyError, pa.ArrowInvalid):
            continue
        for row in rows:
            if row is not None:
                return {**row, "configuration": dict(row.get("configuration") or ())}
    return None


def _commits(table: Path) -> list[str]:
    log = table / "_delta_log"
    return (
        [one.name for one in log.iterdir() if _COMMIT.fullmatch(one.name)] if log.is_dir() else []
    )


def _actions(table: Path, name: str) -> Iterator[dict[str, Any]]:
    try:
        with (table / "_delta_log" / name).open(encoding="utf-8") as lines:
            for line in lines:
                # Most of a log are files that were added: only what is looked for is decoded.
                if '"commitInfo"' in line or '"metaData"' in line:
                    yield json.loads(line)
    except (OSError, ValueError):
        return
