"""What triggers look at: the files below a place, the versions of tables."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from laketop.runner.paths import Places

_COMMIT = re.compile(r"(\d{20})\.json")
MARK_OF_A_FILE: Final = 0
"""What is kept of a file beside its name: an overwritten one is the same file; unverified."""


def files_below(places: Places, url: str) -> dict[str, int]:
    """Return the files below `/Volumes/…`, `dbfs:/…` or `file:/…`, each with its mark.

    They may lie at any depth. A place that is not there has none.
    """
    top = _place(places, url)
    return {
        os.path.relpath(os.path.join(folder, name), top): MARK_OF_A_FILE  # noqa: PTH118 - of text, for speed
        for folder, _, names in os.walk(top)
        for name in names
    }


def _place(places: Places, url: str) -> Path:
    if url.startswith("dbfs:"):
        path = "/" + url.removeprefix("dbfs:").lstrip("/")
        return places.file(path if path.startswith("/Volumes/") else f"/dbfs{path}")
    if url.startswith("file:"):
        return Path("/" + url.removeprefix("file:").lstrip("/"))
    return places.file(url)


def versions(places: Places, tables: Sequence[str]) -> dict[str, int]:
    """Return the version of each Delta table `catalog.schema.table`, -1 where there is none."""
    return {name: max(_commits(places, name), default=-1) for name in tables}


def commit_ms(places: Places, table: str, version: int) -> int:
    """Return when a version of a table was committed, 0 if that is not known any more."""
    try:
        told = (_log(places, table) / f"{version:020}.json").stat()
    except OSError:
        return 0
    return told.st_mtime_ns // 1_000_000


def _log(places: Places, table: str) -> Path:
    return places.lake.joinpath(*table.replace("`", "").lower().split("."), "_delta_log")


def _commits(places: Places, table: str) -> list[int]:
    try:
        names = os.listdir(_log(places, table))  # noqa: PTH208 - called often
    except OSError:
        return []
    return [int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))]
