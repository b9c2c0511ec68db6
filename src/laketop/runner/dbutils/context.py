"""The context of the running task, by the two ways that projects and MLflow ask for it.

`dbutils.notebook.entry_point` answers as the JVM's objects do: getters that return options.
`ReplContext` has plain attributes; `workspaceUrl` stays None, since clients put https before it.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOB_TYPE = "NORMAL"
"""Unverified: what the platform calls a run of a stored job."""
ATTRIBUTES = (
    "aclPathOfAclRoot",
    "apiToken",
    "apiUrl",
    "browserHostName",
    "clusterId",
    "currentRunId",
    "idInJob",
    "jobId",
    "jobTaskType",
    "mlflowGitRelativePath",
    "mlflowGitRepoCommit",
    "mlflowGitRepoProvider",
    "mlflowGitRepoReference",
    "mlflowGitRepoReferenceType",
    "mlflowGitRepoStatus",
    "mlflowGitRepoUrl",
    "multitaskParentRunId",
    "notebookId",
    "notebookPath",
    "userName",
    "workloadClass",
    "workloadId",
    "workspaceId",
)
_TAGS = {
    "browserHostName": "browserHostName",
    "clusterId": "clusterId",
    "idInJob": "idInJob",
    "jobId": "jobId",
    "jobTaskType": "jobTaskType",
    "multitaskParentRunId": "multitaskParentRunId",
    "orgId": "workspaceId",
    "user": "userName",
}


class Option:
    """A value that may be missing, as Scala has it."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        """Return the value.

        Errors: LookupError if there is none.
        """
        if self._value is None:
            raise LookupError("None.get")
        return self._value

    def getOrElse(self, other: Any) -> Any:  # noqa: N802 - the platform's name
        """Return the value, `other` if there is none."""
        return other if self._value is None else self._value

    def isDefined(self) -> bool:  # noqa: N802 - the platform's name
        """Return whether there is a value."""
        return self._value is not None

    def isEmpty(self) -> bool:  # noqa: N802 - the platform's name
        """Return whether there is none."""
        return self._value is None

    def __repr__(self) -> str:
        return "None" if self._value is None else f"Some({self._value})"


class Facts:
    """What is known of the task; the user's name is asked for when it is first needed."""

    def __init__(self, known: Mapping[str, str | None], ask_user: Callable[[], str]) -> None:
        self._known = known
        self._ask_user = ask_user

    @functools.cached_property
    def _user(self) -> str:
        return self._ask_user()

    def value(self, name: str) -> str | None:
        """Return the fact of this name, None if it is not known."""
        return self._user if name == "userName" else self._known.get(name)

    def tag(self, name: str) -> str | None:
        """Return the tag of this name, None if there is none."""
        if name == "jobType":
            return JOB_TYPE
        return self.value(_TAGS[name]) if name in _TAGS else None

    def further(self, name: str) -> str | None:
        """Return the extra context of this name, None if there is none."""
        names = {"notebook_path": "notebookPath", "api_url": "apiUrl"}
        return self.value(names.get(name, name))


class _Tags:
    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find

    def get(self, name: str) -> Option:
        return Option(self._find(name))

    def apply(self, name: str) -> Any:
        return self.get(name).get()


class CommandContext:
    """What `getContext()` returns: one getter for each of `ATTRIBUTES`."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> Callable[[], Option]:
        if name not in ATTRIBUTES:
            raise AttributeError(f"the notebook context has no {name!r}")
        return lambda: Option(self._facts.value(name))

    def tags(self) -> _Tags:
        """Return the tags: user, orgId, jobId, idInJob, jobType, jobTaskType .."""
        return _Tags(self._facts.tag)

    def extraContext(self) -> _Tags:  # noqa: N802 - the platform's name
        """Return the rest: notebook_path, api_url, mlflowGit*."""
        return _Tags(self._facts.further)

    def toJson(self) -> str:  # noqa: N802 - the platform's name
        """Return tags and extra context as JSON, without the token."""
        tags = {name: self._facts.tag(name) for name in (*_TAGS, "jobType")}
        extra = {name: self._facts.further(name) for name in ("notebook_path", "api_url")}
        return json.dumps({"tags": _present(tags), "extraContext": _present(extra)})

    def safeToJson(self) -> str:  # noqa: N802 - the platform's name
        """Return the attributes as JSON, without the token."""
        names = [name for name in ATTRIBUTES if name != "apiToken"]
        attributes = {name: self._facts.value(name) for name in names}
        attributes["user"] = self._facts.value("userName")
        return json.dumps({"attributes": _present(attributes)})


class _JavaNotebook:
    def __init__(self, facts: Facts) -> None:
        self._context = CommandContext(facts)

    def getContext(self) -> CommandContext:  # noqa: N802 - the platform's name
        return self._context


class _JavaDbutils:
    def __init__(self, facts: Facts) -> None:
        self._notebook = _JavaNotebook(facts)

    def notebook(self) -> _JavaNotebook:
        return self._notebook


class EntryPoint:
    """`dbutils.notebook.entry_point`."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._dbutils = _JavaDbutils(facts)

    def getDbutils(self) -> _JavaDbutils:  # noqa: N802 - the platform's name
        """Return the object that has `notebook().getContext()`."""
        return self._dbutils

    def getJobGroupId(self) -> str | None:  # noqa: N802 - the platform's name
        """Return a text that names this task run."""
        return self._facts.value("currentRunId")

    def getReplId(self) -> str | None:  # noqa: N802 - the platform's name
        """Return a text that names this task run."""
        return self._facts.value("currentRunId")

    def getNonUcApiToken(self) -> str | None:  # noqa: N802 - the platform's name
        """Return the token of the task."""
        return self._facts.value("apiToken")


class ReplContext:
    """What `dbruntime.databricks_repl_context.get_context()` returns.

    Source: an attribute that exists is final for MLflow, even None; only workspaceUrl is not.
    """

    isInCluster = False  # noqa: N815 - the platform's name
    workspaceUrl = None  # noqa: N815 - the platform's name
    jobType = JOB_TYPE  # noqa: N815 - the platform's name

    def __init__(self, facts: Facts, *, notebook: bool) -> None:
        self.isInNotebook = notebook
        self.isInJob = True
        self._facts = facts

    @property
    def replId(self) -> str | None:  # noqa: N802 - the platform's name
        """A text that names this task run."""
        return self._facts.value("currentRunId")

    @property
    def jobGroupId(self) -> str | None:  # noqa: N802 - the platform's name
        """A text that names this task run."""
        return self._facts.value("currentRunId")

    def __getattr__(self, name: str) -> str | None:
        if name not in ATTRIBUTES:
            raise AttributeError(name)
        return self._facts.value(name)


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
