"""Who is signed in to the page: links that work once, and the cookies that they give."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import threading
from collections.abc import Callable

LINK_MS = 10 * 60_000
"""How long a link that nobody has used works."""
SESSION_MS = 12 * 3_600_000
"""How long a browser stays signed in."""

_MOST = 1000


@dataclasses.dataclass(frozen=True)
class _Grant:
    token: str
    until_ms: int


class Sessions:
    """The links and cookies of this process; all of them end with it.

    Each lives as long as the token of whom asked for the link: `workspace_of` tells which
    workspace a token opens, None once it is no more. Only digests of links and cookies are kept.
    Times are those of the machine, not of a workspace's clock, which can be moved.
    """

    def __init__(
        self, workspace_of: Callable[[str], str | None], now_ms: Callable[[], int]
    ) -> None:
        self._workspace_of = workspace_of
        self._now_ms = now_ms
        self._guard = threading.Lock()
        self._links: dict[str, _Grant] = {}
        self._cookies: dict[str, _Grant] = {}

    def link(self, token: str) -> str:
        """Return the secret of a link that signs the holder of `token` in, once."""
        return self._granted(self._links, token, LINK_MS)

    def enter(self, link: str) -> str | None:
        """Return the value of a cookie for the secret of a link; None for one that is used up."""
        with self._guard:
            grant = self._links.pop(_digest(link), None)
        if grant is None or not self._is_valid(grant):
            return None
        return self._granted(self._cookies, grant.token, SESSION_MS)

    def bearer(self, cookie: str) -> str | None:
        """Return the token that a cookie stands for, None if it signs nobody in."""
        grant = self._cookies.get(_digest(cookie))
        return grant.token if grant is not None and self._is_valid(grant) else None

    def _is_valid(self, grant: _Grant) -> bool:
        return self._now_ms() < grant.until_ms and self._workspace_of(grant.token) is not None

    def _granted(self, grants: dict[str, _Grant], token: str, lasts_ms: int) -> str:
        secret, now_ms = secrets.token_urlsafe(32), self._now_ms()
        with self._guard:
            for key in [key for key, one in grants.items() if one.until_ms <= now_ms]:
                del grants[key]
            while len(grants) >= _MOST:
                del grants[next(iter(grants))]
            grants[_digest(secret)] = _Grant(token, now_ms + lasts_ms)
        return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
