"""`dbutils.secrets`: asked of the workspace, and kept out of the output from then on."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections import namedtuple
from typing import TYPE_CHECKING, Any, Protocol

from laketop.errors import LaketopError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laketop.runner.redaction import Redaction

TIMEOUT_SECONDS = 30


class SecretScope(namedtuple("SecretScope", ["name"])):  # noqa: PYI024 - the SDK's own shape
    """One scope."""

    __slots__ = ()

    def getName(self) -> str:  # noqa: N802 - the platform's name
        """Return the name."""
        return str(self.name)


SecretMetadata = namedtuple("SecretMetadata", ["key"])  # noqa: PYI024 - the SDK's own shape


class Ask(Protocol):
    """Asks the workspace: path and query, answered by the JSON of the response."""

    def __call__(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the answer.

        Errors: LaketopError with the server's own message.
        """
        ...


class Secrets:
    """`dbutils.secrets` of the workspace that `ask` asks."""

    def __init__(self, ask: Ask, redaction: Redaction) -> None:
        self._ask = ask
        self._redaction = redaction

    def get(self, scope: str, key: str) -> str:
        """Return a secret as text.

        Errors: LaketopError if scope or key do not exist or may not be read.
        """
        return self.getBytes(scope, key).decode()

    def getBytes(self, scope: str, key: str) -> bytes:  # noqa: N802 - the platform's name
        """Return a secret as bytes.

        Errors: LaketopError if scope or key do not exist or may not be read.
        """
        answer = self._ask("/api/2.0/secrets/get", {"scope": scope, "key": key})
        value = base64.b64decode(answer.get("value", ""))
        self._redaction.add(value)
        return value

    def list(self, scope: str) -> list[SecretMetadata]:
        """Return the keys of a scope.

        Errors: LaketopError if the scope does not exist.
        """
        answer = self._ask("/api/2.0/secrets/list", {"scope": scope})
        return [SecretMetadata(secret["key"]) for secret in answer.get("secrets", [])]

    def listScopes(self) -> _Scopes:  # noqa: N802 - the platform's name
        """Return the scopes."""
        answer = self._ask("/api/2.0/secrets/scopes/list", {})
        return [SecretScope(scope["name"]) for scope in answer.get("scopes", [])]


_Scopes = list[SecretScope]


def ask_workspace(path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask the workspace that DATABRICKS_HOST and DATABRICKS_TOKEN name.

    Errors: LaketopError without those, or with the server's own message.
    """
    host, token = os.environ.get("DATABRICKS_HOST"), os.environ.get("DATABRICKS_TOKEN")
    if not host or not token:
        raise LaketopError(
            "this task has no workspace to ask: DATABRICKS_HOST or DATABRICKS_TOKEN is not set",
            hint="start it by `laketop run`",
        )
    url = host.rstrip("/") + path + ("?" + urllib.parse.urlencode(query) if query else "")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - the workspace's own address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            answer: Mapping[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise LaketopError(_message(error)) from None
    except OSError as error:
        raise LaketopError(f"the workspace does not answer: {error}") from error
    return answer


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the workspace answered {error.code} {error.reason}"
