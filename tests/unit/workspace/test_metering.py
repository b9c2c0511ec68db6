"""How long warehouses ran statements, by the history of statements."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from laketop.settings import SQL, SQL_PRO, Settings
from laketop.workspace.billing import Account
from laketop.workspace.metering import Meters
from laketop.workspace.query_log import QueryLog
from laketop.workspace.service import Fields
from laketop.workspace.workspace import Workspace

HOUR = 3_600_000
START = 480_000 * HOUR


class Hand:
    """A workspace whose clock stands, the history of its statements, and its meters."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(Settings(root=root, cache=root))
        self.meters = Meters(self.workspace)
        self.at(0)
        with self.workspace.store.transaction(write=True):
            sent = Fields({"name": "w", "warehouse_type": "PRO"})
            self.warehouse = self.workspace.warehouses.create(sent)["id"]

    def at(self, hours: float) -> None:
        """Let it be so many hours later than the beginning."""
        self.workspace.now_ms.machine = lambda: START + round(HOUR * hours)

    def ran(self, id_: str, start: float, end: float | None = None) -> None:
        """Write down that a statement ran, in hours; without an end it still does."""
        told: dict[str, Any] = {
            "id": id_,
            "start_ms": START + round(HOUR * start),
            "user": "ann",
            "warehouse_id": self.warehouse,
            "status": "RUNNING",
            "text": "SELECT 1",
            "type": "SELECT",
            "agent": None,
        }
        if end is not None:
            times = {"waited_ms": 0, "execution_ms": 0, "rows": 0, "bytes": 0}
            end_ms = START + round(HOUR * end)
            told |= {"status": "FINISHED", "end_ms": end_ms, "error_message": None, **times}
        log: QueryLog = self.workspace.query_history.log
        with self.workspace.store.transaction(write=True):
            log._keep(told)

    def read(self, *, whole: bool = False) -> list[tuple[str, float, Decimal]]:
        """Return of each row the SKU, the hours that it spans, and its DBUs."""
        account = Account(account_id="a", workspace_id="7", settings=self.workspace.settings)
        with self.workspace.store.transaction(write=True):
            rows = [*self.meters.read(account, whole=whole)]
        assert all(row["usage_metadata"] == {"warehouse_id": self.warehouse} for row in rows)
        return [
            (
                row["sku_name"],
                (row["usage_end_time"] - row["usage_start_time"]).total_seconds() / 3600,
                row["usage_quantity"],
            )
            for row in rows
        ]


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    hand = Hand(tmp_path)
    yield hand
    hand.workspace.shutdown()


def test_statements_that_run_at_once_count_once(hand: Hand) -> None:
    for id_, start, end in (("a", 0, 0.25), ("b", 0.125, 0.5), ("c", 0.625, 0.75)):
        hand.ran(id_, start, end)
    hand.at(0.875)
    assert hand.read(whole=True) == [(SQL_PRO, 0.75, Decimal("0.625"))]
    assert hand.read(whole=True) == []


def test_a_statement_that_goes_on_counts_up_to_now_and_no_moment_twice(hand: Hand) -> None:
    hand.ran("a", 0)
    hand.ran("b", 0.125, 0.25)
    hand.at(0.25)
    assert hand.read(whole=True) == [(SQL_PRO, 0.25, Decimal("0.25"))]
    hand.at(0.5)
    assert hand.read(whole=True) == [(SQL_PRO, 0.25, Decimal("0.25"))]
    hand.ran("a", 0, 0.75)
    hand.at(0.875)
    assert hand.read(whole=True) == [(SQL_PRO, 0.25, Decimal("0.25"))]


def test_a_row_is_told_once_its_hour_is_over(hand: Hand) -> None:
    hand.ran("a", 0, 0.25)
    hand.at(0.25)
    assert hand.read() == []
    hand.ran("b", 0.375, 0.5)
    hand.at(0.5)
    assert hand.read() == []
    hand.at(1)
    assert hand.read() == [(SQL_PRO, 0.5, Decimal("0.375"))]
    assert hand.read(whole=True) == []


def test_a_warehouse_whose_type_changes_is_told_as_both(hand: Hand) -> None:
    hand.ran("a", 0, 0.25)
    hand.at(0.25)
    assert hand.read() == []
    with hand.workspace.store.transaction(write=True):
        hand.workspace.warehouses.edit(hand.warehouse, Fields({"warehouse_type": "CLASSIC"}))
    hand.ran("b", 0.25, 0.5)
    hand.at(0.5)
    found = hand.read(whole=True)
    assert {sku for sku, _, _ in found} == {SQL, SQL_PRO}
    assert sum(dbus for _, _, dbus in found) == Decimal("0.5")


def test_a_warehouse_that_is_gone_is_told_of_what_it_did_before(hand: Hand) -> None:
    hand.ran("a", 0, 0.25)
    hand.at(0.25)
    assert hand.read() == []
    hand.ran("b", 0.25)
    with hand.workspace.store.transaction(write=True):
        hand.workspace.warehouses.delete(hand.warehouse)
    hand.at(0.5)
    assert hand.read(whole=True) == [(SQL_PRO, 0.25, Decimal("0.25"))]


def test_what_ran_before_the_meters_began_is_not_told(hand: Hand) -> None:
    hand.ran("a", 0, 1)
    hand.ran("b", 1)
    hand.at(2)
    hand.meters.begin()
    hand.at(2.25)
    hand.meters.begin()  # as after a restart, which loses nothing
    hand.at(2.5)
    assert hand.read(whole=True) == [(SQL_PRO, 0.5, Decimal("0.5"))]
