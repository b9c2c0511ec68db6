"""`spark_python_task`: a Python file, run as a script in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.errors import Refused
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext


class SparkPythonTask:
    """Runs a Python file; job parameters are not handed to it, since its own are a list."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the file with its parameters as sys.argv.

        Errors: Refused for a file of a Git repository.
        """
        settings = task["spark_python_task"]
        if settings.get("source") == "GIT":
            raise Refused("a spark_python_task with source GIT")
        return run_hosted(
            "spark_python",
            settings["python_file"],
            context,
            arguments=tuple(map(str, settings.get("parameters") or [])),
        )
