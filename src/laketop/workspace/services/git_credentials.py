"""What git is shown by the remotes of a user's Git folders."""

from __future__ import annotations

import functools
import random
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist

from laketop.workspace.git import Credential
from laketop.workspace.service import Service, route
from laketop.workspace.vault import Vault


class GitCredentials(Service):
    """A user's own credentials, sealed at rest; their tokens are never told.

    Source: databricks-sdk, `workspace.GitCredentialsAPI`.
    """

    schema = (
        """CREATE TABLE IF NOT EXISTS git_credentials (
            id INTEGER PRIMARY KEY,
            owner TEXT NOT NULL,
            provider TEXT NOT NULL,
            username TEXT NOT NULL,
            sealed BLOB NOT NULL,
            UNIQUE (owner, provider)
        )""",
    )

    @functools.cached_property
    def _vault(self) -> Vault:
        state = self.workspace.state
        return Vault(state / "secrets.key", scratch=state / "uploads")

    @route("POST /api/2.0/git-credentials")
    def create(
        self, git_provider: str, git_username: str = "", personal_access_token: str = ""
    ) -> dict[str, Any]:
        """Keep a credential of the caller, one for each provider."""
        _check(git_provider, personal_access_token)
        if self._of_provider(self.workspace.user, git_provider):
            raise InvalidParameterValue(
                f"Only one Git credential is supported for {git_provider}: update it instead."
            )
        new = random.SystemRandom().randrange(10**14, 10**15)
        sealed = self._vault.seal(f"git/{new}", personal_access_token.encode())
        self.store.execute(
            "INSERT INTO git_credentials (id, owner, provider, username, sealed)"
            " VALUES (?, ?, ?, ?, ?)",
            (new, self.workspace.user, git_provider, git_username, sealed),
        )
        return self.get(new)

    @route("GET /api/2.0/git-credentials")
    def list(self) -> dict[str, Any]:
        """Return the caller's credentials."""
        rows = self._rows("owner = ?", self.workspace.user)
        return {"credentials": [_shown(*row[:3]) for row in rows]}

    @route("GET /api/2.0/git-credentials/{credential_id}")
    def get(self, credential_id: int) -> dict[str, Any]:
        """Return a credential of the caller."""
        return _shown(*self._existing(credential_id)[:3])

    @route("PATCH /api/2.0/git-credentials/{credential_id}")
    def update(
        self,
        credential_id: int,
        git_provider: str,
        git_username: str = "",
        personal_access_token: str = "",
    ) -> None:
        """Replace a credential of the caller."""
        self._existing(credential_id)
        _check(git_provider, personal_access_token)
        others = self._of_provider(self.workspace.user, git_provider)
        if any(row[0] != credential_id for row in others):
            raise InvalidParameterValue(f"There is a Git credential for {git_provider} already.")
        sealed = self._vault.seal(f"git/{credential_id}", personal_access_token.encode())
        self.store.execute(
            "UPDATE git_credentials SET provider = ?, username = ?, sealed = ? WHERE id = ?",
            (git_provider, git_username, sealed, credential_id),
        )

    @route("DELETE /api/2.0/git-credentials/{credential_id}")
    def delete(self, credential_id: int) -> None:
        """Forget a credential of the caller."""
        self._existing(credential_id)
        self.store.execute("DELETE FROM git_credentials WHERE id = ?", (credential_id,))

    def of_caller(self, provider: str) -> Credential | None:
        """Return what the caller shows to a provider, None without a credential for it."""
        return self.of_user(self.workspace.user, provider)

    def of_user(self, user: str, provider: str) -> Credential | None:
        """Return what a user shows to a provider, None without a credential for it."""
        with self.store.reading():
            rows = self._of_provider(user, provider)
        if not rows:
            return None
        id_, _, username, sealed = rows[0]
        return Credential(username or "token", self._vault.open(f"git/{id_}", sealed).decode())

    def _of_provider(self, user: str, provider: str) -> Any:
        """Return a user's credentials for a provider, whatever the case of its name."""
        return self._rows("owner = ? AND lower(provider) = lower(?)", user, provider)

    def _rows(self, condition: str, *values: Any) -> Any:
        return self.store.execute(
            "SELECT id, provider, username, sealed FROM git_credentials"  # noqa: S608 - our own text
            f" WHERE {condition} ORDER BY id",
            values,
        )

    def _existing(self, credential_id: int) -> Any:
        rows = self._rows("owner = ? AND id = ?", self.workspace.user, credential_id)
        if not rows:
            raise ResourceDoesNotExist(f"Git credential {credential_id} does not exist.")
        return rows[0]


def _check(provider: str, token: str) -> None:
    if not provider or not token:
        raise InvalidParameterValue("git_provider and personal_access_token must be given.")


def _shown(id_: int, provider: str, username: str) -> dict[str, Any]:
    return {
        "credential_id": id_,
        "git_provider": provider,
        "git_username": username,
        "is_default_for_provider": True,
    }
