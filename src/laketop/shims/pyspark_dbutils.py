"""`pyspark.dbutils`, as scripts import it: `DBUtils(spark)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.shims import runtime

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class DBUtils:
    """The task's own dbutils, whichever session is handed over."""

    def __new__(cls, spark: SparkSession | None = None) -> Any:  # noqa: ARG004 - the platform's signature
        """Return the dbutils of the running task.

        Errors: RuntimeError where no task runs in this process.
        """
        running = runtime.current()
        if running is None:
            raise RuntimeError(
                "there is no dbutils outside of a task: run this code by a job or in a notebook"
            )
        return running.names["dbutils"]
