"""Who a token belongs to: the workspace keeps digests of tokens, never the tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from laketop.workspace.store import Store

_COLLECTION = "tokens"
_TOKEN_BYTES = 32


class Tokens:
    """The tokens that open this workspace, each of one user."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction(write=False):
            self._users: dict[str, str] = dict(store.table(_COLLECTION))

    def issue(self, user: str) -> str:
        """Return a new token of `user`: 256 random bits, as URL-safe text."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self.add(token, user)
        return token

    def add(self, token: str, user: str) -> None:
        """Let `token` speak for `user`."""
        with self._store.transaction(write=True):
            self._store.table(_COLLECTION)[_digest(token)] = user
        self._users = {**self._users, _digest(token): user}

    def revoke_all(self) -> None:
        """Forget every token: from the next request on they are unknown."""
        with self._store.transaction(write=True):
            self._store.table(_COLLECTION).clear()
        self._users = {}

    def user_of(self, token: str) -> str | None:
        """Return the user whom `token` speaks for, None for an unknown token."""
        digest = _digest(token)
        found: str | None = None
        for known, user in self._users.items():
            if hmac.compare_digest(known, digest):
                found = user
        return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
