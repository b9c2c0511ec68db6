"""`notebook_task`: a notebook, run in a process of its own.

Source: Databricks docs, job parameters: widget default < base_parameters < notebook_params < job
parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.runner import git_source
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext


class NotebookTask:
    """Runs a Python or SQL notebook: .py, .ipynb or .sql, named with or without extension."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Run the notebook with its parameters; job parameters win over its own.

        The engine stands for a warehouse too.
        Errors: ConfigError for a notebook of a repository that cannot be checked out.
        """
        settings = task["notebook_task"]
        found = git_source.located(settings["notebook_path"], settings.get("source"), context)
        own = {key: str(value) for key, value in (settings.get("base_parameters") or {}).items()}
        return run_hosted(
            "notebook",
            found.path,
            context,
            root=found.root,
            parameters={**own, **context.job_parameters},
        )
