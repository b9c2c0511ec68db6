"""`spark_python_task`: a Python file, run as a script in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.runner import git_source
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext


class SparkPythonTask:
    """Runs a Python file; job parameters are not handed to it, since its own are a list."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the file with its parameters as sys.argv.

        Errors: ConfigError for a file of a repository that cannot be checked out.
        """
        settings = task["spark_python_task"]
        found = git_source.located(settings["python_file"], settings.get("source"), context)
        return run_hosted(
            "spark_python",
            found.path,
            context,
            root=found.root,
            arguments=tuple(map(str, settings.get("parameters") or [])),
        )
