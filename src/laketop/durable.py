"""Files that are there whole or not at all, also after the process was killed."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import IO


def write_json(target: Path, content: object, *, indent: int | None = None) -> None:
    """Put `content` as JSON at `target`, for its owner alone, with the folders above it.

    Errors: OSError; TypeError for what JSON cannot hold. The target is then as it was.
    """
    text = json.dumps(content, sort_keys=True, indent=indent)
    make_folder(target.parent)
    write(target, text.encode())


def write(target: Path, content: bytes, *, scratch: Path | None = None) -> None:
    """Put `content` at `target`; `scratch` is a folder on the same disk, else the target's own.

    Errors: OSError; the target is then as it was.
    """
    folder = target.parent if scratch is None else scratch
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{target.name[:64]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        move(Path(name), target)
    finally:
        Path(name).unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Move a flushed file to `target`, over what is there; both are on one disk.

    Errors: OSError; the target is then as it was.
    """
    source.replace(target)
    flush_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, flushed to the disk; fine if it exists.

    Errors: FileExistsError or NotADirectoryError if a file is in the way.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush_folder(folder.parent)


def flush(file: IO[bytes]) -> None:
    """Write what is in an open file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Write the names of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
