"""Everybody's personal access tokens, for admins."""

from __future__ import annotations

from typing import Any

from databricks.sdk.errors.platform import NotFound, ResourceDoesNotExist
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.identity import Token
from laketop.workspace.service import Service, route


class TokenManagement(Service):
    """Tokens of all users. Source: databricks-sdk, `settings.TokenManagementAPI`."""

    @route("GET /api/2.0/token-management/tokens")
    def list(
        self, created_by_id: int | None = None, created_by_username: str | None = None
    ) -> dict[str, Any]:
        """Return the tokens, of all users or of one."""
        self.workspace.require_admin()
        shown = [self._shown(one) for one in self.workspace.tokens.all() if one.kind == "pat"]
        return {
            "token_infos": [
                one
                for one in shown
                if created_by_id in {None, one.get("created_by_id")}
                and created_by_username in {None, one["created_by_username"]}
            ]
        }

    @route("GET /api/2.0/token-management/tokens/{token_id}")
    def get(self, token_id: str) -> dict[str, Any]:
        """Return what is known of a token."""
        self.workspace.require_admin()
        return {"token_info": self._shown(self._existing(token_id))}

    @route("PATCH /api/2.0/token-management/tokens/{token_id}")
    def update_token_management(
        self, token_id: str, token: dict[str, Any], update_mask: str
    ) -> dict[str, Any]:
        """Change the comment of a token, whoever it belongs to."""
        self.workspace.require_admin()
        change = self.workspace.services["tokens"].change  # type: ignore[attr-defined]  # by name
        found = self._existing(token_id)
        change(found.id, token, update_mask)
        return {**self._shown(found), "comment": token["comment"]}

    @route("DELETE /api/2.0/token-management/tokens/{token_id}")
    def delete(self, token_id: str) -> None:
        """Revoke a token, whoever it belongs to."""
        self.workspace.require_admin()
        self.workspace.tokens.revoke(self._existing(token_id).id)

    @route("POST /api/2.0/token-management/on-behalf-of/tokens")
    def create_obo_token(
        self,
        application_id: str,
        comment: str = "",
        lifetime_seconds: int | None = None,
        scopes: list[str] | None = None,  # type: ignore[valid-type]  # not the method
    ) -> dict[str, Any]:
        """Make a token of a service principal."""
        self.workspace.require_admin()
        if scopes and scopes != ["all-apis"]:
            raise NotServed("laketop's tokens open the whole workspace: it keeps no scopes.")
        if self.workspace.principals.id_of("ServicePrincipals", application_id) is None:
            raise NotFound(f"ServicePrincipal with id {application_id[:50]} not found.")
        issue = self.workspace.services["tokens"].issue  # type: ignore[attr-defined]  # by name
        value, token = issue(application_id, comment, lifetime_seconds)
        return {"token_value": value, "token_info": self._shown(token)}

    def _existing(self, token_id: str) -> Token:
        for one in self.workspace.tokens.all():
            if one.id == token_id and one.kind == "pat":
                return one
        raise ResourceDoesNotExist(f"Token with ID {token_id[:70]} does not exist!")

    def _shown(self, token: Token) -> dict[str, Any]:
        owner = self._id(token.user)
        creator = self._id(token.created_by)
        return {
            "token_id": token.id,
            "comment": token.comment,
            "creation_time": token.created_ms,
            "expiry_time": -1 if token.expires_ms is None else token.expires_ms,
            "created_by_username": token.created_by,
            "workspace_id": int(self.workspace.workspace_id),
            **({} if owner is None else {"owner_id": owner}),
            **({} if creator is None else {"created_by_id": creator}),
        }

    def _id(self, name: str) -> int | None:
        principals = self.workspace.principals
        found = principals.id_of("Users", name)
        return principals.id_of("ServicePrincipals", name) if found is None else found
