"""Thrift, through databricks-sql-connector as it is published."""

from __future__ import annotations

import pytest
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sql.exc import RequestError


def _connect(host: str, token: str, path: str) -> None:
    sql.connect(
        server_hostname=host,
        http_path=path,
        access_token=token,
        enable_telemetry=False,
        # Thrift goes by TLS unless the whole address is told, and loopback has none.
        _connection_uri=f"{host}/{path.lstrip('/')}",
    )


def test_the_connector_tells_its_user_what_to_set(
    host: str, token: str, client: WorkspaceClient
) -> None:
    warehouse = next(iter(client.warehouses.list()))
    assert warehouse.odbc_params is not None
    for path in (warehouse.odbc_params.path or "", "sql/protocolv1/o/1/0123-456789-abcdefgh"):
        with pytest.raises(RequestError, match=r"does not serve Thrift .* use_sea=True"):
            _connect(host, token, path)
