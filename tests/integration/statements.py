"""SQL statements that are waited for, however long a busy machine takes."""

from __future__ import annotations

import time
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import StatementResponse, StatementState

_ON_THEIR_WAY = (None, StatementState.PENDING, StatementState.RUNNING)


def run_statement(
    client: WorkspaceClient, text: str, warehouse: str, **more: Any
) -> StatementResponse:
    """Run a statement, and return how it ended."""
    told = client.statement_execution.execute_statement(text, warehouse, wait_timeout="50s", **more)
    while told.status is None or told.status.state in _ON_THEIR_WAY:
        time.sleep(0.1)
        told = client.statement_execution.get_statement(told.statement_id or "")
    return told
