"""The tree of workspace objects on disk: which file is a notebook, and what it is called."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.workspace import Language, ObjectInfo, ObjectType

from laketop.workspace.paths import confined

HEADERS = {
    ".py": "# Databricks notebook source",
    ".sql": "-- Databricks notebook source",
    ".scala": "// Databricks notebook source",
    ".r": "# Databricks notebook source",
}
"""The first line that makes a source file a notebook."""

SUFFIXES = {
    Language.PYTHON: ".py",
    Language.SQL: ".sql",
    Language.SCALA: ".scala",
    Language.R: ".r",
}
_LANGUAGES = {suffix: language for language, suffix in SUFFIXES.items()}
_NOTEBOOKS = (*HEADERS, ".ipynb")


@dataclasses.dataclass(frozen=True)
class WorkspaceObject:
    """A file or folder of the tree; `path` is as answers show it, in the short form."""

    path: str
    file: Path
    kind: Literal["DIRECTORY", "NOTEBOOK", "FILE"]

    @property
    def language(self) -> Language | None:
        """The language of a notebook."""
        if self.kind != "NOTEBOOK":
            return None
        return _LANGUAGES.get(self.file.suffix.lower(), Language.PYTHON)

    @property
    def info(self) -> ObjectInfo:
        """The object as the API shows it. Source: the SDK's `workspace.ObjectInfo`."""
        found = self.file.stat()
        number = number_of(self.path)
        modified = found.st_mtime_ns // 1_000_000
        is_file = self.kind == "FILE"
        return ObjectInfo(
            object_type=ObjectType(self.kind),
            path=self.path,
            object_id=number,
            resource_id=str(number),
            language=self.language,
            modified_at=modified if is_file else None,
            created_at=modified if is_file else None,
            size=found.st_size if is_file else None,
        )


def number_of(path: str) -> int:
    """Return the id of what is at a path, in the short form: ids are made of paths."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:6], "big")


class Tree:
    """The objects below one folder of the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def short(self, path: str) -> str:
        """Return a path in the short form: `/Workspace/Users/x` is `/Users/x`.

        Errors: InvalidParameterValue for a path that is not absolute.
        """
        if not path.startswith("/"):
            raise InvalidParameterValue(f"Path ({path[:200]}) must be absolute.")
        names = [name for name in path.split("/") if name]
        return "/" + "/".join(names[1:] if names[:1] == ["Workspace"] else names)

    def place(self, path: str) -> Path:
        """Return where a path lies on disk, as it is spelt."""
        return confined(self.root, self.short(path))

    def find(self, path: str) -> WorkspaceObject | None:
        """Return the object at `path`; a notebook is found with and without its extension."""
        short, place = self.short(path), self.place(path)
        if place.exists():
            return _object(short, place)
        for suffix in _NOTEBOOKS:
            candidate = place.with_name(place.name + suffix)
            if short != "/" and is_notebook(candidate):
                return WorkspaceObject(short, candidate, "NOTEBOOK")
        return None

    def existing(self, path: str) -> WorkspaceObject:
        """Return the object at `path`.

        Errors: ResourceDoesNotExist.
        """
        found = self.find(path)
        if found is None:
            raise ResourceDoesNotExist(f"Path ({self.short(path)}) doesn't exist.")
        return found

    def children(self, folder: WorkspaceObject) -> Iterator[WorkspaceObject]:
        """Yield what a folder holds, by name; links are left out."""
        with os.scandir(folder.file) as entries:
            names = sorted(entry.name for entry in entries if not entry.is_symlink())
        for name in names:
            yield _object(f"{folder.path.rstrip('/')}/{name}", folder.file / name)

    def below(self, one: WorkspaceObject) -> Iterator[WorkspaceObject]:
        """Yield an object and all that is below it; links are left out."""
        yield one
        if one.kind == "DIRECTORY":
            for child in self.children(one):
                yield from self.below(child)


def _object(path: str, file: Path) -> WorkspaceObject:
    if file.is_dir():
        return WorkspaceObject(path, file, "DIRECTORY")
    if is_notebook(file):
        return WorkspaceObject(path.removesuffix(file.suffix), file, "NOTEBOOK")
    return WorkspaceObject(path, file, "FILE")


def is_notebook(file: Path) -> bool:
    """Tell whether a file is a notebook: by its name, or by its first line."""
    if not file.is_file() or file.suffix.lower() not in _NOTEBOOKS:
        return False
    if file.suffix.lower() == ".ipynb":
        return True
    with file.open("rb") as stream:
        return has_header(file.suffix, stream.readline(200))


def has_header(suffix: str, content: bytes) -> bool:
    """Tell whether the first line of a source is that of a notebook."""
    line = content.partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf").rstrip()
    return line == HEADERS.get(suffix.lower(), "\n").encode()
