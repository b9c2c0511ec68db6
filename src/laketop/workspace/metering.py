"""Adds up how long warehouses ran statements and endpoints served, for `system.billing.usage`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from laketop.workspace.billing import Account, Used, covered, of_endpoint, of_warehouse, usage_row

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

_HOUR_MS = 3_600_000
_STATEMENTS = "statements"


class Meters:
    """Reads the meters of a workspace: a row for each warehouse and endpoint, about one an hour.

    A warehouse counts while at least one statement of its ran. An endpoint counts from one reading
    to the next of this process where it was ready at both, once for each entity that it serves.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ready: dict[str, int] = {}
        """When each endpoint was read, of those that were ready. Units: ms since 1970."""

    def begin(self) -> None:
        """Count from now what ran, where nothing has been read before.

        A workspace of an older laketop has run statements for a month, which would be one row.
        """
        with self._workspace.store.transaction(write=True):
            read = self._workspace.store.table("system usage read")
            read.setdefault(_STATEMENTS, self._workspace.now_ms())

    def read(self, account: Account, *, whole: bool) -> Iterator[dict[str, Any]]:
        """Yield the rows of what was used in hours that are over, or until now where `whole`.

        Inside a transaction that writes.
        """
        now = self._workspace.now_ms()
        kept = self._workspace.store.table("system usage")
        for id_, (sku, told), spans in [*self._warehouses(now), *self._endpoints(now)]:
            self._add(f"{id_} {sku}", Used(sku=sku, told=told, **_sum(spans)))
        for key, one in list(kept.items()):
            if whole or one["start_ms"] // _HOUR_MS != now // _HOUR_MS:
                del kept[key]
                yield usage_row(Used(**one), key.partition(" ")[0], account)

    def _add(self, key: str, used: Used) -> None:
        kept = self._workspace.store.table("system usage")
        before = kept.get(key)
        if before is not None:
            start, used_ms = before["start_ms"], before["used_ms"] + used.used_ms
            used = dataclasses.replace(used, start_ms=start, used_ms=used_ms)
        kept[key] = dataclasses.asdict(used)

    def _warehouses(self, now: int) -> Iterator[tuple[str, _Kind, list[_Span]]]:
        workspace, read = self._workspace, self._workspace.store.table("system usage read")
        ran = workspace.query_history.log.ran(read.get(_STATEMENTS, 0), now)
        if ran:
            read[_STATEMENTS] = now
        for id_, warehouse in workspace.warehouses.every().items():
            if spans := covered(ran.get(id_, ())):
                yield id_, of_warehouse(warehouse), spans

    def _endpoints(self, now: int) -> Iterator[tuple[str, _Kind, list[_Span]]]:
        every = self._workspace.serving_endpoints.every()
        ready = {one["id"]: one for one in every if one["state"]["ready"] == "READY"}
        before, self._ready = self._ready, dict.fromkeys(ready, now)
        for id_, endpoint in ready.items():
            if before.get(id_, now) < now:
                entities = len(endpoint["config"]["served_entities"])
                yield id_, of_endpoint(endpoint), [(before[id_], now)] * entities


_Span = tuple[int, int]
_Kind = tuple[str, Mapping[str, Any]]


def _sum(spans: Iterable[_Span]) -> dict[str, int]:
    starts, ends = zip(*spans, strict=True)
    used_ms = sum(ends) - sum(starts)
    return {"start_ms": min(starts), "end_ms": max(ends), "used_ms": used_ms}
