"""A wheel under a version of its own for each build: `dynamic_version` of an artifact."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

from laketop.errors import LaketopError

_PARTS = 2
"""Of a wheel's name, before its tags: the distribution and the version."""


def patched_name(wheel: Path) -> str:
    """Return the name of a wheel whose version tells when it was built, in nanoseconds.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     wheel = Path(folder, "shop-1.2-py3-none-any.whl")
    ...     wheel.touch()
    ...     os.utime(wheel, ns=(5, 5))
    ...     patched_name(wheel)
    'shop-1.2+5-py3-none-any.whl'

    Source: Databricks docs, bundle artifacts.
    """
    parts = wheel.name.split("-", _PARTS)
    if len(parts) <= _PARTS or not wheel.is_file():
        return wheel.name  # whoever installs it says what is wrong with it
    name, version, tags = parts
    return f"{name}-{_patched(version, wheel)}-{tags}"


def patched(wheel: Path, folder: Path) -> Path:
    """Return a copy of a wheel in `folder` that is what its `patched_name` says, made if need be.

    Copies of earlier builds go. Errors: LaketopError for a file that is no wheel.
    """
    made = folder / patched_name(wheel)
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    draft = made.with_name(f".{made.name}.new")
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(draft, "w") as target:
            _copy(source, target, wheel)
    except (zipfile.BadZipFile, StopIteration) as error:
        draft.unlink(missing_ok=True)
        raise LaketopError(
            f"{wheel.name!r} is no wheel, and gets no dynamic version", hint="was it built?"
        ) from error
    name, _, tags = wheel.name.split("-", _PARTS)
    for earlier in folder.glob(f"{name}-*-{tags}"):
        earlier.unlink()
    return draft.replace(made)


def _copy(source: zipfile.ZipFile, target: zipfile.ZipFile, wheel: Path) -> None:
    version = _patched(wheel.name.split("-", _PARTS)[1], wheel)
    info = next(
        name.partition("/")[0]
        for name in source.namelist()
        if name.endswith(".dist-info/METADATA") and name.count("/") == 1
    )
    fresh = f"{info.removesuffix('.dist-info').rpartition('-')[0]}-{version}"
    record = io.StringIO()
    lines = csv.writer(record, lineterminator="\n")
    for entry in source.infolist():
        if entry.filename == f"{info}/RECORD" or entry.is_dir():
            continue
        content = source.read(entry)
        if entry.filename == f"{info}/METADATA":
            content = _with_version(content, version)
        for end in (".dist-info", ".data"):
            old = info.removesuffix(".dist-info") + end
            if entry.filename.startswith(f"{old}/"):
                entry.filename = f"{fresh}{end}{entry.filename.removeprefix(old)}"
        target.writestr(entry, content, zipfile.ZIP_DEFLATED)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.writerow([entry.filename, f"sha256={digest}", len(content)])
    lines.writerow([f"{fresh}.dist-info/RECORD", "", ""])
    target.writestr(f"{fresh}.dist-info/RECORD", record.getvalue())


def _with_version(metadata: bytes, version: str) -> bytes:
    head, blank, body = metadata.partition(b"\n\n")
    lines = [
        b"Version: " + version.encode() if line.lower().startswith(b"version:") else line
        for line in head.split(b"\n")
    ]
    return b"\n".join(lines) + blank + body


def _patched(version: str, wheel: Path) -> str:
    # A local version that is there already gives way.
    return f"{version.partition('+')[0]}+{wheel.stat().st_mtime_ns}"
