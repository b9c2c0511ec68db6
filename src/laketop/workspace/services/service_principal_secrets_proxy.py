"""Secrets of service principals, for which OAuth clients are given tokens."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from typing import Any

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.settings import FIRST_WORKSPACE
from laketop.workspace.clock import wall_ms
from laketop.workspace.kept import iso
from laketop.workspace.service import Service, route

_SECRETS = "/api/2.0/accounts/servicePrincipals/{service_principal_id}/credentials/secrets"
_MOST_SECRETS = 5
_LONGEST_SECONDS = 730 * 24 * 3600


class ServicePrincipalSecretsProxy(Service):
    """At most five secrets of each service principal, kept as digests.

    They end by the machine's clock, as OAuth clients reckon.
    Source: databricks-sdk, `oauth2.ServicePrincipalSecretsProxyAPI`.
    """

    shared = True

    schema = (
        """CREATE TABLE IF NOT EXISTS service_principal_secrets (
            id TEXT PRIMARY KEY,
            principal INTEGER NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
            digest TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            expires_ms INTEGER NOT NULL
        )""",
    )

    @route(f"POST {_SECRETS}")
    def create(
        self,
        service_principal_id: str,
        lifetime: str | None = None,
        scopes: list[str] | None = None,
    ) -> dict[str, Any]:
        """Make a secret; its value is told this once."""
        self.workspace.require_admin()
        if scopes and scopes != ["all-apis"]:
            raise NotServed("laketop's tokens open the whole workspace: it keeps no scopes.")
        self.workspace.principals.get("ServicePrincipals", service_principal_id)
        if len(self._rows(service_principal_id)) >= _MOST_SECRETS:
            raise BadRequest(
                f"A service principal has at most {_MOST_SECRETS} secrets.",
                error_code="QUOTA_EXCEEDED",
            )
        now = wall_ms()
        value = f"dose{secrets.token_hex(32)}"
        row = (str(uuid.uuid4()), int(service_principal_id), _digest(value), now)
        self.store.execute(
            "INSERT INTO service_principal_secrets (id, principal, digest, created_ms, expires_ms)"
            " VALUES (?, ?, ?, ?, ?)",
            (*row, now + _seconds(lifetime) * 1000),
        )
        self.table("workspaces")[row[0]] = self.workspace.asked.name
        made = next(one for one in self._rows(service_principal_id) if one[0] == row[0])
        return {**_shown(*made), "secret": value}

    @route(f"GET {_SECRETS}")
    def list(self, service_principal_id: str) -> dict[str, Any]:
        """Return what is known of the secrets, never their values."""
        self.workspace.require_admin()
        self.workspace.principals.get("ServicePrincipals", service_principal_id)
        return {"secrets": [_shown(*row) for row in self._rows(service_principal_id)]}

    @route(f"DELETE {_SECRETS}/{{secret_id}}")
    def delete(self, service_principal_id: str, secret_id: str) -> None:
        """Forget a secret; tokens that were given for it last out their hour."""
        self.workspace.require_admin()
        self.workspace.principals.get("ServicePrincipals", service_principal_id)
        gone = self.store.execute(
            "DELETE FROM service_principal_secrets WHERE id = ? AND principal = ? RETURNING id",
            (secret_id, int(service_principal_id)),
        )
        if not gone:
            raise NotFound(f"Secret {secret_id[:50]} does not exist.")
        self.table("workspaces").pop(secret_id, None)

    def opens(self, application_id: str, secret: str) -> str | None:
        """Return the name of the workspace that a secret opens, None for one that is not valid.

        It is the one in which the secret was made. To be called inside a transaction.
        """
        principal = self.workspace.principals.id_of("ServicePrincipals", application_id)
        digest, opened = _digest(secret), None
        for id_, _created, expires_ms, kept in self._rows(str(principal or 0)):
            if hmac.compare_digest(kept, digest) and wall_ms() < expires_ms:
                opened = self._workspace_of(id_)
        return opened

    def forget_workspace(self, name: str) -> None:
        """Forget every secret that was made in a workspace, inside a transaction."""
        made_in = self.table("workspaces")
        for secret_id in [one for one, where in made_in.items() if where == name]:
            del made_in[secret_id]
            self.store.execute("DELETE FROM service_principal_secrets WHERE id = ?", (secret_id,))

    def _workspace_of(self, secret_id: str) -> str:
        # Earlier versions had one workspace, and did not write down which.
        return str(self.table("workspaces").get(secret_id, FIRST_WORKSPACE))

    def _rows(self, principal: str) -> Any:
        return self.store.execute(
            "SELECT id, created_ms, expires_ms, digest FROM service_principal_secrets"
            " WHERE principal = ? ORDER BY created_ms, id",
            (int(principal),),
        )


def _shown(id_: str, created_ms: int, expires_ms: int, digest: str) -> dict[str, Any]:
    return {
        "id": id_,
        "secret_hash": digest,
        "create_time": iso(created_ms),
        "update_time": iso(created_ms),
        "expire_time": iso(expires_ms),
        "status": "ACTIVE" if wall_ms() < expires_ms else "EXPIRED",
    }


def _seconds(lifetime: str | None) -> int:
    if lifetime is None:
        return _LONGEST_SECONDS
    found = re.fullmatch(r"([0-9]{1,9})s", lifetime)
    if found is None or not 0 < int(found[1]) <= _LONGEST_SECONDS:
        raise InvalidParameterValue(
            f"The lifetime {lifetime[:50]!r} is not seconds, as 3600s, of at most two years."
        )
    return int(found[1])


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
