"""The estimate of what would have been used, and what a DBU costs, for the tables `system.billing`.

Source: Databricks docs, billing system tables; names and rates are the user's own settings.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from decimal import Decimal
from typing import Any, Final

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

LIST_PRICES = "system.billing.list_prices"
CLOUD = "LOCAL"
"""In both tables, so that a join by `cloud` finds what it seeks."""
USAGE = "system.billing.usage"
_HOUR_MS = 3_600_000
_DIGITS = Decimal("1e-18")
_WITHOUT_COMPUTE: Final = frozenset({"run_job_task", "condition_task", "sql_task", "alert_task"})
"""Kinds of tasks that use none of the run's: a job that is run counts in its own run, and SQL is of
warehouses."""

Prices = MutableMapping[str, list[dict[str, Any]]]
"""By SKU the prices that it has had: `price` in USD for a DBU, `start` and `end` in ms, or None."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Account:
    """Whose usage is told, and at which rates."""

    account_id: str
    workspace_id: str
    settings: Settings


def usage_rows(run: Mapping[str, Any], account: Account) -> Iterator[dict[str, Any]]:
    """Yield what a run would have used, a row for each SKU: hours times the SKU's rate.

    The hours are those from the first start to the last end of the tasks of that SKU, or of the
    run where no task took a millisecond. Tasks that have no compute of the run are left out.
    """
    tasks = [one for one in run.get("tasks") or [run] if _sku_of(one)]
    spans = _spans(tasks) or _spans([run] if tasks else [])
    for sku, (start, end) in sorted(spans.items()):
        told = {
            "usage_metadata": {
                "job_id": str(run.get("job_id", "")),
                "job_run_id": str(run["run_id"]),
                "job_name": run.get("run_name"),
            },
            "identity_metadata": {
                "run_as": run.get("run_as_user_name") or run.get("creator_user_name"),
                "owned_by": None,
                "created_by": run.get("creator_user_name"),
            },
            "billing_origin_product": "INTERACTIVE" if sku == ALL_PURPOSE else "JOBS",
            "product_features": {"is_serverless": sku == SERVERLESS, "is_photon": False},
        }
        used = Used(sku=sku, start_ms=start, end_ms=end, used_ms=end - start, told=told)
        yield usage_row(used, str(run["run_id"]), account)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Used:
    """How long something of a SKU ran between two moments; `told` are columns of its row.

    Units: ms, the moments since 1970; `used_ms` may be more than lies between them, of what there
    are several.
    """

    sku: str
    start_ms: int
    end_ms: int
    used_ms: int
    told: Mapping[str, Any]


def usage_row(used: Used, id_: str, account: Account) -> dict[str, Any]:
    """Return a row of `system.billing.usage`; with the end, `id_` is what no other row has."""
    settings, end = account.settings, _time(used.end_ms)
    rate = settings.dbus_by_sku.get(used.sku, settings.dbus_an_hour)
    hours = Decimal(used.used_ms) / Decimal(_HOUR_MS)
    return {
        "record_id": f"{id_}-{used.end_ms}-{used.sku}",
        "account_id": account.account_id,
        "workspace_id": account.workspace_id,
        "sku_name": used.sku,
        "cloud": CLOUD,
        "usage_start_time": _time(used.start_ms),
        "usage_end_time": end,
        "usage_date": end.date(),
        "custom_tags": {},
        "usage_unit": "DBU",
        "usage_quantity": (hours * Decimal(str(rate))).quantize(_DIGITS),
        "record_type": "ORIGINAL",
        "ingestion_date": end.date(),
        "usage_type": "COMPUTE_TIME",
        **used.told,
    }


def of_warehouse(warehouse: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the SKU of a warehouse, and what its rows tell."""
    tier = str(warehouse.get("warehouse_type") or "PRO")
    is_serverless = bool(warehouse.get("enable_serverless_compute"))
    tags = warehouse.get("tags")
    sku = SERVERLESS_SQL if is_serverless else SQL if tier == "CLASSIC" else SQL_PRO
    features = {"is_serverless": is_serverless, "is_photon": False, "sql_tier": tier}
    return sku, {
        "custom_tags": _tags(tags.get("custom_tags") if isinstance(tags, dict) else None),
        "usage_metadata": {"warehouse_id": warehouse["id"]},
        "identity_metadata": {"owned_by": warehouse.get("creator_name")},
        "billing_origin_product": "SQL",
        "product_features": features,
    }


def of_endpoint(endpoint: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the SKU of a serving endpoint, and what its rows tell."""
    return SERVING, {
        "custom_tags": _tags(endpoint.get("tags")),
        "usage_metadata": {"endpoint_name": endpoint["name"], "endpoint_id": endpoint["id"]},
        "identity_metadata": {"created_by": endpoint.get("creator")},
        "billing_origin_product": "MODEL_SERVING",
        "product_features": {"is_serverless": True, "is_photon": False, "serving_type": "MODEL"},
    }


def covered(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the moments that spans cover as spans that do not overlap, in order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > start:
            found.append((start, end))
    return found


def change_prices(told: Prices, prices: Mapping[str, float], now_ms: int) -> None:
    """End the prices that are others now, and begin those; the first of a SKU has always held."""
    for sku in {*told, *prices}:
        past = told.get(sku, [])
        last = past[-1] if past and past[-1]["end"] is None else None
        price = prices.get(sku)
        if (last["price"] if last else None) == price:
            continue
        ended = [{**one, "end": now_ms} if one is last else one for one in past]
        new = [] if price is None else [{"price": price, "start": now_ms if past else 0}]
        told[sku] = [*ended, *({**one, "end": None} for one in new)]


def price_rows(told: Mapping[str, list[dict[str, Any]]], account_id: str) -> list[dict[str, Any]]:
    """Return the rows of `system.billing.list_prices`."""
    return [
        {
            "account_id": account_id,
            "price_start_time": _time(one["start"]),
            "price_end_time": None if one["end"] is None else _time(one["end"]),
            "sku_name": sku,
            "cloud": CLOUD,
            "currency_code": "USD",
            "usage_unit": "DBU",
            "pricing": {
                "default": one["price"],
                "promotional": {"default": one["price"]},
                "effective_list": {"default": one["price"]},
            },
        }
        for sku in sorted(told)
        for one in told[sku]
    ]


def _tags(sent: Any) -> dict[str, str]:
    """Return tags as a map; a client may have sent anything."""
    listed = sent if isinstance(sent, list) else []
    named = [one for one in listed if isinstance(one, dict) and one.get("key")]
    return {str(one["key"]): str(one.get("value") or "") for one in named}


def _spans(used: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return by SKU when it was used by tasks. Units: ms since 1970."""
    spans: dict[str, tuple[int, int]] = {}
    for one in used:
        start, end = one.get("start_time") or 0, one.get("end_time") or 0
        sku = _sku_of(one)
        if sku and start and end > start:
            first, last = spans.get(sku, (start, end))
            spans[sku] = (min(first, start), max(last, end))
    return spans


def _sku_of(task: Mapping[str, Any]) -> str | None:
    """Return the SKU of the compute that a task uses of its run, None where it uses none."""
    if "for_each_task" in task:  # which runs from its first iteration to its last
        return _sku_of(task["for_each_task"]["task"])
    if not _WITHOUT_COMPUTE.isdisjoint(task):
        return None
    if task.get("existing_cluster_id"):
        return ALL_PURPOSE
    return JOBS if task.get("new_cluster") or task.get("job_cluster_key") else SERVERLESS


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
