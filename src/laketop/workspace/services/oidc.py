"""OAuth: where clients learn how to ask for a token, and where service principals get one."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from laketop.workspace.clock import wall_ms
from laketop.workspace.service import Reply, Request, Service, route

_SECONDS = 3600
_JSON = {"content-type": "application/json", "cache-control": "no-store"}


class Oidc(Service):
    """Machine-to-machine OAuth: a service principal's id and secret for a token of one hour.

    Source: RFC 6749 4.4 and 5.2, RFC 8414, workspace-api 1.
    """

    shared = True

    @route(
        "GET /oidc/.well-known/oauth-authorization-server",
        "GET /oidc/.well-known/openid-configuration",
        is_open=True,
    )
    def discovery(self, request: Request) -> dict[str, Any]:
        """Return where tokens are given out, and for what."""
        return {
            "issuer": f"{request.host}/oidc",
            "authorization_endpoint": f"{request.host}/oidc/v1/authorize",
            "token_endpoint": f"{request.host}/oidc/v1/token",
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": ["all-apis"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    @route("POST /oidc/v1/token", raw=True, is_open=True)
    def token(self, request: Request) -> Reply:
        """Give a service principal a token for its secret."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client, secret = _credentials(request, form)
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", "laketop gives tokens to client_credentials.")
        if set(form.get("scope", "all-apis").split()) - {"all-apis", "offline_access"}:
            return _refused("invalid_scope", "laketop knows the scope all-apis alone.")
        opened = self.workspace.service_principal_secrets_proxy.opens(client, secret)
        if opened is None:
            return _refused("invalid_client", "Client authentication failed", status=401)
        now = wall_ms()
        value = self.workspace.tokens.within(opened).issue(
            client,
            kind="oauth",
            created_by=client,
            created_ms=now,
            expires_ms=now + _SECONDS * 1000,
        )
        told = {"access_token": value, "token_type": "Bearer", "expires_in": _SECONDS}
        return Reply(json.dumps({**told, "scope": "all-apis"}).encode(), 200, _JSON)


def _credentials(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:  # of base64, or of UTF-8
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


def _refused(error: str, description: str, *, status: int = 400) -> Reply:
    told = {"error": error, "error_description": description}
    # Databricks' own clients read these two of every answer.
    told |= {"error_code": error.upper(), "message": description}
    return Reply(json.dumps(told).encode(), status, _JSON)
