"""Saved queries, by the older of their two APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.sql import LegacyQuery

from laketop.workspace.kept import Record, fields_of
from laketop.workspace.service import Fields, Service, route

_NAMES = {
    "name": "display_name",
    "query": "query_text",
    "data_source_id": "warehouse_id",
    "description": "description",
    "tags": "tags",
}
_MODES = {"owner": "OWNER", "viewer": "VIEWER"}
_MOST_LISTED = 250
_ORDERS: Mapping[str, Callable[[Record], str]] = {
    "name": lambda one: str(one.get("name") or ""),
    "created_at": lambda one: str(one["created_at"]),
}


class QueriesLegacy(Service):
    """The `queries`; a data source is a warehouse. Source: databricks-sdk, `sql.QueriesLegacyAPI`.

    Parameters are texts and numbers.
    """

    @route("POST /api/2.0/preview/sql/queries")
    def create(self, fields: Fields) -> Record:
        """Keep a new query."""
        return self._shown(self.workspace.queries.create(_sent(fields)))

    @route("GET /api/2.0/preview/sql/queries/{query_id}")
    def get(self, query_id: str) -> Record:
        """Return a query."""
        return self._shown(self.workspace.queries.get(query_id))

    @route("GET /api/2.0/preview/sql/queries")
    def list(
        self, page: int = 1, page_size: int = 25, q: str = "", order: str = "-created_at"
    ) -> dict[str, Any]:
        """Return the queries that the caller may see and whose names hold `q`, by pages."""
        if page < 1 or not 1 <= page_size <= _MOST_LISTED:
            raise InvalidParameterValue(
                f"page is less than 1, or page_size not from 1 to {_MOST_LISTED}."
            )
        key = _ORDERS.get(order.removeprefix("-"))
        if key is None:
            raise InvalidParameterValue(f"order {order[:100]!r} is none of {', '.join(_ORDERS)}.")
        shown = [self._shown(one) for one in self.workspace.queries.seen()]
        found = [one for one in shown if q.lower() in str(one.get("name") or "").lower()]
        found.sort(key=key, reverse=order.startswith("-"))
        results = found[(page - 1) * page_size : page * page_size]
        return {"results": results, "count": len(found), "page": page, "page_size": page_size}

    @route("POST /api/2.0/preview/sql/queries/{query_id}")
    def update(self, query_id: str, fields: Fields) -> Record:
        """Change what was sent of a query."""
        sent = _sent(fields)
        return self._shown(self.workspace.queries.update(query_id, "*", sent))

    @route("DELETE /api/2.0/preview/sql/queries/{query_id}")
    def delete(self, query_id: str) -> None:
        """Put a query into the trash."""
        self.workspace.queries.delete(query_id)

    @route("POST /api/2.0/preview/sql/queries/trash/{query_id}")
    def restore(self, query_id: str) -> None:
        """Take a query out of the trash. Errors: ResourceDoesNotExist."""
        self.workspace.queries.restore(query_id)

    def _shown(self, one: Record) -> Record:
        told = {old: one[new] for old, new in _NAMES.items() if one.get(new) is not None}
        owner = one["owner_user_name"]
        user = {"name": owner, "email": owner}
        id_ = self.workspace.principals.id_of("Users", owner)
        modes = {new: old for old, new in _MODES.items()}
        return {
            **told,
            "id": one["id"],
            "parent": one.get("parent_path"),
            "options": {"parameters": [_parameter(each) for each in one.get("parameters") or ()]},
            "run_as_role": modes.get(one.get("run_as_mode", ""), "owner"),
            "user": user if id_ is None else {**user, "id": id_},
            "created_at": one["create_time"],
            "updated_at": one["update_time"],
            "is_archived": False,
            "is_draft": False,
        }


def _sent(fields: Mapping[str, Any]) -> Record:
    checked = fields_of(LegacyQuery, fields)
    sent = {new: checked[old] for old, new in _NAMES.items() if old in checked}
    if "parent" in checked:
        sent["parent_path"] = checked["parent"]
    if "run_as_role" in checked:
        sent["run_as_mode"] = _MODES[checked["run_as_role"]]
    listed = (checked.get("options") or {}).get("parameters")
    if listed is not None:
        sent["parameters"] = [_kept(each) for each in listed]
    return sent


def _kept(parameter: Mapping[str, Any]) -> Record:
    kind, value = parameter.get("type", "text"), parameter.get("value")
    known = {field: parameter[field] for field in ("name", "title") if field in parameter}
    if kind == "text" and isinstance(value, str):
        return {**known, "text_value": {"value": value}}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "number" and is_number:
        return {**known, "numeric_value": {"value": value}}
    raise NotServed(f"laketop's older queries have no parameter of the type {str(kind)[:50]!r}.")


def _parameter(kept: Mapping[str, Any]) -> Record:
    known = {field: kept[field] for field in ("name", "title") if field in kept}
    for kind, field in (("number", "numeric_value"), ("text", "text_value")):
        if field in kept:
            return {**known, "type": kind, "value": kept[field].get("value")}
    return known
