"""Whose a token is, and of which workspace: digests of tokens are kept, never the tokens."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from laketop.settings import FIRST_WORKSPACE
from laketop.workspace.clock import Clock, wall_ms
from laketop.workspace.store import Store

_COLLECTION = "tokens"
_TOKEN_BYTES = 32


@dataclasses.dataclass(frozen=True)
class Token:
    """What is known of a token. Units: ms since 1970.

    `id` is its SHA-256; a `kind` of `own` is laketop's, `pat` a person's, `oauth` an OAuth
    client's, `task` that of the processes of one workspace process. A person's token ends by the
    workspace's clock, that of an OAuth client by the machine's, as the client reckons.
    """

    id: str
    user: str
    kind: str = "own"
    comment: str = ""
    created_by: str = ""
    created_ms: int = 0
    expires_ms: int | None = None
    workspace: str = FIRST_WORKSPACE
    """The name of the one workspace that it opens."""


@dataclasses.dataclass
class _Known:
    """What is remembered of the store, for the tokens of every workspace."""

    tokens: dict[str, Token] = dataclasses.field(default_factory=dict)
    suspended: frozenset[str] = frozenset()
    clocks: dict[str, Clock] = dataclasses.field(default_factory=dict)
    """The clock of each workspace, by which the tokens of it end."""


class Tokens:
    """The tokens that open one workspace, each of one user; `within` are those of another.

    `changed` is called after every change that is committed, in whichever workspace; `now_ms` is
    the clock of the first workspace.
    """

    def __init__(
        self,
        store: Store,
        *,
        now_ms: Clock = wall_ms,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._changed = changed
        self._workspace = FIRST_WORKSPACE
        self._known = _Known()
        self._reading = threading.Lock()
        self._read()

    def within(self, workspace: str, now_ms: Clock | None = None) -> Tokens:
        """Return the tokens of another workspace, out of the same store; `now_ms` is its clock."""
        if now_ms is not None:
            self._known.clocks[workspace] = now_ms
        other = copy.copy(self)
        other._workspace = workspace  # noqa: SLF001 - one of our own
        return other

    def issue(self, user: str, **more: Any) -> str:
        """Return a new token of `user`: 256 random bits, as URL-safe text."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self.add(token, user, **more)
        return token

    def add(self, token: str, user: str, **more: Any) -> Token:
        """Let `token` speak for `user`; `more` are fields of `Token`."""
        found = Token(id=_digest(token), user=user, workspace=self._workspace, **more)
        with self._store.writing():
            self._purge()
            self._store.table(_COLLECTION)[found.id] = dataclasses.asdict(found)
            self._reread()
        return found

    def all(self) -> Iterable[Token]:
        """Return the tokens of this workspace that are valid, whoever they belong to."""
        return [one for one in self._valid() if one.workspace == self._workspace]

    def open(self) -> Iterable[Token]:
        """Return the tokens that open a workspace now, any: valid, and of nobody suspended."""
        return [one for one in self._valid() if one.user not in self._known.suspended]

    def _valid(self) -> Iterable[Token]:
        return [one for one in self._known.tokens.values() if not self._is_over(one)]

    def revoke(self, id_: str) -> None:
        """Forget a token: from the next request on it is unknown."""
        self._drop(lambda one: one.id == id_)

    def forget(self, user: str) -> None:
        """Forget every token of a user, in every workspace."""
        self._drop(lambda one: one.user == user)

    def revoke_kind(self, kind: str) -> None:
        """Forget every token of a kind, in every workspace."""
        self._drop(lambda one: one.kind == kind)

    def comment(self, id_: str, comment: str) -> None:
        """Change the comment of a token."""
        with self._store.writing():
            changed = dataclasses.replace(self._known.tokens[id_], comment=comment)
            self._store.table(_COLLECTION)[id_] = dataclasses.asdict(changed)
            self._reread()

    def revoke_all(self) -> None:
        """Forget every token of this workspace: from the next request on they are unknown."""
        self._drop(lambda one: one.workspace == self._workspace)

    def suspend(self, users: Iterable[str]) -> None:
        """Let the tokens of exactly these users open nothing, for as long as it lasts."""
        self._known.suspended = frozenset(users)

    def user_of(self, token: str) -> str | None:
        """Return the user whom `token` speaks for, None for one that does not open this workspace.

        A token of another workspace does not.
        """
        found = self._found(token)
        return found.user if found is not None and found.workspace == self._workspace else None

    def workspace_of(self, token: str) -> str | None:
        """Return the name of the workspace that `token` opens, None for one that opens nothing."""
        found = self._found(token)
        return None if found is None else found.workspace

    def _found(self, token: str) -> Token | None:
        digest = _digest(token)
        found: Token | None = None
        for known, one in self._known.tokens.items():
            if hmac.compare_digest(known, digest):
                found = one
        if found is None or self._is_over(found) or found.user in self._known.suspended:
            return None
        return found

    def _is_over(self, token: Token) -> bool:
        if token.expires_ms is None:
            return False
        clock = self._known.clocks.get(token.workspace, self._now_ms)
        now_ms = wall_ms() if token.kind == "oauth" else clock()
        return now_ms >= token.expires_ms

    def _drop(self, test: Callable[[Token], bool]) -> None:
        with self._store.writing():
            kept = self._store.table(_COLLECTION)
            for id_, one in list(self._known.tokens.items()):
                if test(one):
                    kept.pop(id_, None)
            self._reread()

    def _purge(self) -> None:
        """Forget the tokens of OAuth clients that are over: clients ask for new ones for ever."""
        kept = self._store.table(_COLLECTION)
        for id_, one in self._known.tokens.items():
            if one.kind == "oauth" and self._is_over(one):
                kept.pop(id_, None)

    def _reread(self) -> None:
        def read() -> None:
            self._read()
            self._changed()

        self._store.after_commit(read)

    def _read(self) -> None:
        # One after the other: what was read before a change may not be kept after it.
        with self._reading, self._store.reading():
            rows = dict(self._store.table(_COLLECTION))
            self._known.tokens = {id_: _token(id_, kept) for id_, kept in rows.items()}


def _token(id_: str, kept: str | Mapping[str, Any]) -> Token:
    # Earlier versions kept the name of the user alone.
    return Token(id=id_, user=kept) if isinstance(kept, str) else Token(**kept)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
