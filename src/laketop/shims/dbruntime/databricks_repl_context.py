"""`dbruntime.databricks_repl_context`, which MLflow asks first where it is running."""

from __future__ import annotations

from typing import Any

from laketop.shims import runtime


def get_context() -> Any:
    """Return the context of the running task, None where no task runs."""
    running = runtime.current()
    return None if running is None else running.context
