"""`dbruntime`, from which databricks-sdk and MLflow take the names of the running notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.shims import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping


class UserNamespaceInitializer:
    """Gives the names that a notebook finds defined; `databricks.sdk.runtime` reads them."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    @classmethod
    def getOrCreate(cls) -> UserNamespaceInitializer:  # noqa: N802 - the platform's name
        """Return the initializer of this process.

        Errors: ImportError where no task runs, which is how the SDK notices that.
        """
        running = runtime.current()
        if running is None:
            raise ImportError("no task runs in this process")
        return cls(running.names)

    def get_namespace_globals(self) -> dict[str, Any]:
        """Return the names: dbutils, spark, display, displayHTML, sql, table, udf, getArgument."""
        return dict(self._names)
