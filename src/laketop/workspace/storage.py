"""Where the data of external tables and volumes lies: folders of this machine."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop import durable
from laketop.workspace.lake import Lake, read

_IN_VOLUME = re.compile(r"/Volumes/([^/]+)/([^/]+)/([^/]+)/?(.*)", re.DOTALL)
_FIELDS = {"tables": "location", "volumes": "storage_location"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def folder_of(lake: Lake, location: str) -> Path:
    """Return the folder that `file:/..`, `dbfs:/..` or an absolute path names, as Spark reads it.

    Errors: NotImplemented for a place in a cloud; InvalidParameterValue for any other.

    >>> folder_of(Lake(Path("/state/catalog")), "dbfs:/a").as_posix()
    '/state/dbfs/a'
    """
    scheme, path = _parsed(location)
    if scheme not in {"", "file", "dbfs"}:
        raise NotServed(
            f"laketop has no storage of {scheme}: {location[:200]!r} is not a folder of this"
            " machine, file:/ or dbfs:/."
        )
    if not re.match("/(?!/)", path) or "\0" in path or ".." in location.split("/"):
        raise InvalidParameterValue(f"The location {location[:200]!r} is not an absolute path.")
    in_volume = _IN_VOLUME.fullmatch(path)
    if in_volume:
        return lake.files(*in_volume.groups()[:3]) / in_volume[4]
    if path == "/Volumes" or path.startswith("/Volumes/"):
        raise InvalidParameterValue(f"The location {location[:200]!r} names no volume.")
    return lake.root.parent / "dbfs" / path[1:] if scheme == "dbfs" else Path(path)


def _parsed(location: str) -> tuple[str, str]:
    """Return scheme and path, whose letters stand for themselves, as the engine reads them."""
    found = _SCHEME.match(location)
    scheme, path = (found[1], location[found.end() :]) if found else ("", location)
    return scheme, path and posixpath.normpath(path)


def volume_of(location: str) -> str | None:
    """Return the full name of the volume that a location lies in, None for another place."""
    found = _IN_VOLUME.fullmatch(_parsed(location)[1])
    return ".".join(found.groups()[:3]).lower() if found else None


def link(lake: Lake, location: str, place: Path) -> None:
    """Let `place` be a link to the folder of a location, which is made if it is not there.

    One in dbfs:/ stays right when the state folder is moved.
    Errors: InvalidParameterValue for a file, or a folder that cannot be made.
    """
    folder = folder_of(lake, location)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{location[:200]!r} can be no folder: {error.strerror}."
        raise InvalidParameterValue(why) from error
    inside = folder.is_relative_to(lake.root.parent)
    place.symlink_to(os.path.relpath(folder, place.parent) if inside else folder)
    durable.flush_folder(place.parent)


def kept_folder(lake: Lake, location: str) -> Path:
    """Return the folder of a location that is kept already, whatever it is."""
    try:
        return folder_of(lake, location)
    except (BadRequest, NotServed):  # which Spark has taken
        return Path(location)


def check_free(lake: Lake, location: str) -> None:
    """Refuse a location in, or above, one that is taken: managed storage, a table, a volume.

    What is said to lie in a volume, by its path, may do so.
    Errors: BadRequest with INVALID_PARAMETER_VALUE; as `folder_of`.
    Source: Databricks docs, error class LOCATION_OVERLAP.
    """
    folder = _real(folder_of(lake, location))
    in_volume = volume_of(location) is not None
    state = _real(lake.root.parent)
    if not in_volume and _meet(folder, state) and not folder.is_relative_to(state / "dbfs"):
        raise _overlap(location, "managed storage")
    for name, taken in _taken(lake, ("tables",) if in_volume else ("tables", "volumes")):
        if _meet(folder, taken):
            raise _overlap(location, name)


def _taken(lake: Lake, kinds: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield name and folder of every external table and volume."""
    for catalog in lake.catalogs():
        for schema in lake.schemas(catalog):
            for kind in kinds:
                field = _FIELDS[kind]
                for name in lake.listed(kind, catalog, schema):
                    location = read(lake.entry(kind, catalog, schema, name)).get(field)
                    if location is not None:
                        yield f"{catalog}.{schema}.{name}", _real(kept_folder(lake, location))


def _overlap(location: str, other: str) -> BadRequest:
    return BadRequest(
        f"Input path url '{location[:200]}' overlaps with other external tables or volumes."
        f" Conflicting tables/volumes: {other}.",
        error_code="INVALID_PARAMETER_VALUE",
    )


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _meet(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
