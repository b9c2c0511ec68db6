"""`dbutils`, as notebooks and scripts of a task find it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from laketop.runner.dbutils.context import EntryPoint, Facts, ReplContext
from laketop.runner.dbutils.files import FileSystem
from laketop.runner.dbutils.notebook import NotebookControl, NotebookExit
from laketop.runner.dbutils.secrets import Secrets, ask_workspace
from laketop.runner.dbutils.task_values import Jobs, TaskValues
from laketop.runner.paths import notebook_name
from laketop.runner.request import VALUES_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laketop.runner.dbutils.widgets import Widgets
    from laketop.runner.redaction import Redaction
    from laketop.runner.request import Request

__all__ = ["DBUtils", "NotebookExit", "RestartPython", "make_dbutils", "task_facts"]

_UNSUPPORTED = {
    "api": ("setupJob",),
    "credentials": (
        "assumeRole",
        "showCurrentRole",
        "showRoles",
        "getCurrentCredentials",
        "getServiceCredentialsProvider",
    ),
    "data": ("summarize",),
    "fs": (
        "mount",
        "updateMount",
        "mounts",
        "refreshMounts",
        "unmount",
        "cacheFiles",
        "cacheTable",
        "uncacheFiles",
        "uncacheTable",
    ),
    "library": ("install", "installPyPI", "list", "updateCondaEnv"),
    "meta": ("define",),
    "notebook": ("setParameters",),
    "preview": ("cluster",),
}


class RestartPython(BaseException):
    """The notebook asked for a fresh Python: its names go, widgets and later cells stay."""


class _Library:
    def restartPython(self) -> None:  # noqa: N802 - the platform's name
        """Clear the names of the notebook, and go on with the next cell."""
        raise RestartPython("dbutils.library.restartPython() is for cells of a notebook")


class Group:
    """One part of dbutils, such as `dbutils.fs`: what is served, and a refusal by name."""

    def __init__(self, name: str, served: object, unsupported: Sequence[str] = ()) -> None:
        self._name = name
        self._served = served
        self._unsupported = unsupported

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            if hasattr(self._served, name):
                return getattr(self._served, name)
            if name in self._unsupported:
                return _refusal(f"dbutils.{self._name}.{name}")
        raise AttributeError(f"dbutils.{self._name} has no {name!r}")

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._served) if not name.startswith("_")]

    def help(self, _name: str = "") -> None:
        """Print what this part offers."""
        for name in dir(self):
            text = inspect.getdoc(getattr(self, name)) or ""
            print(f"dbutils.{self._name}.{name}: {text.partition(chr(10))[0]}")


class DBUtils:
    """The tools of a task; each part is an attribute."""

    def __init__(self, **parts: object) -> None:
        self._parts: dict[str, Group] = {
            name: Group(name, parts.get(name), _UNSUPPORTED.get(name, ()))
            for name in sorted({*parts, *_UNSUPPORTED})
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._parts:
            raise AttributeError(f"dbutils has no {name!r}")
        return self._parts[name]

    def __dir__(self) -> list[str]:
        return ["help", *self._parts]

    @property
    def entry_point(self) -> Any:
        """The same as `dbutils.notebook.entry_point`, where MLflow looks for it too."""
        return self.notebook.entry_point

    def help(self, _name: str = "") -> None:
        """Print the parts."""
        for name in self._parts:
            print(f"dbutils.{name}")


def make_dbutils(
    request: Request,
    *,
    widgets: Widgets,
    facts: Facts,
    redaction: Redaction,
    environment: Mapping[str, str],
) -> DBUtils:
    """Return the dbutils of the task that `request` asks for."""
    values = TaskValues(request.task_values, request.directory / VALUES_FILE)
    return DBUtils(
        fs=FileSystem(request.places),
        jobs=Jobs(values),
        library=_Library(),
        notebook=NotebookControl(request, environment, EntryPoint(facts)),
        secrets=Secrets(ask_workspace, redaction),
        widgets=widgets,
    )


def task_facts(request: Request, environment: Mapping[str, str]) -> Facts:
    """Return what is known of the task, for its context."""
    notebook = request.kind == "notebook"
    known = {
        "apiToken": environment.get("DATABRICKS_TOKEN"),
        "apiUrl": environment.get("DATABRICKS_HOST"),
        "currentRunId": str(request.task_run_id),
        "idInJob": str(request.task_run_id),
        "jobId": str(request.job_id),
        "jobTaskType": request.kind,
        "multitaskParentRunId": str(request.run_id),
        "notebookPath": notebook_name(request.path) if notebook else None,
    }
    return Facts(known, lambda: str(ask_workspace("/api/2.0/preview/scim/v2/Me", {})["userName"]))


def repl_context(request: Request, facts: Facts) -> ReplContext:
    """Return the context that MLflow asks for."""
    return ReplContext(facts, notebook=request.kind == "notebook")


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError(f"{name} is not supported by laketop")

    return refuse
