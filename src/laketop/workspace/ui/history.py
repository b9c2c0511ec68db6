"""Reads the last commits of a Delta table from its own log, without an engine.

Source: the Delta transaction log protocol, "Commit Provenance Information".
"""

from __future__ import annotations

import dataclasses
import heapq
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"[0-9]{20}\.json")


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
                if '"commitInfo"' in line:
                    yield json.loads(line)
    except (OSError, ValueError):
        return
