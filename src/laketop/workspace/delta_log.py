"""What a Delta table says of itself: schema, partitions, properties, times, without Spark."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"([0-9]{20})\.json")
_CHECKPOINT = re.compile(r"([0-9]{20})\.checkpoint(\..+)?\.(parquet|json)")


@dataclasses.dataclass(frozen=True)
class DeltaMetadata:
    """The newest `metaData` action of a table. Units: ms since 1970."""

    id: str
    schema: Mapping[str, Any]
    """As Spark writes a struct: `{"type": "struct", "fields": [...]}`."""
    partition_columns: tuple[str, ...]
    properties: Mapping[str, str]
    description: str | None
    created_ms: int | None
    changed_ms: int


def metadata_of(table: Path) -> DeltaMetadata | None:
    """Return what the log of a table says, None where there is no log.

    Source: the Delta transaction log protocol, "Change Metadata".
    """
    log = table / "_delta_log"
    files = _newest_first(log)
    changed = 0
    for file in files:
        changed = max(changed, file.stat().st_mtime_ns // 1_000_000)
        found = _metadata_in(file)
        if found is not None:
            return _parsed(found, changed)
    return None


def _newest_first(log: Path) -> list[Path]:
    if not log.is_dir():
        return []
    found = []
    for file in log.iterdir():
        match = _COMMIT.fullmatch(file.name) or _CHECKPOINT.fullmatch(file.name)
        if match:
            found.append((match[1], "checkpoint" in file.name, file))
    return [file for _, _, file in sorted(found, key=lambda one: one[:2], reverse=True)]


def _metadata_in(file: Path) -> Mapping[str, Any] | None:
    if file.suffix == ".parquet":
        return _in_parquet(file)
    found = None
    for action in _actions(file):
        found = action.get("metaData", found)
    return found


def _actions(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if '"metaData"' in line:
                yield json.loads(line)


def _in_parquet(file: Path) -> Mapping[str, Any] | None:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(file).iter_batches(columns=["metaData"]):
        for row in batch.column(0).to_pylist():
            if row is not None:
                return dict(row)
    return None


def _parsed(found: Mapping[str, Any], changed_ms: int) -> DeltaMetadata:
    return DeltaMetadata(
        id=found["id"],
        schema=json.loads(found["schemaString"]),
        partition_columns=tuple(found.get("partitionColumns") or ()),
        properties=dict(found.get("configuration") or {}),
        description=found.get("description"),
        created_ms=found.get("createdTime"),
        changed_ms=changed_ms,
    )
