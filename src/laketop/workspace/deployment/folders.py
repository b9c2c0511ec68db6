"""The files of a workspace: on the disk of the local one, over REST of a remote one."""

from __future__ import annotations

import contextlib
import os
import shutil
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from laketop import durable
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_ROOTS = ("/Workspace/", "/Users/", "/Shared/", "/Repos/")
_KEPT = frozenset({"", "Users", "Shared", "Repos"})
_HOME_DEPTH = 2


class Folder(Protocol):
    """Files by their workspace paths. Errors: LaketopError for what cannot be written."""

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, None where there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place, whole or not at all, with the folders above it."""

    def create(self, path: str, content: bytes) -> bool:
        """Make a file; return False where there is one."""

    def remove(self, path: str) -> None:
        """Delete a file or a folder with all that it holds; fine if it is not there."""


class DiskFolder:
    """The tree of the local workspace, whose files lie in the state folder of the project."""

    def __init__(self, state: Path) -> None:
        self._root = state / "files"

    def place(self, path: str) -> Path:
        """Return where a workspace path lies; a path outside of the workspace is itself."""
        if path.startswith(_ROOTS):
            return self._root / path.removeprefix("/Workspace").lstrip("/")
        return Path(path)

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, None where there is none."""
        try:
            return self.place(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place, flushed and by one rename."""
        place = self.place(path)
        with _told(path):
            durable.make_folder(place.parent)
            durable.write(place, content)

    def create(self, path: str, content: bytes) -> bool:
        """Make a file; return False where there is one."""
        place = self.place(path)
        with _told(path):
            durable.make_folder(place.parent)
            fresh = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
            try:
                _flushed(fresh, content)
                # A link, unlike a rename, does not take the place of what is there.
                place.hardlink_to(fresh)
            except FileExistsError:
                return False
            finally:
                fresh.unlink(missing_ok=True)
        return True

    def remove(self, path: str) -> None:
        """Delete a file or a folder; only below the workspace's own tree."""
        place = self.place(path)
        if not place.is_relative_to(self._root) or place == self._root:
            return
        with _told(path), contextlib.suppress(FileNotFoundError):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()


class RemoteFolder:
    """The tree of a workspace over REST. Source: databricks-sdk, the workspace's services."""

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, None where there is none."""
        from databricks.sdk.errors import NotFound

        try:
            with self._client.workspace.download(path) as stream:
                return stream.read()
        except NotFound:
            return None

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place."""
        self._import(path, content, overwrite=True)

    def create(self, path: str, content: bytes) -> bool:
        """Make a file; return False where there is one."""
        from databricks.sdk.errors import AlreadyExists, ResourceAlreadyExists

        try:
            self._import(path, content, overwrite=False)
        except (AlreadyExists, ResourceAlreadyExists):
            return False
        return True

    def remove(self, path: str) -> None:
        """Delete a file or a folder with all that it holds; fine if it is not there."""
        from databricks.sdk.errors import NotFound

        with contextlib.suppress(NotFound):
            self._client.workspace.delete(path, recursive=True)

    def _import(self, path: str, content: bytes, *, overwrite: bool) -> None:
        from databricks.sdk.errors import NotFound

        segment = urllib.parse.quote(path.lstrip("/"), safe="@")
        for is_first in (True, False):
            try:
                self._client.api_client.do(
                    "POST",
                    f"/api/2.0/workspace-files/import-file/{segment}",
                    query={"overwrite": "true" if overwrite else "false"},
                    headers={"Content-Type": "application/octet-stream"},
                    data=content,
                )
            except NotFound:
                if not is_first:
                    raise
                self._client.workspace.mkdirs(path.rpartition("/")[0])
            else:
                return


def removable(root_path: str) -> bool:
    """Return whether a root path is a deployment's own, and not somebody's whole folder."""
    names = [name for name in root_path.split("/") if name]
    names = names[1:] if names[:1] == ["Workspace"] else names
    if not names or names[0] not in _KEPT:
        return False
    return len(names) > (1 if names[0] == "Shared" else _HOME_DEPTH)


def _flushed(file: Path, content: bytes) -> None:
    with file.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise LaketopError(
            f"{path!r} cannot be written: {error.strerror}",
            hint="make room on the disk, or give yourself the right to write there",
        ) from error
