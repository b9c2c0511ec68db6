"""Thrift, which SQL connectors send to a warehouse's `http_path`: refused, in words they show."""

from __future__ import annotations

import json

from laketop.workspace.service import Reply, Service, route

_REFUSAL = (
    "laketop does not serve Thrift to SQL warehouses and clusters."
    " hint: connect with use_sea=True, which databricks-sql-connector takes, to a warehouse"
)


class Thrift(Service):
    """The addresses that drivers post Thrift to; SQL goes through the statement execution API.

    Source: databricks-sql-connector, `ThriftDatabricksClient`, which shows its user the header
    `x-thriftserver-error-message`. It does so for a 400, and tells of a 501 its number alone.
    """

    @route(
        "POST /sql/1.0/warehouses/{http_path...}",
        "POST /sql/1.0/endpoints/{http_path...}",
        "POST /sql/protocolv1/{http_path...}",
        write=False,
        raw=True,
    )
    def refuse(self, http_path: str) -> Reply:
        """Refuse, and tell what to set instead."""
        told = {"error_code": "NOT_IMPLEMENTED", "message": f"{_REFUSAL} ({http_path})."}
        headers = {"content-type": "application/json", "x-thriftserver-error-message": _REFUSAL}
        return Reply(json.dumps(told).encode(), 400, headers)
