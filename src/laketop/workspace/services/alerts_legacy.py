"""Alerts on saved queries, by the oldest of their three APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.sql import AlertOptions

from laketop.workspace.kept import Record, fields_of
from laketop.workspace.run_output import NOT_EVALUATED
from laketop.workspace.service import Service, route

_OPERATORS = {
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
    "==": "EQUAL",
    "!=": "NOT_EQUAL",
}
_TEXTS = ("custom_body", "custom_subject")


class AlertsLegacy(Service):
    """The `alerts`. Source: databricks-sdk, `sql.AlertsLegacyAPI`."""

    @route("POST /api/2.0/preview/sql/alerts")
    def create(
        self,
        *,
        name: str,
        query_id: str,
        options: dict[str, Any],
        rearm: int | None = None,
        parent: str | None = None,
    ) -> Record:
        """Keep a new alert on a query that is there."""
        sent = self._sent(name, query_id, options, rearm)
        if parent is not None:
            sent["parent_path"] = parent
        return self._shown(self.workspace.alerts.create(sent))

    @route("GET /api/2.0/preview/sql/alerts/{alert_id}")
    def get(self, alert_id: str) -> Record:
        """Return an alert."""
        return self._shown(self.workspace.alerts.get(alert_id))

    @route("GET /api/2.0/preview/sql/alerts")
    def list(self) -> Any:
        """Return the alerts that the caller may see."""
        return [self._shown(one) for one in self.workspace.alerts.seen()]

    @route("PUT /api/2.0/preview/sql/alerts/{alert_id}")
    def update(
        self,
        *,
        alert_id: str,
        name: str,
        query_id: str,
        options: dict[str, Any],
        rearm: int | None = None,
    ) -> None:
        """Replace an alert."""
        sent = self._sent(name, query_id, options, rearm)
        self.workspace.alerts.update(alert_id, "*", sent)

    @route("DELETE /api/2.0/preview/sql/alerts/{alert_id}")
    def delete(self, alert_id: str) -> None:
        """Forget an alert."""
        self.workspace.alerts.delete(alert_id)

    def _sent(
        self, name: str, query_id: str, options: Mapping[str, Any], rearm: int | None
    ) -> Record:
        checked = fields_of(AlertOptions, options)
        if checked["op"] not in _OPERATORS:
            raise InvalidParameterValue(
                f"The op {checked['op'][:50]!r} is none of {', '.join(_OPERATORS)}."
            )
        if checked.get("muted"):
            raise NotServed("laketop's alerts are not muted: nobody is told of them.")
        self.workspace.queries.existing(query_id)
        condition = {
            "op": _OPERATORS[checked["op"]],
            "operand": {"column": {"name": checked["column"]}},
            "threshold": {"value": _value(checked["value"])},
        }
        if "empty_result_state" in checked:
            condition["empty_result_state"] = checked["empty_result_state"].upper()
        return {
            "display_name": name,
            "query_id": query_id,
            "condition": condition,
            **({} if rearm is None else {"seconds_to_retrigger": rearm}),
            **{field: checked[field] for field in _TEXTS if field in checked},
        }

    def _shown(self, one: Record) -> Record:
        owner, query_id = one["owner_user_name"], one.get("query_id")
        told = {
            "id": one["id"],
            "name": one.get("display_name"),
            "options": _options(one),
            "parent": one.get("parent_path"),
            "query": {"id": query_id} if query_id else None,
            "rearm": one.get("seconds_to_retrigger"),
            "state": str(one.get("state") or NOT_EVALUATED).lower(),
            "user": {"name": owner, "email": owner},
            "created_at": one["create_time"],
            "updated_at": one["update_time"],
        }
        return {field: value for field, value in told.items() if value is not None}


def _value(value: Any) -> Record:
    if isinstance(value, bool):
        return {"bool_value": value}
    if isinstance(value, int | float):
        return {"double_value": float(value)}
    if isinstance(value, str):
        return {"string_value": value}
    raise InvalidParameterValue("The value of an alert is a number, a text or a boolean.")


def _options(one: Record) -> Record:
    condition = one.get("condition") or {}
    operators = {new: old for old, new in _OPERATORS.items()}
    value = (condition.get("threshold") or {}).get("value") or {}
    told = {
        "column": ((condition.get("operand") or {}).get("column") or {}).get("name"),
        "op": operators.get(str(condition.get("op"))),
        "value": next(iter(value.values()), None),
        **{field: one.get(field) for field in _TEXTS},
    }
    state = condition.get("empty_result_state")
    told["empty_result_state"] = state.lower() if isinstance(state, str) else None
    return {field: value for field, value in told.items() if value is not None}
