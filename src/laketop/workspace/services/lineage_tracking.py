"""From where a table or column comes and where it goes: one step of lineage over REST."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import anyio.to_thread
from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace import lake
from laketop.workspace.lineage import SCHEMA, Intake
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_NAMED = {"TABLE", "VIEW"}
_MOST_EDGES = 300
_VOLUME_PARTS = 4
_SIDES = {"upstreams": ("target", "source"), "downstreams": ("source", "target")}


class Edge(NamedTuple):
    """One step from a source to a target; `place` is the end that is farther away, of a `kind`."""

    source: str
    target: str
    place: str
    kind: str


class LineageTracking(UnityService):
    """From where a table or column comes, and where it goes, as far as the caller may know.

    Of both ends the caller must have a privilege, or BROWSE. Source: Unity Catalog API; these
    routes are not in the SDK.
    """

    shared = True
    schema = SCHEMA

    @functools.cached_property
    def intake(self) -> Intake:
        """Takes the engine's journal in."""
        return Intake(
            self.store,
            self.workspace.metastore / "catalog",
            metastore_id=self.workspace.metastore_id,
            workspace_of=self._workspace_of,
            now_ms=self.workspace.now_ms,
        )

    def _workspace_of(self, job_id: int) -> str:
        """Return the id of the workspace whose job it is; the first one's for none it knows."""
        found = self.workspace
        for one in self.workspace.workspaces.all().values():
            if found.first_id < one.first_id <= job_id:
                found = one
        return str(found.workspace_id)

    @route("GET /api/2.0/lineage-tracking/table-lineage")
    async def table_lineage(
        self, table_name: str, *, include_entity_lineage: bool = False
    ) -> dict[str, Any]:
        """Return what a table was made of, and what was made of it."""
        await anyio.to_thread.run_sync(self.intake.take)
        return await anyio.to_thread.run_sync(self._tables, table_name, include_entity_lineage)

    @route("GET /api/2.0/lineage-tracking/column-lineage")
    async def column_lineage(self, table_name: str, column_name: str) -> dict[str, Any]:
        """Return of which columns a column was made, and which were made of it."""
        await anyio.to_thread.run_sync(self.intake.take)
        return await anyio.to_thread.run_sync(self._columns, table_name, column_name)

    def _tables(self, table_name: str, with_entities: bool) -> dict[str, Any]:
        with self.store.reading():
            name = self._known(table_name)
            return {
                side: self._side(own, other, name, with_entities)
                for side, (own, other) in _SIDES.items()
            }

    def _side(self, own: str, other: str, name: str, with_entities: bool) -> list[dict[str, Any]]:
        told = []
        for (place, kind), jobs in self._next(own, other, name).items():
            if place:
                one = _place(place, kind, max(jobs.values()))
                told.append({**one, **(self._jobs(jobs) if with_entities else {})})
            elif with_entities and any(jobs):
                told.append(self._jobs(jobs))
        return told

    def _next(self, own: str, other: str, name: str) -> dict[tuple[str, str], dict[str, int]]:
        """Return what is one step away, as name and type, and when by which jobs.

        The empty name stands for reads that wrote nothing and for writes that read nothing.
        """
        found: dict[tuple[str, str], dict[str, int]] = {}
        rows = self.store.execute(
            f"SELECT {other}, {other}_type, job_id, last_ms FROM lineage"  # noqa: S608 - our own words
            f" WHERE {own} = ? ORDER BY {other}, job_id",
            (name,),
        )
        for place, kind, job_id, last_ms in rows:
            if not place or self._sees(place, kind):
                found.setdefault((place, kind), {})[job_id] = last_ms
        return found

    def around(self, name: str) -> Iterator[Edge]:
        """Yield the edges up and down from a table, as far as they lead and the caller may know.

        At most some hundred; inside a transaction.
        """
        left = _MOST_EDGES
        for own, other in _SIDES.values():
            seen, ahead = {name}, [name]
            while ahead and left:
                here = ahead.pop(0)
                for place, kind in self._next(own, other, here):
                    if place and left:
                        ends = {own: here, other: place}
                        yield Edge(ends["source"], ends["target"], place, kind)
                        left -= 1
                    if place and place not in seen:
                        seen.add(place)
                        ahead.append(place)

    def columns_around(self, name: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield (column, "from" or "to", other table or path, its column) of a table's columns.

        Inside a transaction.
        """
        for word, (own, other) in zip(("from", "to"), _SIDES.values(), strict=True):
            rows = self.store.execute(
                f"SELECT {own}_column, {other}, {other}_column, {other}_type"  # noqa: S608 - our own words
                f" FROM column_lineage WHERE {own} = ? ORDER BY 1, 2, 3 LIMIT {_MOST_EDGES}",
                (name,),
            )
            for column, place, its, kind in rows:
                if self._sees(place, kind):
                    yield column, word, place, its

    def _jobs(self, jobs: Mapping[str, int]) -> dict[str, Any]:
        infos = [
            {
                "workspace_id": int(self._workspace_of(int(job_id))),
                "job_id": int(job_id),
                "lineage_timestamp": _stamp(last_ms),
            }
            for job_id, last_ms in jobs.items()
            if job_id.isdecimal()
        ]
        return {"jobInfos": infos} if infos else {}

    def _columns(self, table_name: str, column_name: str) -> dict[str, Any]:
        with self.store.reading():
            name = self._known(table_name)
            return {
                f"{side[:-1]}_cols": self._side_of_column(own, other, name, column_name)
                for side, (own, other) in _SIDES.items()
            }

    def _side_of_column(self, own: str, other: str, name: str, column: str) -> list[dict[str, Any]]:
        rows = self.store.execute(
            f"SELECT {other}, {other}_column, {other}_type, last_ms FROM column_lineage"  # noqa: S608 - our own words
            f" WHERE {own} = ? AND lower({own}_column) = lower(?) ORDER BY 1, 2",
            (name, column),
        )
        return [*self._visible(rows)]

    def _visible(self, rows: Iterable[tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
        for place, column, kind, last_ms in rows:
            if not place or not self._sees(place, kind):
                continue
            if kind not in _NAMED:
                yield {"name": column, "path": place, "lineage_timestamp": _stamp(last_ms)}
            else:
                info = _place(place, kind, last_ms)["tableInfo"]
                yield {**info, "name": column, "table_name": info["name"]}

    def _sees(self, place: str, kind: str) -> bool:
        """Tell whether the caller may know of a table, or of files: those of volumes, or admins."""
        if kind in _NAMED:
            return self._rights.sees("TABLE", place)
        parts = place.split("/")
        if place.startswith("/Volumes/") and len(parts) > _VOLUME_PARTS:
            return self._rights.sees("VOLUME", ".".join(parts[2:5]).lower())
        return self.workspace.is_admin

    def _known(self, table_name: str) -> str:
        """Return the table's name, if the caller may know of it."""
        if not table_name:
            raise InvalidParameterValue("Missing required field: table_name")
        name = ".".join(lake.parts(table_name, 3, "table"))
        self._rights.require_sees("TABLE", name)
        return name


def _place(place: str, kind: str, last_ms: int) -> dict[str, Any]:
    if kind not in _NAMED:
        return {"fileInfo": {"path": place, "lineage_timestamp": _stamp(last_ms)}}
    catalog, schema, name = place.split(".", 2)
    return {
        "tableInfo": {
            "name": name,
            "catalog_name": catalog,
            "schema_name": schema,
            "table_type": kind,
            "lineage_timestamp": _stamp(last_ms),
        }
    }


def _stamp(ms: int) -> str:
    """Return a time as the lineage routes write it."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S.0")
