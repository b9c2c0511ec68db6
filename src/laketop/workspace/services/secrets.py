"""Secret scopes and the secrets in them."""

from __future__ import annotations

import base64
import functools
import re
from typing import Literal

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    ResourceExhausted,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.workspace import (
    AclItem,
    AclPermission,
    GetSecretResponse,
    ListAclsResponse,
    ListScopesResponse,
    ListSecretsResponse,
    ScopeBackendType,
    SecretMetadata,
    SecretScope,
)

from laketop.workspace import wire
from laketop.workspace.service import Service, route
from laketop.workspace.vault import Vault

_NAME = re.compile(r"[A-Za-z0-9\-_.]{1,128}")
_LARGEST_VALUE = 128 * 1024
_MOST_SECRETS = 1000
_ORDER = (AclPermission.READ, AclPermission.WRITE, AclPermission.MANAGE)


class Secrets(Service):
    """Secret scopes and their secrets. Source: workspace-api 3.7."""

    schema = (
        """CREATE TABLE IF NOT EXISTS secret_scopes (name TEXT PRIMARY KEY) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS secrets (
            scope TEXT NOT NULL REFERENCES secret_scopes (name) ON DELETE CASCADE,
            key TEXT NOT NULL,
            sealed BLOB NOT NULL,
            changed_ms INTEGER NOT NULL,
            PRIMARY KEY (scope, key)
        ) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS secret_acls (
            scope TEXT NOT NULL REFERENCES secret_scopes (name) ON DELETE CASCADE,
            principal TEXT NOT NULL,
            permission TEXT NOT NULL,
            PRIMARY KEY (scope, principal)
        ) WITHOUT ROWID""",
    )

    @functools.cached_property
    def _vault(self) -> Vault:
        state = self.workspace.state
        return Vault(state / "secrets.key", scratch=state / "uploads")

    @route("POST /api/2.0/secrets/scopes/create")
    def create_scope(
        self,
        scope: str,
        initial_manage_principal: Literal["users"] | None = None,
        scope_backend_type: ScopeBackendType = ScopeBackendType.DATABRICKS,
    ) -> None:
        """Make a scope.

        Errors: ResourceAlreadyExists; NotImplemented for a scope kept elsewhere.
        """
        _check_name("scope", scope)
        if scope_backend_type is not ScopeBackendType.DATABRICKS:
            raise NotServed(f"laketop keeps no scope in {scope_backend_type.value}.")
        if self.store.execute("SELECT 1 FROM secret_scopes WHERE name = ?", (scope,)):
            raise ResourceAlreadyExists(f"Scope {scope} already exists!")
        self.store.execute("INSERT INTO secret_scopes (name) VALUES (?)", (scope,))
        self._put(scope, initial_manage_principal or self.workspace.user, AclPermission.MANAGE)

    @route("GET /api/2.0/secrets/scopes/list")
    def list_scopes(self) -> ListScopesResponse:
        """Return the scopes that the caller may read, by name."""
        found = self.store.execute("SELECT name FROM secret_scopes ORDER BY name")
        rows = [row for row in found if self._allows(row[0], AclPermission.READ)]
        return ListScopesResponse(
            scopes=[SecretScope(name=n, backend_type=ScopeBackendType.DATABRICKS) for (n,) in rows]
        )

    @route("POST /api/2.0/secrets/scopes/delete")
    def delete_scope(self, scope: str) -> None:
        """Delete a scope and all that it holds."""
        self._check_scope(scope, AclPermission.MANAGE)
        self.store.execute("DELETE FROM secret_scopes WHERE name = ?", (scope,))

    @route("POST /api/2.0/secrets/put")
    def put_secret(
        self,
        scope: str,
        key: str,
        string_value: str | None = None,
        bytes_value: str | None = None,
    ) -> None:
        """Keep a secret, over an earlier one; `bytes_value` is base64."""
        _check_name("key", key)
        self._check_scope(scope, AclPermission.WRITE)
        value = _value(string_value, bytes_value)
        held = self.store.execute(
            "SELECT count(*), max(key = ?) FROM secrets WHERE scope = ?", (key, scope)
        )
        count, is_known = held[0]
        if count >= _MOST_SECRETS and not is_known:
            raise ResourceExhausted(f"Scope {scope} holds {_MOST_SECRETS} secrets already.")
        self.store.execute(
            "INSERT OR REPLACE INTO secrets (scope, key, sealed, changed_ms) VALUES (?, ?, ?, ?)",
            (scope, key, self._vault.seal(f"{scope}/{key}", value), self.workspace.now_ms()),
        )

    @route("GET /api/2.0/secrets/get")
    def get_secret(self, scope: str, key: str) -> GetSecretResponse:
        """Return a secret as base64."""
        self._check_scope(scope, AclPermission.READ)
        rows = self.store.execute(
            "SELECT sealed FROM secrets WHERE scope = ? AND key = ?", (scope, key)
        )
        if not rows:
            raise _unknown_secret(scope, key)
        value = self._vault.open(f"{scope}/{key}", rows[0][0])
        return GetSecretResponse(key=key, value=base64.b64encode(value).decode())

    @route("GET /api/2.0/secrets/list")
    def list_secrets(self, scope: str) -> ListSecretsResponse:
        """Return the keys of a scope by name, never values."""
        self._check_scope(scope, AclPermission.READ)
        rows = self.store.execute(
            "SELECT key, changed_ms FROM secrets WHERE scope = ? ORDER BY key", (scope,)
        )
        return ListSecretsResponse(
            secrets=[SecretMetadata(key=k, last_updated_timestamp=ms) for k, ms in rows]
        )

    @route("POST /api/2.0/secrets/delete")
    def delete_secret(self, scope: str, key: str) -> None:
        """Delete a secret."""
        self._check_scope(scope, AclPermission.WRITE)
        rows = self.store.execute(
            "DELETE FROM secrets WHERE scope = ? AND key = ? RETURNING key", (scope, key)
        )
        if not rows:
            raise _unknown_secret(scope, key)

    @route("POST /api/2.0/secrets/acls/put")
    def put_acl(self, scope: str, principal: str, permission: AclPermission) -> None:
        """Let a user, group or service principal do something with a scope, and no more."""
        self._check_scope(scope, AclPermission.MANAGE)
        if not principal:
            raise InvalidParameterValue("Missing required field: principal")
        self._put(scope, principal, permission)

    @route("GET /api/2.0/secrets/acls/get")
    def get_acl(self, scope: str, principal: str) -> AclItem:
        """Return what somebody may do with a scope."""
        self._check_scope(scope, AclPermission.MANAGE)
        found = self._acls(scope).get(principal)
        if found is None:
            raise _unknown_acl(scope, principal)
        return AclItem(principal=principal, permission=found)

    @route("GET /api/2.0/secrets/acls/list")
    def list_acls(self, scope: str) -> ListAclsResponse:
        """Return what each principal may do with a scope."""
        self._check_scope(scope, AclPermission.MANAGE)
        items = [AclItem(principal=w, permission=p) for w, p in self._acls(scope).items()]
        return ListAclsResponse(items=items)

    @route("POST /api/2.0/secrets/acls/delete")
    def delete_acl(self, scope: str, principal: str) -> None:
        """Take from somebody what was given on a scope."""
        self._check_scope(scope, AclPermission.MANAGE)
        gone = self.store.execute(
            "DELETE FROM secret_acls WHERE scope = ? AND principal = ? RETURNING principal",
            (scope, principal),
        )
        if not gone:
            raise _unknown_acl(scope, principal)

    def _put(self, scope: str, principal: str, permission: AclPermission) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO secret_acls (scope, principal, permission) VALUES (?, ?, ?)",
            (scope, principal, permission.value),
        )

    def _acls(self, scope: str) -> dict[str, AclPermission]:
        rows = self.store.execute(
            "SELECT principal, permission FROM secret_acls WHERE scope = ? ORDER BY principal",
            (scope,),
        )
        return {principal: AclPermission(permission) for principal, permission in rows}

    def _allows(self, scope: str, permission: AclPermission) -> bool:
        if self.workspace.is_admin:
            return True
        mine = {self.workspace.user, *self.workspace.groups_of_caller()}
        least = _ORDER.index(permission)
        held = self._acls(scope).items()
        return any(who in mine and _ORDER.index(has) >= least for who, has in held)

    def _check_scope(self, scope: str, permission: AclPermission) -> None:
        if not self.store.execute("SELECT 1 FROM secret_scopes WHERE name = ?", (scope,)):
            raise ResourceDoesNotExist(f"Scope {scope} does not exist!")
        if not self._allows(scope, permission):
            raise PermissionDenied(
                f"User {self.workspace.user} does not have {permission.value} permission on"
                f" scope {scope}."
            )


def _unknown_acl(scope: str, principal: str) -> ResourceDoesNotExist:
    return ResourceDoesNotExist(f"Failed to get secret acl for {principal[:200]} on scope {scope}.")


def _unknown_secret(scope: str, key: str) -> ResourceDoesNotExist:
    return ResourceDoesNotExist(f"Failed to get secret {key} for scope {scope}.")


def _check_name(field: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            f"The {field} {name[:150]!r} is not 1 to 128 letters, digits, '-', '_' or '.'."
        )


def _value(string_value: str | None, bytes_value: str | None) -> bytes:
    if (string_value is None) == (bytes_value is None):
        raise BadRequest("Exactly one of string_value and bytes_value must be given.")
    value = (
        string_value.encode()
        if string_value is not None
        else wire.bytes_of("bytes_value", bytes_value or "")
    )
    if len(value) > _LARGEST_VALUE:
        raise InvalidParameterValue(f"The value is larger than {_LARGEST_VALUE} bytes.")
    return value
