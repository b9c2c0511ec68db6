"""Links that carry their own permission: one path, one user, until a time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

_USER, _UNTIL, _SIGNATURE = "laketop-user", "laketop-until", "laketop-signature"


class Links:
    """Signs and checks links of this process; a link ends with the process at the latest."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def signed(self, method: str, path: str, *, user: str, until_ms: int) -> str:
        """Return `path` with a query that lets its bearer send `method` to it as `user`."""
        given = {_USER: user, _UNTIL: str(until_ms)}
        signature = self._signature(method, path, given)
        return f"{path}?{urlencode({**given, _SIGNATURE: signature})}"

    @staticmethod
    def is_one(query: Mapping[str, str]) -> bool:
        """Tell whether a request claims to come by a link, be it a true one or not."""
        return _SIGNATURE in query

    def user_of(
        self, method: str, path: str, query: Mapping[str, str], *, now_ms: int
    ) -> str | None:
        """Return the user whom a signed request speaks for; None unless it is one, and in time."""
        given = {name: query.get(name, "") for name in (_USER, _UNTIL)}
        expected = self._signature(method, path, given)
        given_signature = query.get(_SIGNATURE, "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(expected.encode(), given_signature):
            return None
        return given[_USER] if now_ms <= int(given[_UNTIL]) else None

    def _signature(self, method: str, path: str, given: Mapping[str, str]) -> str:
        text = "\n".join((method, path, given[_USER], given[_UNTIL]))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
