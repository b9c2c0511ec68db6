"""The caller's own personal access tokens."""

from __future__ import annotations

import secrets
from typing import Any

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.identity import Token
from laketop.workspace.service import Service, route

_MOST_TOKENS = 600
_LONGEST_SECONDS = 730 * 24 * 3600


class Tokens(Service):
    """Personal access tokens; without a lifetime one lasts until it is revoked.

    Source: databricks-sdk, `settings.TokensAPI`. A token's id is the SHA-256 of its value.
    """

    @route("POST /api/2.0/token/create")
    def create(
        self,
        comment: str = "",
        lifetime_seconds: int | None = None,
        scopes: list[str] | None = None,
    ) -> dict[str, Any]:
        """Make a token of the caller; its value is told this once."""
        if scopes and scopes != ["all-apis"]:
            raise NotServed("laketop's tokens open the whole workspace: it keeps no scopes.")
        if not self.workspace.permissions.allows("authorization", "tokens", "CAN_USE"):
            raise PermissionDenied(f"User {self.workspace.user} may not use access tokens.")
        if sum(1 for _ in self._own()) >= _MOST_TOKENS:
            raise BadRequest(
                f"User {self.workspace.user} has {_MOST_TOKENS} tokens already.",
                error_code="QUOTA_EXCEEDED",
            )
        value, info = self.issue(self.workspace.user, comment, lifetime_seconds)
        return {"token_value": value, "token_info": _shown(info)}

    @route("GET /api/2.0/token/list")
    def list(self) -> dict[str, Any]:
        """Return the caller's tokens, never their values."""
        return {"token_infos": [_shown(one) for one in self._own()]}

    @route("POST /api/2.0/token/delete")
    def delete(self, token_id: str) -> None:
        """Revoke a token of the caller."""
        if all(one.id != token_id for one in self._own()):
            raise ResourceDoesNotExist(f"Token with ID {token_id[:70]} does not exist!")
        self.workspace.tokens.revoke(token_id)

    @route("PATCH /api/2.0/token/{token_id}")
    def update(self, token_id: str, token: dict[str, Any], update_mask: str) -> dict[str, Any]:
        """Change the comment of a token."""
        if all(one.id != token_id for one in self._own()):
            raise NotFound(f"Token with ID {token_id[:70]} does not exist!")
        self.change(token_id, token, update_mask)
        return {}

    def change(self, token_id: str, token: dict[str, Any], update_mask: str) -> None:
        """Change the comment of anybody's token. Errors: NotImplemented for another field."""
        if update_mask != "comment":
            raise NotServed(f"laketop changes only the comment of a token, not {update_mask!r}.")
        if not isinstance(token.get("comment"), str):
            raise InvalidParameterValue("The comment of a token is a string.")
        self.workspace.tokens.comment(token_id, token["comment"])

    def issue(self, user: str, comment: str, lifetime_seconds: int | None) -> tuple[str, Token]:
        """Return a new token of `user` and what is known of it.

        Errors: InvalidParameterValue for a lifetime out of range.
        """
        if lifetime_seconds is not None and not 0 < lifetime_seconds <= _LONGEST_SECONDS:
            raise InvalidParameterValue(
                f"lifetime_seconds is {lifetime_seconds}, not from 1 to {_LONGEST_SECONDS}."
            )
        now = self.workspace.now_ms()
        value = f"dapi{secrets.token_hex(32)}"
        info = self.workspace.tokens.add(
            value,
            user,
            kind="pat",
            comment=comment,
            created_by=self.workspace.user,
            created_ms=now,
            expires_ms=None if lifetime_seconds is None else now + lifetime_seconds * 1000,
        )
        return value, info

    def _own(self) -> Any:
        user = self.workspace.user
        return (t for t in self.workspace.tokens.all() if t.kind == "pat" and t.user == user)


def _shown(token: Token) -> dict[str, Any]:
    return {
        "token_id": token.id,
        "comment": token.comment,
        "creation_time": token.created_ms,
        "expiry_time": -1 if token.expires_ms is None else token.expires_ms,
    }
