"""DBFS: the tree of `dbfs:/`, which tasks see as `/dbfs`."""

from __future__ import annotations

import base64
import dataclasses
import secrets
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import (
    BadRequest,
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.files import FileInfo

from laketop import durable
from laketop.workspace import wire
from laketop.workspace.paths import confined
from laketop.workspace.service import Service, route

_LARGEST_BLOCK = 1024 * 1024
_MOST_HANDLES = 1000


@dataclasses.dataclass(frozen=True)
class _Open:
    """A file that is being written: it has its name once it is closed."""

    path: str
    draft: Path
    user: str
    overwrite: bool


class Dbfs(Service):
    """Files and folders of `dbfs:/`; volumes are reached through the Files API.

    A handle lasts until it is closed, or the workspace ends.
    Source: databricks-sdk, `files.DbfsAPI`, workspace-api 5.
    """

    def start(self) -> None:
        """Make the root; drafts that an earlier process left are cleared with its uploads."""
        durable.make_folder(self._root)
        self._open: dict[int, _Open] = {}
        self._guard = threading.Lock()

    @property
    def _root(self) -> Path:
        return self.workspace.metastore / "dbfs"

    @route("POST /api/2.0/dbfs/create")
    def create(self, path: str, overwrite: bool = False) -> dict[str, Any]:
        """Begin a file, and return the handle to which blocks are added."""
        self._check_free(path, overwrite)
        descriptor, draft = tempfile.mkstemp(dir=self.workspace.state / "uploads")
        open(descriptor, "wb").close()  # noqa: PTH123 - the descriptor, made to be closed
        handle = secrets.randbelow(2**53)
        with self._guard:
            if len(self._open) >= _MOST_HANDLES:
                Path(draft).unlink()
                raise BadRequest(f"{_MOST_HANDLES} files are open already.")
            self._open[handle] = _Open(path, Path(draft), self.workspace.user, overwrite)
        return {"handle": handle}

    @route("POST /api/2.0/dbfs/add-block")
    def add_block(self, handle: int, data: str) -> None:
        """Add a block, which is base64 of at most 1 MiB, to an open file."""
        found = self._opened(handle)
        block = _block("data", data)
        with self._guard, found.draft.open("ab") as file:
            file.write(block)

    @route("POST /api/2.0/dbfs/close")
    def close(self, handle: int) -> None:
        """Give an open file its name."""
        found = self._opened(handle)
        self._check_free(found.path, found.overwrite)
        with self._guard:
            del self._open[handle]
        with found.draft.open("rb") as file:
            durable.flush(file)
        self._place(found.path, found.draft)

    @route("POST /api/2.0/dbfs/put")
    def put(self, path: str, contents: str = "", overwrite: bool = False) -> None:
        """Keep a file of at most 1 MiB, sent as base64."""
        self._check_free(path, overwrite)
        content = _block("contents", contents)
        place = confined(self._root, path)
        _make_folder(place.parent, path)
        durable.write(place, content, scratch=self.workspace.state / "uploads")

    @route("GET /api/2.0/dbfs/read")
    def read(self, path: str, offset: int = 0, length: int = 512 * 1024) -> dict[str, Any]:
        """Return a part of a file as base64, at most 1 MiB; beyond its end there is nothing."""
        place = self._existing(path)
        if place.is_dir():
            raise InvalidParameterValue(f"Cannot read a directory: {path}")
        if offset < 0 or length < 0:
            raise InvalidParameterValue("offset and length are not below 0.")
        if length > _LARGEST_BLOCK:
            raise BadRequest(
                f"The length is larger than {_LARGEST_BLOCK} bytes.",
                error_code="MAX_READ_SIZE_EXCEEDED",
            )
        with place.open("rb") as file:
            file.seek(min(offset, place.stat().st_size))
            found = file.read(length)
        return {"bytes_read": len(found), "data": base64.b64encode(found).decode()}

    @route("GET /api/2.0/dbfs/get-status")
    def get_status(self, path: str) -> FileInfo:
        """Return what is at a path."""
        return self._info(self._existing(path))

    @route("GET /api/2.0/dbfs/list")
    def list(self, path: str) -> dict[str, Any]:
        """Return what a folder holds, by name; of a file, the file itself."""
        place = self._existing(path)
        found = sorted(place.iterdir()) if place.is_dir() else [place]
        shown = [self._info(one).as_dict() for one in found if not one.is_symlink()]
        return {"files": shown}

    @route("POST /api/2.0/dbfs/mkdirs")
    def mkdirs(self, path: str) -> None:
        """Make a folder and its parents; fine if it exists."""
        _make_folder(confined(self._root, path), path)

    @route("POST /api/2.0/dbfs/move")
    def move(self, source_path: str, destination_path: str) -> None:
        """Move a file or folder; what is there already stays, and is an error."""
        source = self._existing(source_path)
        target = confined(self._root, destination_path)
        if target.is_dir():
            target = confined(target, source.name)
        if target.exists():
            raise ResourceAlreadyExists(f"A file exists at {destination_path}.")
        if source == self._root_place or target.is_relative_to(source):
            raise InvalidParameterValue(f"{source_path} cannot be moved to {destination_path}.")
        _make_folder(target.parent, destination_path)
        source.rename(target)
        durable.flush_folder(source.parent)
        durable.flush_folder(target.parent)

    @route("POST /api/2.0/dbfs/delete")
    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file or folder; fine if there is none.

        Errors: BadRequest with IO_ERROR for a folder that is not empty, unless `recursive`.
        """
        place = confined(self._root, path)
        if place == self._root_place:
            raise InvalidParameterValue("The root of DBFS cannot be deleted.")
        if place.is_dir():
            if any(place.iterdir()) and not recursive:
                raise BadRequest(f"{path} is not empty.", error_code="IO_ERROR")
            shutil.rmtree(place)
        elif place.exists():
            place.unlink()
        else:
            return
        durable.flush_folder(place.parent)

    @property
    def _root_place(self) -> Path:
        return confined(self._root, "/")

    def _existing(self, path: str) -> Path:
        if not path.startswith("/"):
            raise InvalidParameterValue(f"Path must be absolute: {path[:200]}")
        place = confined(self._root, path)
        if not place.exists():
            raise ResourceDoesNotExist(f"No file or directory exists on path {path[:200]}.")
        return place

    def _check_free(self, path: str, overwrite: bool) -> None:
        if not path.startswith("/"):
            raise InvalidParameterValue(f"Path must be absolute: {path[:200]}")
        place = confined(self._root, path)
        if place.is_dir() or (place.exists() and not overwrite):
            raise ResourceAlreadyExists(f"A file or directory already exists at {path[:200]}.")

    def _place(self, path: str, draft: Path) -> None:
        place = confined(self._root, path)
        _make_folder(place.parent, path)
        durable.move(draft, place)

    def _opened(self, handle: int) -> _Open:
        with self._guard:
            found = self._open.get(handle)
        if found is None or found.user != self.workspace.user:
            raise ResourceDoesNotExist(f"No open handle found with id {handle}.")
        return found

    def _info(self, place: Path) -> FileInfo:
        found = place.stat()
        below = place.relative_to(self._root_place)
        return FileInfo(
            path=f"/{below}" if below.parts else "/",
            is_dir=place.is_dir(),
            file_size=0 if place.is_dir() else found.st_size,
            modification_time=found.st_mtime_ns // 1_000_000,
        )


def _make_folder(folder: Path, path: str) -> None:
    try:
        durable.make_folder(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise ResourceAlreadyExists(f"A file is in the way of {path[:200]}.") from error


def _block(name: str, text: str) -> bytes:
    block = wire.bytes_of(name, text)
    if len(block) > _LARGEST_BLOCK:
        raise BadRequest(
            f"The block is larger than {_LARGEST_BLOCK} bytes.",
            error_code="MAX_BLOCK_SIZE_EXCEEDED",
        )
    return block
