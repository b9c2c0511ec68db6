"""The primary and foreign keys of tables, in the files in which the engine keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from laketop.workspace.lake import Lake, read

_KEY = re.compile(
    r".*?(?P<kind>PRIMARY|FOREIGN) KEY \((?P<columns>[^)]*)\)"
    r"(?: REFERENCES (?P<parent>\S+) \((?P<to>[^)]*)\))?.*",
    re.IGNORECASE | re.DOTALL,
)
_TIMESERIES = re.compile(r"\s+TIMESERIES\s*$", re.IGNORECASE)


class TableKeys:
    """The file of each table maps names to texts, such as `CONSTRAINT k PRIMARY KEY (a) ...`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def of(self, table: Sequence[str]) -> list[dict[str, Any]]:
        """Return the keys of a table. Source: databricks-sdk, `catalog.TableConstraint`."""
        texts = read(self.file(table))
        found = [_parsed(table, name, text) for name, text in texts.items()]
        return [key for key in found if key is not None]

    def add(self, table: Sequence[str], name: str, definition: str, *, rely: bool) -> None:
        """Keep a key by its definition, such as `PRIMARY KEY (a)`."""
        promise = "RELY" if rely else "NORELY"
        text = f"CONSTRAINT {name} {definition} NOT ENFORCED UNVALIDATED {promise}"
        self._lake.change(self.file(table), lambda kept: {**kept, name: text})

    def remove(self, table: Sequence[str], name: str) -> None:
        """Forget a key."""
        self._lake.change(
            self.file(table), lambda kept: {key: text for key, text in kept.items() if key != name}
        )

    def referring_to(self, table: Sequence[str]) -> Iterator[tuple[list[str], str]]:
        """Yield table and name of every foreign key that leads to a table."""
        full_name = ".".join(table)
        for catalog in self._lake.catalogs():
            for schema in self._lake.schemas(catalog):
                for name in self._lake.listed("constraints", catalog, schema):
                    for key in self.of([catalog, schema, name]):
                        foreign = key.get("foreign_key_constraint", {})
                        if foreign.get("parent_table") == full_name:
                            yield [catalog, schema, name], foreign["name"]

    def file(self, table: Sequence[str]) -> Path:
        """Return the file of a table's keys."""
        catalog, schema, name = table
        return self._lake.entry("constraints", catalog, schema, name)


def _parsed(table: Sequence[str], name: str, text: str) -> dict[str, Any] | None:
    words = _KEY.fullmatch(text)
    if words is None:
        return None
    listed = [column.strip() for column in words["columns"].split(",")]
    columns = [_TIMESERIES.sub("", column).strip("` ") for column in listed]
    key = {"name": name, "child_columns": columns, "rely": " NORELY" not in text.upper()}
    if words["parent"] is None:
        both = zip(columns, listed, strict=True)
        timed = [column for column, written in both if _TIMESERIES.search(written)]
        more = {"timeseries_columns": timed} if timed else {}
        return {"primary_key_constraint": {**key, **more}}
    parent = words["parent"].replace("`", "").lower().split(".")
    full = ".".join([*table[: 3 - len(parent)], *parent])
    to = [column.strip(" `") for column in words["to"].split(",")]
    return {"foreign_key_constraint": {**key, "parent_table": full, "parent_columns": to}}
