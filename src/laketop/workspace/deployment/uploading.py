"""Brings a bundle's files and libraries to a workspace; only what changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from laketop.bundle import Bundle, Upload, files_of, is_notebook, patched
from laketop.errors import ConfigError
from laketop.workspace.deployment.folders import DiskFolder, Folder
from laketop.workspace.deployment.site import Site

_NOTEBOOK = "notebook:"
"""Before the digest of a file that a workspace takes as a notebook."""


def upload(bundle: Bundle, site: Site) -> int:
    """Bring libraries and files to where jobs look for them; return how many were sent.

    Errors: ConfigError for a library that no file matches.
    """
    for library in bundle.uploads:
        if library.is_pattern:
            raise ConfigError(
                f"no file matches the library {library.local!r}",
                file=library.place.file,
                line=library.place.line,
                hint="build it first, or name its build command under `artifacts`",
            )
    if isinstance(site.folder, DiskFolder):
        return _onto_disk(bundle, site.folder)
    return _over_rest(bundle, site.folder)


def _onto_disk(bundle: Bundle, folder: DiskFolder) -> int:
    libraries = {folder.place(one.remote): _library(bundle, one) for one in bundle.uploads}
    sent = sum(_copy(file, remote) for remote, file in libraries.items())
    for left in [file for home in {one.parent for one in libraries} for file in home.iterdir()]:
        if left.is_file() and left not in libraries:  # of an earlier build
            left.unlink()
    place = folder.place(bundle.workspace.file_path)
    if bundle.source_linked or place.resolve() == bundle.sync.root.resolve():
        return sent  # jobs run in the project itself
    names = {_name(bundle, file): file for file in files_of(bundle)}
    # What is gone goes first: a file may have become a folder.
    for home, _, files in os.walk(place, topdown=False):
        for file in files:
            if Path(home, file).relative_to(place).as_posix() not in names:
                Path(home, file).unlink()
        with contextlib.suppress(OSError):
            Path(home).rmdir()
    return sent + sum(_copy(file, place / name) for name, file in sorted(names.items()))


def _library(bundle: Bundle, library: Upload) -> Path:
    """Return the file that is uploaded: the library itself, or a copy with a dynamic version."""
    local = Path(library.local)
    if local.name == library.remote.rpartition("/")[2]:
        return local
    return patched(local, bundle.root / ".databricks/bundle" / bundle.target / "patched_wheels")


def _name(bundle: Bundle, file: Path) -> str:
    return file.relative_to(bundle.sync.root).as_posix()


def _copy(source: Path, destination: Path) -> bool:
    told = source.stat()
    with contextlib.suppress(OSError):
        there = destination.stat()
        if (there.st_size, there.st_mtime_ns) == (told.st_size, told.st_mtime_ns):
            return False
    destination.parent.mkdir(parents=True, exist_ok=True)
    fresh = destination.with_name(f".{destination.name}.new")
    shutil.copy2(source, fresh)
    fresh.replace(destination)
    return True


def _over_rest(bundle: Bundle, folder: Folder) -> int:
    """Send what the last deployment did not send in the same form, and delete what is gone.

    What was sent is told in `deployment.json`, by digest.
    Source: Databricks docs, bundle commands; databricks-sdk.
    """
    record = f"{bundle.workspace.state_path}/deployment.json"
    before = _record(folder, record)
    wanted = dict(_files(bundle))
    digests = {path: _digest(file) for path, file in wanted.items()}
    changed = [path for path in wanted if before.get(path) != digests[path]]
    gone = [path for path in before if path not in wanted]
    if not changed and not gone:
        return 0
    for path in sorted(gone):
        # A notebook is shown without its extension.
        folder.remove(path.rpartition(".")[0] if before[path].startswith(_NOTEBOOK) else path)
    for path in sorted(changed):
        folder.write(path, wanted[path].read_bytes())
    files = [
        {
            "local_path": os.path.relpath(wanted[path], bundle.root),
            "is_notebook": digest.startswith(_NOTEBOOK),
            "path": path,
            "sha256": digest,
        }
        for path, digest in sorted(digests.items())
    ]
    content: dict[str, Any] = {"version": 1, "files": files}
    folder.write(record, json.dumps(content, indent=1).encode())
    return len(changed)


def _files(bundle: Bundle) -> Iterator[tuple[str, Path]]:
    for library in bundle.uploads:
        yield library.remote, _library(bundle, library)
    for file in files_of(bundle):
        yield f"{bundle.workspace.file_path}/{_name(bundle, file)}", file


def _record(folder: Folder, path: str) -> Mapping[str, str]:
    try:
        files = json.loads(folder.read(path) or b"{}").get("files", ())
        return {str(one["path"]): str(one["sha256"]) for one in files}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # of another tool, or cut: everything is sent anew


def _digest(file: Path) -> str:
    mark = _NOTEBOOK if is_notebook(file) else ""
    return mark + hashlib.sha256(file.read_bytes()).hexdigest()
