"""The gate of the workspace: from where a request may come, and what it asks in its head."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from databricks.sdk.errors.platform import PermissionDenied
from starlette.types import Scope

_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers, names in lower case."""
    return {n.decode("latin-1").lower(): text.decode("latin-1") for n, text in scope["headers"]}


def query_of(scope: Scope) -> dict[str, str]:
    """Return the first value of each name in the query."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return dict(reversed(pairs))


def address_of(scope: Scope) -> str:
    """Return the IP address from which a request came; without a socket that of the laptop."""
    client = scope.get("client")
    return str(client[0]) if client else "127.0.0.1"


def checked_host(scope: Scope, headers: Mapping[str, str]) -> str:
    """Return the address that the client used.

    Errors: PermissionDenied unless it is this workspace, to the letter. Source: reliability S4.
    """
    port = scope["server"][1]
    host = headers.get("host", "")
    if host not in _own(port):
        raise PermissionDenied("The host that was asked for is not this workspace.")
    return f"http://{host}"


def check_origin(scope: Scope, headers: Mapping[str, str]) -> None:
    """Refuse what a page of another origin sent, whatever the method. Source: reliability S5."""
    own = {f"http://{host}" for host in _own(scope["server"][1])}
    if "origin" in headers and headers["origin"] not in own:
        raise PermissionDenied("Requests from another origin are refused.")


def _own(port: int) -> set[str]:
    named = {f"{host}:{port}" for host in _HOSTS}
    return named | set(_HOSTS) if port == 80 else named
