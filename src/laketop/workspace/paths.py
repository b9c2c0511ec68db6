"""Where a path of the workspace lies on disk; nothing outside its root can be named."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound

from laketop.settings import metastore_folder

_LONGEST_NAME = 255
_LONGEST_PATH = 2000
_REFUSED = re.compile(r"[\x00-\x1f\x7f\\;]|%2e|%2f|%5c", re.IGNORECASE)


def confined(root: Path, relative: str) -> Path:
    """Return the place of `relative` below `root`; the only way from a sent path to the disk.

    `relative` is percent-decoded already; slashes at its ends and doubled ones count as none.
    Errors: InvalidParameterValue for control characters, backslashes, `;`, `.` and `..`, what is
    still percent-encoded, names too long, a symbolic link at the end, or a link that leads out.
    """
    names = [name for name in relative.split("/") if name]
    if _REFUSED.search(relative) or {".", ".."} & set(names):
        raise _refused(relative)
    size = max((len(name.encode()) for name in names), default=0)
    if size > _LONGEST_NAME or len(relative.encode()) > _LONGEST_PATH:
        raise InvalidParameterValue("The path is too long.")
    home = Path(os.path.realpath(root))
    parent = Path(os.path.realpath(home.joinpath(*names[:-1])))
    place = parent.joinpath(*names[-1:])
    if not parent.is_relative_to(home) or (names and place.is_symlink()):
        raise _refused(relative)
    return place


def _refused(relative: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"The path {relative[:200]!r} cannot be used.")


@dataclasses.dataclass(frozen=True)
class Place:
    """A path of the Files API on disk: `path` is `root`, or below it."""

    root: Path
    path: Path

    @property
    def is_root(self) -> bool:
        """Whether this is the top of a volume, a model version or the artifacts."""
        return self.root == self.path


def located(state: Path, path: str) -> Place:
    """Return the place of a path of the Files API, with or without a slash in front.

    `state` is the folder of a workspace; volumes and models are those of its metastore.
    `/Volumes/c/s/v/..`, `/Models/c/s/m/version/..` and `/WorkspaceInternal/Mlflow/Artifacts/..`.
    Errors: NotFound for a volume that does not exist; InvalidParameterValue for another root, or
    a path that `confined` refuses.
    """
    names = [name for name in path.split("/") if name]
    shared = metastore_folder(state)
    if names[:1] == ["Volumes"] and len(names) > 3:
        return _below(_volume(shared, *names[1:4]), names[4:])
    if names[:1] == ["Models"] and len(names) > 4:
        return _below(confined(shared / "models", "/".join(names[1:5])), names[5:])
    if names[:3] == ["WorkspaceInternal", "Mlflow", "Artifacts"]:
        return _below(confined(state / "artifacts", ""), names[3:])
    raise InvalidParameterValue(
        f"The path {path[:200]!r} is not in /Volumes/<catalog>/<schema>/<volume>,"
        " /Models/<catalog>/<schema>/<model>/<version> or /WorkspaceInternal/Mlflow/Artifacts."
    )


def _volume(state: Path, catalog: str, schema: str, volume: str) -> Path:
    home = confined(state / "catalog", f"{catalog}/{schema}")
    entry = confined(home, f"_volumes/{volume}.json")
    files = confined(home, "_files") / volume
    if not (files.is_symlink() and _is_external(entry)):
        files = confined(home, f"_files/{volume}")
    if not entry.is_file():
        raise NotFound(f"Volume '{catalog}.{schema}.{volume}' does not exist.")
    return Path(os.path.realpath(files))


def _is_external(entry: Path) -> bool:
    return entry.is_file() and "storage_location" in json.loads(entry.read_bytes())


def _below(root: Path, names: list[str]) -> Place:
    return Place(root, confined(root, "/".join(names)))
