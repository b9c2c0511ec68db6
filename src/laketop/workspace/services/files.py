"""The Files API: the files of volumes, of model versions, and of MLflow's runs."""

from __future__ import annotations

import base64
import binascii
import contextlib
import email.utils
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from databricks.sdk.errors.platform import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
)
from databricks.sdk.service.files import DirectoryEntry, ListDirectoryResponse

from laketop import durable
from laketop.workspace.file_slice import FileSlice
from laketop.workspace.paths import Place, located
from laketop.workspace.securables import Securables
from laketop.workspace.service import Reply, Request, Service, route

_LARGEST_PAGE = 1000
_DONE = Reply(status=204)
_NOT_EMPTY = "DIRECTORY_IS_NOT_EMPTY"
"""Unverified."""


class Files(Service):
    """Files and directories below `/Volumes`, `/Models` and `/WorkspaceInternal`."""

    @route("PUT /api/2.0/fs/files/{path...}", streams=True)
    def upload(self, request: Request, path: str, overwrite: bool = False) -> Reply:
        """Keep a file, making the folders above it.

        Errors: AlreadyExists without `overwrite`; NotFound without the volume.
        """
        place = self.open_place(path)
        if place.is_root or place.path.is_dir():
            raise AlreadyExists(f"The path /{path.strip('/')} is a directory.")
        if place.path.exists() and not overwrite:
            raise AlreadyExists(f"The file /{path.strip('/')} already exists.")
        if request.upload is None:
            raise TypeError("an upload has no file")
        with _files_in_the_way(path):
            durable.make_folder(place.path.parent)
            durable.move(request.upload, place.path)
        return _DONE

    @route("GET /api/2.0/fs/files/{path...}")
    def download(self, request: Request, path: str) -> Reply:
        """Return a file, or the part that `Range` asks for."""
        file = _opened(self._existing(path), path)
        found = os.fstat(file.fileno())
        if _is_changed(found, request.headers.get("if-unmodified-since")):
            file.close()
            return Reply(status=412)
        asked = _range(request.headers.get("range", ""), found.st_size)
        headers = _metadata(found)
        if asked is None:
            return Reply(FileSlice(file, 0, found.st_size), 200, headers)
        first, last = asked
        if first > last:
            file.close()
            return Reply(status=416, headers={"content-range": f"bytes */{found.st_size}"})
        headers["content-length"] = str(last - first + 1)
        headers["content-range"] = f"bytes {first}-{last}/{found.st_size}"
        return Reply(FileSlice(file, first, last - first + 1), 206, headers)

    @route("HEAD /api/2.0/fs/files/{path...}")
    def get_metadata(self, path: str) -> Reply:
        """Return size, type and time of a file as headers."""
        return Reply(headers=_metadata(self._existing(path).stat()))

    @route("DELETE /api/2.0/fs/files/{path...}")
    def delete(self, path: str) -> Reply:
        """Delete a file."""
        file = self.open_place(path).path
        if not file.is_file():
            raise NotFound(f"The file /{path.strip('/')} does not exist.")
        file.unlink()
        durable.flush_folder(file.parent)
        return _DONE

    @route("PUT /api/2.0/fs/directories/{path...}")
    def create_directory(self, path: str) -> Reply:
        """Make a directory and its parents; fine if it exists."""
        with _files_in_the_way(path):
            durable.make_folder(self.open_place(path).path)
        return _DONE

    @route("HEAD /api/2.0/fs/directories/{path...}")
    def get_directory_metadata(self, path: str) -> Reply:
        """Tell whether a directory exists."""
        self._directory(path)
        return Reply(headers={"content-length": "0"})

    @route("GET /api/2.0/fs/directories/{path...}")
    def list_directory_contents(
        self, path: str, page_size: int = _LARGEST_PAGE, page_token: str = ""
    ) -> ListDirectoryResponse:
        """Return the entries of a directory by name; links are left out."""
        directory = self._directory(path)
        after = _name_in(page_token)
        size = min(max(page_size, 1), _LARGEST_PAGE)
        names = sorted(n for n in _names(directory) if n > after)
        above = f"/{path.strip('/')}"
        found = [_entry(directory / name, f"{above}/{name}") for name in names[:size]]
        entries = [entry for entry in found if entry is not None]
        more = _token_of(names[size - 1]) if len(names) > size else None
        return ListDirectoryResponse(contents=entries, next_page_token=more)

    @route("DELETE /api/2.0/fs/directories/{path...}")
    def delete_directory(self, path: str) -> Reply:
        """Delete an empty directory."""
        directory = self._directory(path)
        if self.open_place(path).is_root:
            raise InvalidParameterValue(f"The directory /{path.strip('/')} cannot be deleted.")
        if any(directory.iterdir()):
            raise BadRequest(
                f"The directory /{path.strip('/')} is not empty.",
                error_code=_NOT_EMPTY,
            )
        directory.rmdir()
        durable.flush_folder(directory.parent)
        return _DONE

    def _place(self, path: str, privilege: str = "READ VOLUME") -> Place:
        place = located(self.workspace.state, path)
        names = [name for name in path.split("/") if name]
        if names[0] == "Volumes":
            full_name = ".".join(names[1:4]).lower()
            Securables(self.workspace).require(privilege, "VOLUME", full_name)
        elif names[0] == "Models" and privilege == "READ VOLUME":
            self.workspace.model_registry.check_read(".".join(names[1:4]))
        elif names[0] == "WorkspaceInternal":
            level = "CAN_READ" if privilege == "READ VOLUME" else "CAN_EDIT"
            self.workspace.mlflow.check_artifacts(names[3:4], level)
        return place

    def open_place(self, path: str) -> Place:
        """Return a place that may be written: the files of a version that is ready stay."""
        place = self._place(path, "WRITE VOLUME")
        if path.strip("/").startswith("Models/"):
            self.workspace.model_registry.check_open(f"/{path.strip('/')}")
        return place

    def _existing(self, path: str) -> Path:
        place = self._place(path)
        if not place.path.is_file():
            raise NotFound(f"The file /{path.strip('/')} does not exist.")
        return place.path

    def _directory(self, path: str) -> Path:
        place = self._place(path)
        if not place.path.is_dir() and not (place.is_root and not place.path.exists()):
            raise NotFound(f"The directory /{path.strip('/')} does not exist.")
        return place.path


def _opened(file: Path, path: str) -> IO[bytes]:
    try:
        return os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except FileNotFoundError as error:
        raise NotFound(f"The file /{path.strip('/')} does not exist.") from error


@contextlib.contextmanager
def _files_in_the_way(path: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise AlreadyExists(f"A file is in the way of /{path.strip('/')}.") from error


def _metadata(found: os.stat_result) -> dict[str, str]:
    return {
        "content-length": str(found.st_size),
        "content-type": "application/octet-stream",
        "last-modified": email.utils.formatdate(int(found.st_mtime), usegmt=True),
        "accept-ranges": "bytes",
    }


def _is_changed(found: os.stat_result, since: str | None) -> bool:
    if since is None:
        return False
    try:
        return int(found.st_mtime) > email.utils.parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte asked for, first > last if there are none; None for all."""
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last or size), size - 1)


def _names(directory: Path) -> Iterator[str]:
    if directory.is_dir():
        with os.scandir(directory) as entries:
            yield from (entry.name for entry in entries if not entry.is_symlink())


def _entry(file: Path, path: str) -> DirectoryEntry | None:
    try:
        found = file.stat(follow_symlinks=False)
    except FileNotFoundError:  # a task deleted it meanwhile
        return None
    is_directory = stat.S_ISDIR(found.st_mode)
    size: Mapping[str, Any] = {} if is_directory else {"file_size": found.st_size}
    return DirectoryEntry(
        path=path,
        name=file.name,
        is_directory=is_directory,
        last_modified=found.st_mtime_ns // 1_000_000,
        **size,
    )


def _token_of(name: str) -> str:
    return base64.urlsafe_b64encode(os.fsencode(name)).decode()


def _name_in(token: str) -> str:
    try:
        return os.fsdecode(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise InvalidParameterValue(f"The page token {token[:100]!r} is not one.") from error
