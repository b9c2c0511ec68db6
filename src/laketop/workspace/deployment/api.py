"""The REST API of the workspace that a bundle is deployed to, local or remote."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from laketop.errors import LaketopError
from laketop.workspace.daemon import Contact, RequestFailed

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Body = Mapping[str, Any]

_NOT_SERVED = "NOT_IMPLEMENTED"


class ApiError(LaketopError):
    """What a workspace answered instead of doing what was asked."""

    def __init__(self, message: str, *, code: str = "", is_missing: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_missing = is_missing

    @property
    def is_not_served(self) -> bool:
        """Whether the local workspace has no such call."""
        return self.code == _NOT_SERVED

    @property
    def is_taken(self) -> bool:
        """Whether something of this name is there already."""
        return self.code.endswith("ALREADY_EXISTS") or "already exists" in self.message

    @property
    def is_not_empty(self) -> bool:
        """Whether something is not deleted because of what it holds."""
        return self.code.endswith("NOT_EMPTY") or "is not empty" in self.message


class Api(Protocol):
    """Calls of the REST API with bodies as the API writes them. Errors: ApiError."""

    def do(
        self, method: str, path: str, *, query: Body | None = None, body: Body | None = None
    ) -> Any:
        """Return the decoded answer."""


def told_at(api: Api, path: str, query: Body | None = None) -> dict[str, Any] | None:
    """Return what the workspace tells at `path`, None if nothing is there. Errors: ApiError."""
    try:
        return dict(api.do("GET", path, query=query))
    except ApiError as error:
        if error.is_missing:
            return None
        raise


def remove(
    api: Api, method: str, path: str, body: Body | None = None, *, query: Body | None = None
) -> None:
    """Make a call that deletes something; fine if it is gone. Errors: ApiError."""
    try:
        api.do(method, path, query=query, body=body)
    except ApiError as error:
        if not error.is_missing:
            raise


class LocalApi:
    """The project's own workspace, without the SDK, whose import would cost a second."""

    def __init__(self, contact: Contact) -> None:
        self._contact = contact

    def do(
        self, method: str, path: str, *, query: Body | None = None, body: Body | None = None
    ) -> Any:
        """Return the decoded answer. Errors: ApiError; LaketopError when nothing answers."""
        whole = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        try:
            return self._contact.request(method, whole, body)
        except RequestFailed as error:
            is_missing = error.status == 404 or (
                error.status == 400 and "does not exist" in error.message
            )
            raise ApiError(error.message, code=error.code, is_missing=is_missing) from error


class RemoteApi:
    """The workspace that the SDK's own authentication opens."""

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def do(
        self, method: str, path: str, *, query: Body | None = None, body: Body | None = None
    ) -> Any:
        """Return the decoded answer. Errors: ApiError; LaketopError when nothing answers."""
        from databricks.sdk.errors import NotFound
        from databricks.sdk.errors.base import DatabricksError

        try:
            return self._client.api_client.do(
                method,
                path,
                query=dict(query) if query else None,
                body=dict(body) if body is not None else None,
                headers={"Accept": "application/json", "Content-Type": "application/json"},
            )
        except DatabricksError as error:
            raise ApiError(
                str(error), code=error.error_code or "", is_missing=isinstance(error, NotFound)
            ) from error
        except (OSError, ValueError) as error:
            raise LaketopError(
                f"the workspace at {self._client.config.host!r} does not answer: {error}",
                hint="check the host and how you are signed in",
            ) from error
