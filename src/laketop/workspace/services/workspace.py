"""The tree of notebooks, files and folders."""

from __future__ import annotations

import base64
import dataclasses
import io
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from databricks.sdk.errors.platform import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
)
from databricks.sdk.service.workspace import (
    ExportFormat,
    ImportFormat,
    Language,
    ListResponse,
    ObjectInfo,
    ObjectType,
)

from laketop import durable
from laketop.errors import ConfigError
from laketop.workspace import notebook_archive, notebook_formats, wire
from laketop.workspace.multipart import parts_of
from laketop.workspace.objects import HEADERS, SUFFIXES, Tree, WorkspaceObject, has_header
from laketop.workspace.service import Reply, Request, Service, route

_LARGEST_NOTEBOOK = 10 * 1024 * 1024
_OBJECT_TYPES = {"directories": "DIRECTORY", "notebooks": "NOTEBOOK", "files": "FILE"}
"""The kinds of objects by the words of the permissions API."""


class Workspace(Service):
    """Notebooks, files and folders. Source: workspace-api 3.1 and 3.2.

    A notebook lies on disk as a source file with its extension, and is shown without it.
    """

    @property
    def _tree(self) -> Tree:
        return Tree(self.workspace.state / "files")

    def start(self) -> None:
        """Make the folders that every workspace has."""
        for folder in ("/Shared", "/Repos", f"/Users/{self.workspace.user}"):
            durable.make_folder(self._tree.place(folder))

    @route("POST /api/2.0/workspace/mkdirs")
    def mkdirs(self, path: str) -> None:
        """Make a folder and its parents; fine if it exists."""
        self._require(path, "CAN_EDIT")
        try:
            durable.make_folder(self._tree.place(path))
        except (FileExistsError, NotADirectoryError) as error:
            raise ResourceAlreadyExists(f"Path ({self._tree.short(path)}) is a file.") from error

    @route("GET /api/2.0/workspace/get-status")
    def get_status(self, path: str, return_export_info: bool = False) -> dict[str, Any]:
        """Return what is at a path."""
        self._require(path, "CAN_READ")
        found = self._tree.existing(path)
        more = {"repos_export_format": "SOURCE"} if found.kind == "NOTEBOOK" else {}
        info = self._shown(found.info, self.workspace.repos.at_paths())
        return {**info.as_dict(), **(more if return_export_info else {})}

    @route("GET /api/2.0/workspace/list")
    def list(self, path: str, notebooks_modified_after: int = 0) -> ListResponse:
        """Return what a folder holds and the caller may see, by name; of a file, the file."""
        self._require(path, "CAN_READ")
        found = self._tree.existing(path)
        objects = self._tree.children(found) if found.kind == "DIRECTORY" else [found]
        allows = self.workspace.permissions.allows_path
        seen = [one for one in objects if allows(one.path, "CAN_READ")]
        infos = [_info(one, notebooks_modified_after) for one in seen]
        repos = self.workspace.repos.at_paths()
        return ListResponse(objects=[self._shown(info, repos) for info in infos if info])

    @route("POST /api/2.0/workspace/delete")
    def delete(self, path: str, recursive: bool = False) -> None:
        """Delete a file or folder.

        Errors: BadRequest with DIRECTORY_NOT_EMPTY unless `recursive`.
        """
        self._require(path, "CAN_MANAGE")
        found = self._tree.existing(path)
        if found.path in {"/", "/Users", "/Shared", "/Repos"}:
            raise InvalidParameterValue(f"Folder {found.path} is protected.")
        gone = [one.path for one in self._tree.below(found)]
        if found.kind != "DIRECTORY":
            found.file.unlink()
        elif recursive:
            shutil.rmtree(found.file)
        elif any(found.file.iterdir()):
            raise BadRequest(
                f"Folder ({found.path}) is not empty", error_code="DIRECTORY_NOT_EMPTY"
            )
        else:
            found.file.rmdir()
        self.workspace.permissions.forget_places(gone)
        self.workspace.repos.forget_places(gone)
        durable.flush_folder(found.file.parent)

    @route("GET /api/2.0/workspace/export")
    def export(
        self,
        path: str,
        format: ExportFormat = ExportFormat.SOURCE,  # noqa: A002 - the API's own name
        direct_download: bool = False,
    ) -> Reply | dict[str, Any]:
        """Return a file, a notebook in a format, or a folder as a zip or a DBC."""
        self._require(path, "CAN_READ")
        found = self._tree.existing(path)
        kind, content = self._exported(found, format)
        if direct_download:
            return Reply(content, 200, {"content-type": "application/octet-stream"})
        if len(content) > _LARGEST_NOTEBOOK:
            raise _too_large()
        return {"content": base64.b64encode(content).decode(), "file_type": kind}

    @route("POST /api/2.0/workspace/import", raw=True)
    def import_(self, request: Request) -> None:
        """Keep a notebook or file, sent as JSON with base64 or as a form."""
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            form = parts_of(kind, request.body)
            content = form.pop("content", b"")
            fields = {name: text.decode("utf-8", "replace") for name, text in form.items()}
        else:
            fields = wire.fields_of(request.body)
            text = wire.converter(str)("content", fields.get("content") or "")
            content = wire.bytes_of("content", text)
        self._import(_Import.of(fields), content)

    @route("POST /api/2.0/workspace-files/import-file/{path...}", streams=True)
    def import_file(self, request: Request, path: str, overwrite: bool = False) -> None:
        """Keep a file as it is sent.

        Errors: NotFound without the folder above; AlreadyExists without `overwrite`.
        """
        self._require(f"/{path}", "CAN_EDIT")
        place = self._tree.place(f"/{path}")
        if not place.parent.is_dir():
            above = self._tree.short(f"/{path}").rpartition("/")[0]
            raise NotFound(f"The parent folder ({above}) does not exist.")
        if place.is_dir() or (place.exists() and not overwrite):
            raise AlreadyExists(f"Path ({self._tree.short(f'/{path}')}) already exists.")
        if request.upload is None:
            raise TypeError("an upload has no file")
        durable.move(request.upload, place)

    def path_of(self, object_id: str, object_type: str) -> str | None:
        """Return where the folder, notebook or file with this id is; ids are made of paths."""
        wanted = _OBJECT_TYPES.get(object_type)
        queue = [self._tree.existing("/")]
        while queue:
            for one in self._tree.children(queue.pop()):
                if one.kind == wanted and one.info.resource_id == object_id:
                    return one.path
                if one.kind == "DIRECTORY":
                    queue.append(one)
        return None

    def _exported(self, found: WorkspaceObject, wanted: ExportFormat) -> tuple[str, bytes]:
        """Return what is exported, its type first; of notebooks their extension."""
        if wanted is ExportFormat.DBC and found.kind != "FILE":
            return "dbc", self._archived(found)
        if found.kind == "DIRECTORY":
            return "zip", self._zipped(found, wanted)
        content = found.file.read_bytes()
        if found.kind != "NOTEBOOK":
            return "auto", content
        suffix, name = found.file.suffix.lower(), found.file.stem
        try:
            if wanted is ExportFormat.HTML:
                return "html", notebook_formats.to_html(content, suffix=suffix, name=name)
            if wanted is ExportFormat.R_MARKDOWN:
                written = notebook_formats.to_r_markdown(content, suffix=suffix, name=name)
                return "rmd", written
            if wanted is ExportFormat.JUPYTER and suffix != ".ipynb":
                return "ipynb", notebook_formats.to_jupyter(content, suffix=suffix, name=name)
            if wanted is ExportFormat.SOURCE and suffix == ".ipynb":
                return "py", notebook_formats.to_source(content, name=name)
        except ConfigError as error:
            raise BadRequest(error.message) from error
        return suffix.removeprefix("."), content

    def _archived(self, found: WorkspaceObject) -> bytes:
        notebooks = []
        is_folder = found.kind == "DIRECTORY"
        for one in self._visible(found, {"NOTEBOOK"}) if is_folder else [found]:
            path = one.file.relative_to(found.file.parent).with_suffix("")
            content, suffix = one.file.read_bytes(), one.file.suffix.lower()
            try:
                read = notebook_formats.parsed(content, suffix=suffix, name=one.file.stem)
            except ConfigError as error:
                raise BadRequest(error.message) from error
            notebooks.append((path.as_posix(), read))
        return notebook_archive.packed(notebooks)

    def _zipped(self, folder: WorkspaceObject, wanted: ExportFormat) -> bytes:
        packed = io.BytesIO()
        kinds = {"NOTEBOOK", "FILE"} if wanted is ExportFormat.AUTO else {"NOTEBOOK"}
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in self._visible(folder, kinds):
                kind, content = self._exported(one, wanted)
                name = one.file.relative_to(folder.file)
                shown = name.with_suffix(f".{kind}") if one.kind == "NOTEBOOK" else name
                archive.writestr(str(shown), content)
        return packed.getvalue()

    def _visible(
        self, folder: WorkspaceObject, kinds: Collection[str]
    ) -> Iterator[WorkspaceObject]:
        """Yield what is of some kinds below a folder, and the caller may read.

        Errors: BadRequest where they are too large together.
        """
        allows, size = self.workspace.permissions.allows_path, 0
        for one in self._tree.below(folder):
            if one.kind in kinds and allows(one.path, "CAN_READ"):
                size += one.file.stat().st_size
                if size > _LARGEST_NOTEBOOK:
                    raise _too_large()
                yield one

    @staticmethod
    def _shown(info: ObjectInfo, repos: Mapping[str, int]) -> ObjectInfo:
        """Return what is shown of an object; `repos` are the ids of Git folders by path."""
        repo_id = repos.get(info.path or "")
        if repo_id is None or info.object_type is not ObjectType.DIRECTORY:
            return info
        return dataclasses.replace(
            info, object_type=ObjectType.REPO, object_id=repo_id, resource_id=str(repo_id)
        )

    def _require(self, path: str, level: str) -> None:
        self.workspace.permissions.require_path(self._tree.short(path), level)

    def _import(self, wanted: _Import, content: bytes) -> None:
        if len(content) > _LARGEST_NOTEBOOK:
            raise _too_large()
        self._require(wanted.path, "CAN_EDIT")
        if wanted.format is ImportFormat.DBC:
            self._import_archive(wanted, content)
            return
        content, suffix = wanted.as_kept(content)
        name = wanted.path if wanted.path.endswith(suffix) else wanted.path + suffix
        place, found = self._tree.place(name), self._tree.find(wanted.path)
        self._check_parent(wanted.path)
        if found is not None and (not wanted.overwrite or found.kind == "DIRECTORY"):
            raise ResourceAlreadyExists(f"Path ({found.path}) already exists.")
        if place.is_dir():
            raise ResourceAlreadyExists(f"Path ({self._tree.short(name)}) already exists.")
        if suffix in HEADERS and not has_header(suffix, content):
            content = f"{HEADERS[suffix]}\n".encode() + content
        durable.write(place, content, scratch=self.workspace.state / "uploads")
        if found is not None and found.file != place:
            _remove(found.file)

    def _check_parent(self, path: str) -> None:
        if not self._tree.place(path).parent.is_dir():
            above = self._tree.short(path).rpartition("/")[0]
            raise NotFound(f"The parent folder ({above}) does not exist.")

    def _import_archive(self, wanted: _Import, content: bytes) -> None:
        """Make the notebook of an archive, or a folder of what it holds, all or nothing."""
        path = self._tree.short(wanted.path)
        try:
            archive = notebook_archive.unpacked(content, path.rpartition("/")[2])
        except ConfigError as error:
            raise BadRequest(error.message) from error
        if wanted.overwrite:
            raise InvalidParameterValue("What is there cannot be overwritten by a DBC.")
        if self._tree.find(path) is not None:
            raise ResourceAlreadyExists(f"Path ({path}) already exists.")
        self._check_parent(path)
        above = self._tree.place(path).parent
        with tempfile.TemporaryDirectory(dir=self.workspace.state / "uploads") as draft:
            for name, notebook in archive.notebooks:
                suffix = SUFFIXES[Language(notebook.language.upper())]
                shown = f"{path}/{name}" if archive.is_folder else path
                place = self._tree.place(f"{shown}{suffix}")  # checked as any other path
                file = Path(draft) / place.relative_to(above)
                try:
                    durable.make_folder(file.parent)
                    durable.write(file, notebook_formats.source_of(notebook))
                except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                    raise BadRequest(f"{name!r} is both a notebook and a folder.") from error
            [made] = Path(draft).iterdir()
            if (above / made.name).exists():
                raise ResourceAlreadyExists(f"Path ({path}) already exists.")
            durable.move(made, above / made.name)


def _info(one: WorkspaceObject, after_ms: int) -> ObjectInfo | None:
    try:
        info, modified_ms = one.info, one.file.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:  # a task deleted it meanwhile
        return None
    return None if one.kind == "NOTEBOOK" and modified_ms < after_ms else info


class _Import:
    """What an import asks for; fields of a form are text."""

    def __init__(
        self, path: str, chosen: ImportFormat, language: Language | None, *, overwrite: bool
    ) -> None:
        self.path, self.format, self.language = path, chosen, language
        self.overwrite = overwrite

    @classmethod
    def of(cls, fields: dict[str, Any]) -> _Import:
        if not fields.get("path"):
            raise InvalidParameterValue("Missing required field: path")
        language = fields.get("language")
        return cls(
            wire.converter(str)("path", fields["path"]),
            wire.converter(ImportFormat)("format", fields.get("format") or "SOURCE"),
            wire.converter(Language)("language", language) if language else None,
            overwrite=wire.converter(bool)("overwrite", fields.get("overwrite", False)),
        )

    def as_kept(self, content: bytes) -> tuple[bytes, str]:
        """Return the content for the disk, and its extension, empty for one that stays as named."""
        name = self.path.rpartition("/")[2]
        try:
            if self.format is ImportFormat.HTML:
                found = notebook_formats.from_html(content, name=name)
            elif self.format is ImportFormat.R_MARKDOWN:
                found = notebook_formats.from_r_markdown(content, name=name)
            else:
                return content, self._suffix(content)
        except ConfigError as error:
            raise BadRequest(error.message) from error
        return notebook_formats.source_of(found), SUFFIXES[Language(found.language.upper())]

    def _suffix(self, content: bytes) -> str:
        named = Path(self.path).suffix.lower()
        if self.format is ImportFormat.RAW:
            return ""
        if self.format is ImportFormat.AUTO:
            return named if has_header(named, content) or named == ".ipynb" else ""
        if self.format is ImportFormat.JUPYTER:
            return ".ipynb"
        if self.language is None:
            raise InvalidParameterValue("A notebook's source needs its language.")
        return SUFFIXES[self.language]


def _remove(file: Path) -> None:
    file.unlink()
    durable.flush_folder(file.parent)


def _too_large() -> BadRequest:
    return BadRequest(
        f"The content is larger than {_LARGEST_NOTEBOOK} bytes.",
        error_code="MAX_NOTEBOOK_SIZE_EXCEEDED",
    )
