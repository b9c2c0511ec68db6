"""`spark_jar_task`: the main class of a jar, run in a JVM of its own.

Source: databricks-sdk, `SparkJarTask`. Job parameters are not handed to it, since its own are a
list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laketop.errors import ConfigError
from laketop.runner.libraries import jar_at
from laketop.runner.main_class import jars_of, run_main_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.context import Outcome, TaskContext


class SparkJarTask:
    """Calls `main` of a class in the jars of the task's libraries or environment."""

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Call `main` with the parameters of the task.

        Errors: ConfigError for a task without a main class or without a jar, EngineMissing
        without Java.
        """
        settings = task["spark_jar_task"]
        jars = jars_of(context)
        if settings.get("jar_uri"):
            jars = (*jars, jar_at(settings["jar_uri"], context.resolve))
        if not jars:
            raise ConfigError(
                f"JAR task {context.task_key!r} has no jar",
                hint="name it in its libraries, or in java_dependencies of its environment",
            )
        if not settings.get("main_class_name"):
            raise ConfigError(f"JAR task {context.task_key!r} has no main_class_name")
        arguments = [str(text) for text in settings.get("parameters") or ()]
        return run_main_class(settings["main_class_name"], arguments, context, jars=jars)
