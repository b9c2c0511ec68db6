"""Inference tables: what is kept of the requests to an endpoint, and in which columns. Pure.

There are two forms, that of AI Gateway and the older one of `auto_capture_config`. Column names and
types are Databricks'. Source: Databricks docs, inference tables, and databricks-sdk,
`AiGatewayInferenceTableConfig` and `AutoCaptureConfigInput`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.lake import checked

GATEWAY = "ai_gateway"
AUTO_CAPTURE = "auto_capture_config"

COLUMNS: Mapping[str, str] = {
    GATEWAY: """databricks_request_id STRING, request_date DATE, client_request_id STRING,
        request_time TIMESTAMP, status_code INT, sampling_fraction DOUBLE,
        execution_duration_ms BIGINT, request STRING, response STRING,
        logging_error_codes ARRAY<STRING>, served_entity_id STRING, requester STRING""",
    AUTO_CAPTURE: """client_request_id STRING, databricks_request_id STRING, date DATE,
        timestamp_ms BIGINT, status_code INT, sampling_fraction DOUBLE, execution_time_ms BIGINT,
        request STRING, response STRING, request_metadata MAP<STRING, STRING>""",
}
"""The columns of each form, as SQL."""
DAYS: Mapping[str, str] = {GATEWAY: "request_date", AUTO_CAPTURE: "date"}
"""The column by which each form is clustered."""

MOST_BYTES = 2**20
"""Of a request or an answer; a longer one is NULL, and an error code says so."""

_NAMES = ("catalog_name", "schema_name")
_FIELDS = {*_NAMES, "table_name_prefix", "enabled"}
_IDS = uuid.UUID("6d5c9a30-1c0b-4d0e-9a51-0f6f3f1c7e2b")


@dataclasses.dataclass(frozen=True)
class InferenceTable:
    """A table of one of the forms, by its names in small letters."""

    form: str
    catalog: str
    schema: str
    name: str

    @property
    def full_name(self) -> str:
        """The name as catalog.schema.table."""
        return f"{self.catalog}.{self.schema}.{self.name}"

    @property
    def columns(self) -> list[str]:
        """The names of its columns, in order."""
        struct = COLUMNS[self.form].replace("MAP<STRING, STRING>", "MAP")
        return [column.split()[0] for column in struct.split(",")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and what became of it. Units: ms, `at_ms` since 1970; the model's time alone."""

    endpoint: str
    entity_id: str
    model: str
    version: int
    requester: str
    client_request_id: str | None
    at_ms: int
    request: bytes
    took_ms: int = 0
    status: int = 0
    response: bytes | None = None
    request_id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))

    def ended(self, status: int, response: bytes | None, *, took_ms: int) -> Exchange:
        """Return it with what became of the request; `status` is HTTP's."""
        return dataclasses.replace(self, status=status, response=response, took_ms=took_ms)


def entity_id(endpoint_id: str, name: str, model: str, version: int) -> str:
    """Return the id of a served entity, which stays while name, model and version do."""
    return uuid.uuid5(_IDS, json.dumps([endpoint_id, name, model, version])).hex


def sent_of(form: str, sent: Any) -> dict[str, Any] | None:
    """Return what a client sent of an inference table, None if it is not enabled.

    Of AI Gateway, which holds it among other things, no other thing is served.
    Errors: InvalidParameterValue for what is no configuration; NotServed for other fields.
    """
    if form == GATEWAY:
        for field, value in (sent or {}).items():
            if field != "inference_table_config" and _is_wanted(value):
                raise NotServed(f"Field {field!r} of 'ai_gateway' is not served here.")
        sent = (sent or {}).get("inference_table_config")
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise InvalidParameterValue("The configuration of an inference table is a JSON object.")
    for field in sent:
        if field not in _FIELDS | {"state"}:
            raise NotServed(f"Field {field!r} of an inference table is not served here.")
    if not sent.get("enabled", form == AUTO_CAPTURE):
        return None
    for field in _NAMES:
        if not isinstance(sent.get(field), str):
            raise InvalidParameterValue(f"An inference table needs {field!r}, a text.")
    return {field: sent[field] for field in sorted(_FIELDS) if sent.get(field) is not None}


def _is_wanted(value: Any) -> bool:
    """Return whether a field asks for something: one that is empty or not enabled does not."""
    return bool(value.get("enabled", value) if isinstance(value, dict) else value)


def table_of(form: str, sent: Mapping[str, Any], endpoint: str) -> InferenceTable:
    """Return the table; without a prefix it is named for the endpoint.

    Errors: InvalidParameterValue for a name that no table can have.
    """
    prefix = sent.get("table_name_prefix") or endpoint
    names = (sent["catalog_name"], sent["schema_name"], f"{prefix}_payload")
    return InferenceTable(form, *map(checked, names))


def row_of(form: str, exchange: Exchange) -> dict[str, Any]:
    """Return the row of an exchange in a table of that form."""
    at = dt.datetime.fromtimestamp(exchange.at_ms / 1000, dt.UTC)
    request, response = _text(exchange.request), _text(exchange.response)
    both: dict[str, Any] = {
        "databricks_request_id": exchange.request_id,
        "client_request_id": exchange.client_request_id,
        "status_code": exchange.status,
        "sampling_fraction": 1.0,
        "request": request,
        "response": response,
    }
    if form == AUTO_CAPTURE:
        told = {
            "endpoint_name": exchange.endpoint,
            "model_name": exchange.model,
            "model_version": str(exchange.version),
        }
        return both | {
            "date": str(at.date()),
            "timestamp_ms": exchange.at_ms,
            "execution_time_ms": exchange.took_ms,
            "request_metadata": told,
        }
    cut = {
        "MAX_REQUEST_SIZE_EXCEEDED": request is None,
        "MAX_RESPONSE_SIZE_EXCEEDED": response is None and exchange.response is not None,
    }
    return both | {
        "request_date": str(at.date()),
        "request_time": str(at),
        "execution_duration_ms": exchange.took_ms,
        "logging_error_codes": [code for code, is_cut in cut.items() if is_cut],
        "served_entity_id": exchange.entity_id,
        "requester": exchange.requester,
    }


def _text(body: bytes | None) -> str | None:
    if body is None or len(body) > MOST_BYTES:
        return None
    return body.decode("utf-8", "replace")
