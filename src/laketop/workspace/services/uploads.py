"""Large files: uploads in parts, and links that carry their own permission."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import anyio.to_thread
from databricks.sdk.errors.platform import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
)

from laketop import durable
from laketop.workspace.service import Reply, Request, Service, route

_LINK_MS = 15 * 60_000
_MOST_PARTS = 10_000
_MOST_URLS = 100
_BLOCK = 1024 * 1024
_SESSION = re.compile(r"[0-9a-f]{32}")


@dataclasses.dataclass(frozen=True)
class _Session:
    """An upload that was begun, and not completed yet."""

    path: str
    user: str
    overwrite: bool


class Uploads(Service):
    """Multipart uploads and download links of the Files API. Source: workspace-api 5.

    Parts are kept until the upload is completed or aborted, at the latest until the workspace
    ends. Links last a quarter of an hour; they let nobody do what their maker may not.
    """

    def start(self) -> None:
        """Forget the uploads that an earlier process left half done."""
        shutil.rmtree(self._folder, ignore_errors=True)
        durable.make_folder(self._folder)

    @property
    def _folder(self) -> Path:
        return self.workspace.state / "multipart"

    @route("POST /api/2.0/fs/files/{path...}")
    async def multipart(
        self,
        *,
        path: str,
        action: Literal["initiate-upload", "complete-upload", "abort-upload"],
        overwrite: bool = False,
        session_token: str = "",
        parts: list[dict[str, Any]] | None = None,
    ) -> Reply | dict[str, Any]:
        """Begin an upload in parts, put the parts together, or throw them away."""
        if action == "initiate-upload":
            return await anyio.to_thread.run_sync(self._begin, path, overwrite)
        act = self._complete if action == "complete-upload" else self._abort
        await anyio.to_thread.run_sync(act, path, session_token, parts or [])
        return Reply(status=204 if action == "abort-upload" else 200)

    @route("POST /api/2.0/fs/create-upload-part-urls", write=False)
    def create_upload_part_urls(
        self,
        path: str,
        session_token: str,
        start_part_number: int,
        count: int,
        request: Request,
    ) -> dict[str, Any]:
        """Return links to which parts are put, without a token."""
        self._session(path, session_token)
        last = start_part_number + count - 1
        if not 0 < start_part_number <= last <= _MOST_PARTS or count > _MOST_URLS:
            raise InvalidParameterValue(
                f"Parts {start_part_number} to {last} are not from 1 to {_MOST_PARTS}, or too many."
            )
        until = self.workspace.now_ms() + _LINK_MS
        urls = []
        for number in range(start_part_number, last + 1):
            place = f"/api/2.0/fs/upload-parts/{session_token}/{number}"
            link = self.workspace.links.signed("PUT", place, user=request.user, until_ms=until)
            urls.append({"url": request.host + link, "part_number": number, "headers": []})
        return {"upload_part_urls": urls}

    @route("PUT /api/2.0/fs/upload-parts/{session_token}/{part_number}", streams=True)
    def put_part(self, session_token: str, part_number: int, request: Request) -> Reply:
        """Keep a part, over an earlier one of its number; its ETag is its SHA-256."""
        folder = self._place(session_token)
        if _read(folder) is None or not 0 < part_number <= _MOST_PARTS:
            raise NotFound("There is no such upload.")
        if request.upload is None:
            raise TypeError("an upload has no file")
        with request.upload.open("rb") as file:
            etag = hashlib.file_digest(file, "sha256").hexdigest()
        durable.move(request.upload, folder / f"{part_number}-{etag}")
        return Reply(headers={"etag": etag})

    @route("POST /api/2.0/fs/create-download-url", write=False)
    def create_download_url(
        self, path: str, request: Request, expire_time: str | None = None
    ) -> dict[str, Any]:
        """Return a link from which a file is fetched without a token."""
        self.workspace.files.get_metadata(path)
        until = self.workspace.now_ms() + _LINK_MS
        until = min(until, _ms(expire_time)) if expire_time else until
        place = f"/api/2.0/fs/files/{quote(path.strip('/'))}"
        link = self.workspace.links.signed("GET", place, user=request.user, until_ms=until)
        return {"url": request.host + link, "headers": []}

    def _begin(self, path: str, overwrite: bool) -> dict[str, Any]:
        self._check_free(path, overwrite)
        token = secrets.token_hex(16)
        session = _Session(f"/{path.strip('/')}", self.workspace.user, overwrite)
        durable.write_json(self._folder / token / "session.json", dataclasses.asdict(session))
        return {"multipart_upload": {"session_token": token}}

    def _complete(self, path: str, token: str, parts: list[dict[str, Any]]) -> None:
        session = self._session(path, token)
        folder = self._place(token)
        files = [_part(folder, one) for one in parts]
        numbers = [int(file.name.partition("-")[0]) for file in files]
        if not files or numbers != sorted(set(numbers)):
            raise InvalidParameterValue("The parts are not there, each once and in their order.")
        place = self._check_free(path, session.overwrite)
        descriptor, draft = tempfile.mkstemp(dir=self.workspace.state / "uploads")
        try:
            with os.fdopen(descriptor, "wb") as whole:
                for file in files:
                    with file.open("rb") as part:
                        shutil.copyfileobj(part, whole, _BLOCK)
                durable.flush(whole)
            durable.make_folder(place.parent)
            durable.move(Path(draft), place)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadRequest(f"A file is in the way of {path[:200]}.") from error
        finally:
            Path(draft).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def _abort(self, path: str, token: str, _parts: list[dict[str, Any]]) -> None:
        self._session(path, token)
        shutil.rmtree(self._place(token), ignore_errors=True)

    def _check_free(self, path: str, overwrite: bool) -> Path:
        place = self.workspace.files.open_place(path)
        shown = f"/{path.strip('/')}"
        if place.is_root or place.path.is_dir():
            raise AlreadyExists(f"The path {shown} is a directory.")
        if place.path.exists() and not overwrite:
            raise AlreadyExists(f"The file {shown} already exists.")
        found: Path = place.path
        return found

    def _place(self, token: str) -> Path:
        if not _SESSION.fullmatch(token):
            raise NotFound("There is no such upload.")
        return self._folder / token

    def _session(self, path: str, token: str) -> _Session:
        session = _read(self._place(token))
        mine = session is not None and session.user == self.workspace.user
        if session is None or not mine or session.path != f"/{path.strip('/')}":
            raise NotFound("There is no such upload.")
        return session


def _read(folder: Path) -> _Session | None:
    try:
        return _Session(**json.loads((folder / "session.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _part(folder: Path, sent: dict[str, Any]) -> Path:
    number, etag = sent.get("part_number"), str(sent.get("etag")).strip('"')
    if not isinstance(number, int) or not re.fullmatch(r"[0-9a-f]{64}", etag):
        raise InvalidParameterValue("A part has a part_number, and the etag that it was given.")
    file = folder / f"{number}-{etag}"
    if not file.is_file():
        raise InvalidParameterValue(f"Part {number} was not uploaded, or not as the etag says.")
    return file


def _ms(text: str) -> int:
    try:
        return int(dt.datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as error:
        raise InvalidParameterValue(f"The expire_time {text[:50]!r} is no time.") from error
