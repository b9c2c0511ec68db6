"""The names that files have in a workspace, and the places on disk that they stand for."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from laketop.settings import metastore_folder

NOTEBOOK_SUFFIXES = (".py", ".ipynb", ".sql", ".scala", ".r")
_BUNDLE_FILES = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")
_VOLUME_DEPTH = 3
_stat, _readlink = os.stat, os.readlink  # the system's own, whatever is put over them later


@dataclasses.dataclass(frozen=True, kw_only=True)
class Places:
    """Where the trees of the workspace are on disk."""

    files: Path
    """The /Workspace tree."""
    lake: Path
    """Catalogs; a volume's files are at <catalog>/<schema>/_files/<volume>."""
    dbfs: Path
    """The dbfs:/ tree."""

    @property
    def datasets(self) -> Path:
        """What `/databricks-datasets` shows: each set is there once Spark has read it."""
        return self.lake / ".datasets"

    @classmethod
    def of_state(cls, state: Path) -> Places:
        """Return the places of the workspace whose folder is `state`; only its files are its own.

        Catalogs and dbfs:/ are those of the metastore, which the engine knows.
        """
        shared = metastore_folder(state)
        return cls(files=state / "files", lake=shared / "catalog", dbfs=shared / "dbfs")

    def file(self, path: str) -> Path:
        """Return the place of a path as plain Python file calls spell it.

        `/Volumes/..` is a volume where one of that name exists, `/Workspace/..` and `/dbfs/..`
        are the trees of the workspace; any other path, also below `/Workspace`, is itself.
        """
        path = re.sub("//+", "/", path)
        if path.startswith("/Volumes/"):
            return self.volume(path) or Path(path)
        if path == "/dbfs" or path.startswith("/dbfs/"):
            below = path.removeprefix("/dbfs")
            return self.file(below) if below.startswith("/Volumes/") else self.dbfs / below[1:]
        return self._workspace(path)

    def volume(self, path: str) -> Path | None:
        """Return the place of `/Volumes/<catalog>/<schema>/<volume>/..`, None if there is none."""
        names = [name for name in path.split("/") if name not in {"", "."}][1:]
        if len(names) < _VOLUME_DEPTH or ".." in names[:_VOLUME_DEPTH]:
            return None
        catalog, schema, volume, *rest = names
        home = self.lake / catalog / schema
        if not _exists(f"{home}/_volumes/{volume}.json"):
            return None
        top = _behind(home / "_files" / volume)
        place = top.joinpath(*rest)
        inside = Path(_collapse(str(place))).is_relative_to(top)
        return place if inside else None

    def above_volumes(self, path: str) -> list[Path] | None:
        """Return the catalogs, schemas or volumes below `/Volumes[/<catalog>[/<schema>]]`.

        Each as a folder of its name, whatever is in it; None for any other path, and for a
        catalog or schema that is not there.
        """
        names = [name for name in path.split("/") if name not in {"", "."}]
        if names[:1] != ["Volumes"] or len(names) > _VOLUME_DEPTH or ".." in names:
            return None
        home = self.lake.joinpath(*names[1:])
        if not home.is_dir():
            return None
        if len(names) == _VOLUME_DEPTH:
            found = [home / "_files" / file.stem for file in (home / "_volumes").glob("*.json")]
        else:
            found = [place for place in home.iterdir() if place.is_dir()]
        return sorted(place for place in found if not place.name.startswith(("_", ".")))

    def _workspace(self, path: str) -> Path:
        below = path
        while below == "/Workspace" or below.startswith("/Workspace/"):
            below = below.removeprefix("/Workspace") or "/"
        inside = self.files / below[1:]
        if below == path:
            return Path(path)
        # A project that is linked in place has its own folder as workspace path.
        return Path(below) if below != "/" and _is_linked(inside, Path(below)) else inside


def _exists(file: str) -> bool:
    try:
        _stat(file)
    except OSError:
        return False
    return True


def _behind(place: Path) -> Path:
    """Return what a link leads to, as that of an external volume does; else the place itself."""
    try:
        return Path(os.path.normpath(place.parent / _readlink(place)))
    except OSError:
        return place


def _is_linked(inside: Path, outside: Path) -> bool:
    return not inside.exists() and not inside.parent.exists() and outside.parent.exists()


def _collapse(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1] or [""]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def notebook_file(place: Path) -> Path | None:
    """Return the file of a notebook that is named with or without extension, None if absent."""
    if place.suffix in NOTEBOOK_SUFFIXES and place.is_file():
        return place
    for suffix in NOTEBOOK_SUFFIXES:
        candidate = place.with_name(place.name + suffix)
        if candidate.is_file():
            return candidate
    return None


def notebook_name(path: str) -> str:
    """Return the path of a notebook as the workspace shows it: no /Workspace, no extension."""
    name = re.sub("//+", "/", path).removeprefix("/Workspace")
    for suffix in NOTEBOOK_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def files_root(file: Path, places: Places) -> Path | None:
    """Return the bundle's folder that `file` lies in, None if it is in no bundle."""
    inside = file.is_relative_to(places.files)
    for folder in file.parents:
        if inside and not folder.is_relative_to(places.files):
            return None
        if any((folder / name).is_file() for name in _BUNDLE_FILES):
            return folder
    return None
