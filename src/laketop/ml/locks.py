"""The lock of a model: every package that it was made with, pinned, with the hashes of its files.

A lock is what `uv pip compile --generate-hashes` or `pip-compile --generate-hashes` writes. A
project ships one; training logs it beside the model if, and only if, it tells the truth about the
environment that trained.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import metadata

LOCK_FILE = "requirements.lock"
LOCK_TAG = "requirements_lock"

_REQUIRE = ("--requirement", "--editable")  # options that require more than the lock says
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*(\\|$)")


def pins(lock: str) -> dict[str, str]:
    """Return package and version of every requirement of `lock` that applies here.

    Errors: ValueError for a requirement without a hash, or a line that is no pin.
    """
    return {name: version for name, version, _ in _requirements(lock)}


def differences(lock: str) -> list[str]:
    """Return what is installed here otherwise than `lock` says, one sentence a package.

    Errors: those of `pins`.
    """
    found = []
    for name, version in pins(lock).items():
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            found.append(f"{name} is not installed here, {version} in the lock")
        else:
            if here != version:
                found.append(f"{name} is {here} here, {version} in the lock")
    return found


def lock_tag(lock: str) -> str:
    """Return what the tag `requirements_lock` says: the sha256 of `lock`, or what differs here.

    >>> lock_tag("no-such-package==1 --hash=sha256:0")
    'differs: no-such-package is not installed here, 1 in the lock'
    """
    found = differences(lock)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return "differs: " + "; ".join(found[:3]) + more
    return hashlib.sha256(lock.encode("utf-8")).hexdigest()


def _requirements(lock: str) -> Iterator[tuple[str, str, str]]:
    from packaging.markers import Marker

    for line in lock.replace("\\\n", " ").splitlines():
        text = line.partition("#")[0].strip()
        if not text or (text.startswith("--") and not text.startswith(_REQUIRE)):
            continue
        pin, _, hashes = text.partition("--hash=")
        match = _PIN.match(pin.strip())
        if match is None:
            raise ValueError(f"{pin.strip()!r} in the lock is no pinned requirement")
        if not hashes:
            raise ValueError(f"{pin.strip()!r} in the lock has no hash")
        if match[3] is None or Marker(match[3]).evaluate():
            yield match[1], match[2], hashes
