"""`python_wheel_task`: an entry point of a wheel, called in a process of its own.

Source: Databricks docs, job parameters: named_parameters become `--key=value` and take job
parameters in, a list of parameters does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError
from laketop.runner.hosted import run_hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext


class PythonWheelTask:
    """Calls the entry point that the package's metadata names, else `package.entry_point()`."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Call the entry point with its parameters as sys.argv.

        Errors: ConfigError for both kinds of parameters at once.
        """
        settings = task["python_wheel_task"]
        return run_hosted(
            "python_wheel",
            settings["package_name"],
            context,
            entry_point=settings["entry_point"],
            arguments=_arguments(settings, context.job_parameters),
        )


def _arguments(settings: Mapping[str, Any], job_parameters: Mapping[str, str]) -> tuple[str, ...]:
    named, listed = settings.get("named_parameters"), settings.get("parameters")
    if named and listed:
        raise ConfigError("a python_wheel_task has parameters or named_parameters, not both")
    if named is None:
        return tuple(map(str, listed or []))
    return tuple(f"--{key}={value}" for key, value in {**named, **job_parameters}.items())
