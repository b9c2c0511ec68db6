"""Faults on purpose: rules by which requests of a token are answered late, wrongly or not at all.

Without `--faults` there are none, and no route that makes them. Source: reliability, fault rules.
"""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

_PATTERN = re.compile(r"(\*|[A-Z]+) (/[^ *]*)(\*?)")
_LONGEST_DELAY_SECONDS = 600
_CODES = {
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """What befalls some of a token's requests."""

    request: str
    """`METHOD /path`; `*` is every method, and at the end of a path whatever follows."""
    status: int | None = None
    """The status of the answer, 400 to 599; None for the answer as it is."""
    body: Mapping[str, Any] | None = None
    """The answer beside the status; an error that says so where it is left out."""
    lost: bool = False
    """The connection ends without an answer."""
    kill: bool = False
    """The process that asks is killed. Only on Linux."""
    after: bool = False
    """Whether the request is carried out first."""
    delay_seconds: float = 0.0
    skip: int = 0
    """How many requests pass before the first."""
    times: int = 1
    """How many are met."""

    def __post_init__(self) -> None:
        """Refuse what cannot be. Errors: InvalidParameterValue that names the field."""
        if not _PATTERN.fullmatch(self.request):
            raise InvalidParameterValue(
                f"request is 'METHOD /path', with * for any method or at the end of the path, not"
                f" {self.request[:200]!r}."
            )
        if self.status is not None and not 400 <= self.status <= 599:
            raise InvalidParameterValue(f"status is 400 to 599, not {self.status}.")
        if self.body is not None and self.status is None:
            raise InvalidParameterValue("a body needs a status.")
        if (self.status is not None) + self.lost + self.kill > 1:
            raise InvalidParameterValue("status, lost and kill do not mix.")
        if self.skip < 0 or self.times < 1:
            raise InvalidParameterValue("skip is 0 at least, and times is 1 at least.")
        if not 0 <= self.delay_seconds <= _LONGEST_DELAY_SECONDS:
            raise InvalidParameterValue(f"delay_seconds is 0 to {_LONGEST_DELAY_SECONDS}.")
        if self.kill and not Path("/proc/net/tcp").exists():
            raise NotServed("laketop kills the process that asks only on Linux.")

    def meets(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those meant."""
        found = _PATTERN.fullmatch(self.request)
        if found is None or found[1] not in {"*", method}:
            return False
        return path.startswith(found[2]) if found[3] else path == found[2]

    @property
    def is_answer(self) -> bool:
        """Whether nothing else answers the request."""
        return self.status is not None or self.lost or self.kill

    def told(self) -> Mapping[str, Any]:
        """Return the body of the answer that the fault gives."""
        if self.body is not None:
            return self.body
        code = _CODES.get(self.status or 0, "INTERNAL_ERROR")
        return {"error_code": code, "message": f"A fault rule for '{self.request}' answers so."}


class Faults:
    """The rules of each token, in the order in which they were made, and how often each has met."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._rules: dict[str, list[tuple[Fault, list[int]]]] = {}

    def add(self, token: str, fault: Fault) -> None:
        """Let a fault befall the requests of a token from now on."""
        with self._guard:
            self._rules.setdefault(token, []).append((fault, [0]))

    def of(self, token: str) -> list[tuple[Fault, int]]:
        """Return the rules of a token, each with how many requests it has counted."""
        with self._guard:
            return [(fault, counted[0]) for fault, counted in self._rules.get(token, ())]

    def clear(self, token: str) -> None:
        """Let nothing befall a token any more."""
        with self._guard:
            self._rules.pop(token, None)

    def met(self, token: str, method: str, path: str) -> Fault | None:
        """Return what befalls a request: the first rule that means it and is not used up."""
        with self._guard:
            for fault, counted in self._rules.get(token, ()):
                if fault.meets(method, path) and counted[0] < fault.skip + fault.times:
                    counted[0] += 1
                    if counted[0] > fault.skip:
                        return fault
        return None


def kill_caller(port: int) -> None:
    """Kill the process of this machine that speaks from a port of loopback, but not this one."""
    pid = _process_of(port)
    if pid not in {None, os.getpid()}:
        os.kill(int(pid or 0), signal.SIGKILL)


def _process_of(port: int) -> int | None:
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    open_ = [line.split() for line in lines]
    sockets = {f"socket:[{one[9]}]" for one in open_ if one[1].endswith(f":{port:04X}")}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if any(str(one.readlink()) in sockets for one in (entry / "fd").iterdir()):
                return int(entry.name)
        except OSError:  # it has ended meanwhile, or is somebody else's
            continue
    return None
