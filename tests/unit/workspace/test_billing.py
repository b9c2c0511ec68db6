"""What runs would have used, and what a DBU costs."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laketop.settings import (
    ALL_PURPOSE,
    JOBS,
    SERVERLESS,
    SERVERLESS_SQL,
    SERVING,
    SQL,
    SQL_PRO,
    Settings,
)
from laketop.workspace import billing, system_tables
from laketop.workspace.billing import Account, Prices, Used

HOUR = 3_600_000


def _usage(run: dict[str, Any], **settings: Any) -> dict[str, dict[str, Any]]:
    rows = billing.usage_rows({"run_id": 5, "job_id": 3, **run}, _account(**settings))
    return {row["sku_name"]: row for row in rows}


def _account(**settings: Any) -> Account:
    told = Settings(root=Path(), cache=Path(), **settings)
    return Account(account_id="a", workspace_id="7", settings=told)


def _task(start_hours: float, end_hours: float, **compute: Any) -> dict[str, Any]:
    start, end = (int(HOUR * (1 + hours)) for hours in (start_hours, end_hours))
    return {"start_time": start, "end_time": end, **compute}


def test_each_kind_of_compute_is_told_with_its_hours_times_its_rate() -> None:
    tasks = [
        _task(0, 1, environment_key="e"),
        _task(2, 3),
        _task(0, 0.5, new_cluster={"num_workers": 1}),
        _task(0.5, 1, job_cluster_key="k"),
        _task(1, 1.5, existing_cluster_id="c"),
    ]
    found = _usage({"tasks": tasks}, dbus_an_hour=2, dbus_by_sku={JOBS: 10, ALL_PURPOSE: 0})
    assert {sku: row["usage_quantity"] for sku, row in found.items()} == {
        SERVERLESS: Decimal(6),
        JOBS: Decimal(10),
        ALL_PURPOSE: Decimal(0),
    }
    assert found[ALL_PURPOSE]["billing_origin_product"] == "INTERACTIVE"
    assert found[SERVERLESS]["product_features"]["is_serverless"]
    assert len({row["record_id"] for row in found.values()}) == 3


def test_tasks_without_compute_of_the_run_are_left_out() -> None:
    others: list[dict[str, Any]] = [
        *({"run_job_task": {"job_id": 1}}, {"sql_task": {"warehouse_id": "w"}}),
        *({"condition_task": {"op": "EQUAL_TO"}}, {"alert_task": {"alert_id": "a"}}),
        {"for_each_task": {"inputs": "[1]", "task": {"run_job_task": {"job_id": 1}}}},
    ]
    idle = [_task(1, 3, **other) for other in others]
    found = _usage({"tasks": [_task(0, 1, job_cluster_key="k"), *idle]})
    assert {sku: row["usage_quantity"] for sku, row in found.items()} == {JOBS: Decimal(1)}
    assert _usage({**_task(0, 3), "tasks": idle}) == {}


def test_the_iterations_of_a_task_count_as_the_compute_that_the_nested_task_names() -> None:
    nested = {"notebook_task": {"notebook_path": "/n"}, "job_cluster_key": "k"}
    found = _usage({"tasks": [_task(0, 2, for_each_task={"inputs": "[1, 2]", "task": nested})]})
    assert {sku: row["usage_quantity"] for sku, row in found.items()} == {JOBS: Decimal(2)}


def test_what_took_no_time_used_nothing() -> None:
    assert _usage({"tasks": [_task(1, 1), {"start_time": 5}]}) == {}
    assert _usage({"start_time": 0, "end_time": 0}) == {}
    assert set(_usage(_task(0, 1))) == {SERVERLESS}
    assert set(_usage({**_task(0, 1), "tasks": [_task(1, 1)]})) == {SERVERLESS}


def test_a_warehouse_is_told_by_its_type_and_an_endpoint_as_real_time_inference() -> None:
    warehouses: dict[str, dict[str, Any]] = {
        SERVERLESS_SQL: {"warehouse_type": "PRO", "enable_serverless_compute": True},
        SQL_PRO: {"warehouse_type": "PRO"},
        SQL: {"warehouse_type": "CLASSIC", "tags": {"custom_tags": [{"key": "a", "value": "b"}]}},
    }
    for sku, told in warehouses.items():
        found, row = billing.of_warehouse({"id": "w", "creator_name": "ann", **told})
        assert (found, row["usage_metadata"]) == (sku, {"warehouse_id": "w"})
        assert row["identity_metadata"]["owned_by"] == "ann"
        assert row["custom_tags"] == ({"a": "b"} if sku == SQL else {})
    for odd in ("x", ["x"], 5, {"custom_tags": 5}, None):
        assert billing.of_warehouse({"id": "w", "tags": odd})[1]["custom_tags"] == {}
    tags = [{"key": "team"}, "odd"]
    found, row = billing.of_endpoint({"id": "e", "name": "n", "creator": "ann", "tags": tags})
    assert (found, row["custom_tags"]) == (SERVING, {"team": ""})
    assert row["usage_metadata"] == {"endpoint_name": "n", "endpoint_id": "e"}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_what_spans_cover_is_told_once(spans: list[tuple[int, int]]) -> None:
    found = billing.covered(spans)
    moments = [moment for start, end in found for moment in range(start, end)]
    assert moments == sorted({moment for start, end in spans for moment in range(start, end)})
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_a_price_ends_where_the_next_begins_and_the_first_has_always_held() -> None:
    told: Prices = {}
    billing.change_prices(told, {JOBS: 0.1}, 1000)
    billing.change_prices(told, {JOBS: 0.1}, 2000)
    billing.change_prices(told, {JOBS: 0.2, SERVERLESS: 0.3}, 3000)
    billing.change_prices(told, {SERVERLESS: 0.3}, 4000)
    billing.change_prices(told, {JOBS: 0.4, SERVERLESS: 0.3}, 5000)
    rows = billing.price_rows(told, "a")

    def at(row: dict[str, Any], end: str) -> int | None:
        moment = row[f"price_{end}_time"]
        return None if moment is None else int(moment.timestamp() * 1000)

    assert [
        (row["sku_name"], at(row, "start"), at(row, "end"), row["pricing"]["default"])
        for row in rows
    ] == [
        (JOBS, 0, 3000, 0.1),
        (JOBS, 3000, 4000, 0.2),
        (JOBS, 5000, None, 0.4),
        (SERVERLESS, 0, None, 0.3),
    ]


def test_every_row_has_the_columns_of_its_table() -> None:
    told: Prices = {}
    billing.change_prices(told, {JOBS: 0.1}, 1000)
    used = [
        Used(sku=sku, told=row, start_ms=1, end_ms=2, used_ms=1)
        for sku, row in (
            billing.of_warehouse({"id": "w"}),
            billing.of_endpoint({"id": "e", "name": "n"}),
        )
    ]
    for name, row in (
        (billing.USAGE, next(iter(_usage(_task(0, 1)).values()))),
        *((billing.USAGE, billing.usage_row(one, "w", _account())) for one in used),
        (billing.LIST_PRICES, billing.price_rows(told, "a")[0]),
    ):
        columns = f" {' '.join(system_tables.TABLES[name].split())}"
        assert [column for column in row if f" {column} " not in columns] == []
        fields = [field for value in row.values() if isinstance(value, dict) for field in value]
        assert [field for field in fields if f"{field}: " not in columns] == []
