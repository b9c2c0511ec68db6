"""The history of the statements that warehouses ran."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.service.sql import (
    ExternalQuerySource,
    QueryInfo,
    QueryMetrics,
    QueryStatementType,
    QueryStatus,
)

from laketop.workspace.query_log import SCHEMA, Filter, QueryLog
from laketop.workspace.service import Fields, Request, Service, route

_FINAL = {"FINISHED", "FAILED", "CANCELED"}
_MOST = 1000
_LISTS = ("statuses", "statement_ids", "warehouse_ids", "user_ids")
_RANGE = "query_start_time_range"


class QueryHistory(Service):
    """The history of the statements that warehouses ran, of the last 30 days.

    One sees one's own, admins all. Source: databricks-sdk, `sql.QueryHistoryAPI`.
    """

    schema = SCHEMA

    @functools.cached_property
    def log(self) -> QueryLog:
        """Where statements are written down."""
        workspace = self.workspace
        return QueryLog(self.store, now_ms=workspace.now_ms, workspace_id=workspace.workspace_id)

    def start(self) -> None:
        """End what an earlier process left running."""
        self.log.settle()

    @route("GET /api/2.0/sql/history/queries")
    def list(
        self,
        *,
        request: Request,
        fields: Fields,
        include_metrics: bool = False,
        max_results: int = 100,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the statements that match the filter, those that began last first, by pages."""
        if not 1 <= max_results <= _MOST:
            raise InvalidParameterValue(f"max_results {max_results} is not from 1 to {_MOST}.")
        asked = self._filter(_asked(request, fields))
        after = _place(page_token) if page_token else None
        found = self.log.page(asked, size=max_results + 1, after=after)
        page = found[:max_results]
        more = len(found) > max_results
        ids = {told["user"]: self._id_of(told["user"]) for told in page}
        told = {
            "res": [_shown(one, ids[one["user"]], include_metrics) for one in page],
            "has_next_page": more,
        }
        return {**told, "next_page_token": _token(page[-1])} if more else told

    def _filter(self, asked: Mapping[str, Any]) -> Filter:
        span = asked.get(_RANGE) or {}
        unknown = [word for word in asked["statuses"] if word not in QueryStatus.__members__]
        if unknown:
            known = ", ".join(QueryStatus.__members__)
            raise InvalidParameterValue(f"filter_by.statuses {unknown[0]!r} is none of {known}.")
        return Filter(
            users=self._users(asked["user_ids"]),
            warehouse_ids=asked["warehouse_ids"],
            statuses=asked["statuses"],
            statement_ids=asked["statement_ids"],
            from_ms=_moment("start_time_ms", span.get("start_time_ms")),
            until_ms=_moment("end_time_ms", span.get("end_time_ms")),
        )

    def _users(self, ids: Sequence[str]) -> Sequence[str] | None:
        """Return whose statements are shown, None for everybody's."""
        own = self.workspace.user
        if not ids:
            return None if self.workspace.is_admin else [own]
        principals = self.workspace.principals
        names = [
            str(one.get("userName") or one.get("applicationId"))
            for kind in ("Users", "ServicePrincipals")
            for one in principals.all(kind)
            if str(one["id"]) in ids
        ]
        return names if self.workspace.is_admin else [name for name in names if name == own]

    def _id_of(self, user: str) -> int | None:
        found = self.workspace.principals.find(user)
        return int(found[1]["id"]) if found else None


def _asked(request: Request, fields: Fields) -> dict[str, Any]:
    """Return the filter: of the query, in dot notation, or an object of the body."""
    sent = fields.get("filter_by") or {}
    if not isinstance(sent, dict):
        raise InvalidParameterValue("filter_by is not an object.")
    query = parse_qs(request.query_string)
    asked: dict[str, Any] = {}
    for name in _LISTS:
        given = query.get(f"filter_by.{name}") or sent.get(name) or []
        if not isinstance(given, list):
            raise InvalidParameterValue(f"filter_by.{name} is not a list.")
        asked[name] = [str(one) for one in given]
    span = dict(sent.get(_RANGE) or {})
    for name in ("start_time_ms", "end_time_ms"):
        given = query.get(f"filter_by.{_RANGE}.{name}")
        if given:
            span[name] = given[0]
    return {**asked, _RANGE: span}


def _moment(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return min(max(int(value), -(2**63)), 2**63 - 1)
    except (TypeError, ValueError):
        raise InvalidParameterValue(
            f"filter_by.{_RANGE}.{name} {str(value)[:100]!r} is not a number of milliseconds."
        ) from None


def _token(last: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{last['start_ms']} {last['id']}".encode()).decode()


def _place(token: str) -> tuple[int, str]:
    try:
        start, _, name = base64.urlsafe_b64decode(token).decode().partition(" ")
        return min(int(start), 2**63 - 1), name
    except (binascii.Error, ValueError):
        raise InvalidParameterValue(f"page_token {token[:100]!r} is none of this list.") from None


def _shown(told: Mapping[str, Any], user_id: int | None, with_metrics: bool) -> dict[str, Any]:
    is_final = told["status"] in _FINAL
    end = told.get("end_ms")
    info = QueryInfo(
        query_id=told["id"],
        query_text=told["text"],
        statement_type=QueryStatementType(told["type"]),
        status=QueryStatus(told["status"]),
        is_final=is_final,
        user_name=told["user"],
        user_id=user_id,
        executed_as_user_name=told["user"],
        executed_as_user_id=user_id,
        warehouse_id=told["warehouse_id"],
        endpoint_id=told["warehouse_id"],
        client_application=told.get("agent"),
        query_start_time_ms=told["start_ms"],
        execution_end_time_ms=end,
        query_end_time_ms=end,
        duration=end - told["start_ms"] if is_final and end is not None else None,
        rows_produced=told.get("rows"),
        error_message=told.get("error_message"),
        query_source=ExternalQuerySource(),
        metrics=_metrics(told) if with_metrics and is_final else None,
    )
    return info.as_dict()


def _metrics(told: Mapping[str, Any]) -> QueryMetrics:
    """Return what was measured, and nothing else."""
    return QueryMetrics(
        total_time_ms=told["end_ms"] - told["start_ms"],
        execution_time_ms=told.get("execution_ms"),
        rows_produced_count=told.get("rows"),
        network_sent_bytes=told.get("bytes"),
        result_from_cache=False,
    )
