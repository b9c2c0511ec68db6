"""The tree of workspace objects, through the official client."""

from __future__ import annotations

import base64
import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk.errors import BadRequest, NotFound, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_SOURCE = b"# Databricks notebook source\nprint(1)\n"


@pytest.fixture
def folder(client: WorkspaceClient) -> str:
    path = f"/Users/me@laketop.local/{uuid.uuid4().hex}"
    client.workspace.mkdirs(path)
    return path


def _import_file(
    client: WorkspaceClient, token: str, path: str, content: bytes, *, overwrite: bool
) -> requests.Response:
    """Send a file as the bundle client does: the path is one segment."""
    segment = path.lstrip("/").replace("/", "%2F")
    return requests.post(
        f"{client.config.host}/api/2.0/workspace-files/import-file/{segment}",
        params={"overwrite": str(overwrite).lower()},
        headers={"Authorization": f"Bearer {token}"},
        data=content,
        timeout=60,
    )


def test_a_user_has_a_home(client: WorkspaceClient) -> None:
    found = client.workspace.get_status("/Workspace/Users/me@laketop.local")
    assert found.object_type is ObjectType.DIRECTORY
    assert found.path == "/Users/me@laketop.local"
    assert found.object_id is not None
    assert found.resource_id == str(found.object_id)


def test_making_a_folder_twice_is_fine(client: WorkspaceClient, folder: str) -> None:
    client.workspace.mkdirs(f"{folder}/a/b")
    client.workspace.mkdirs(f"/Workspace{folder}/a/b")
    assert client.workspace.get_status(f"{folder}/a").object_type is ObjectType.DIRECTORY


def test_an_unknown_path_does_not_exist(client: WorkspaceClient, folder: str) -> None:
    with pytest.raises(ResourceDoesNotExist, match=r"Path \(.*nothing\) doesn't exist"):
        client.workspace.get_status(f"{folder}/nothing")
    with pytest.raises(ResourceDoesNotExist):
        client.workspace.delete(f"{folder}/nothing", recursive=True)


def test_a_file_is_imported_as_one_segment(
    client: WorkspaceClient, token: str, folder: str
) -> None:
    path = f"{folder}/a+b ü.txt".replace(" ", "%20").replace("+", "%2B").replace("ü", "%C3%BC")
    assert _import_file(client, token, path, b"content", overwrite=True).status_code == 200
    found = client.workspace.get_status(f"{folder}/a+b ü.txt")
    assert found.object_type is ObjectType.FILE
    assert found.size == 7
    assert client.workspace.download(f"{folder}/a+b ü.txt").read() == b"content"


def test_a_file_without_a_folder_is_not_found_and_the_folder_is_named(
    client: WorkspaceClient, token: str, folder: str
) -> None:
    answer = _import_file(client, token, f"{folder}/new/f", b"", overwrite=True)
    assert answer.status_code == 404
    assert answer.json() == {
        "error_code": "NOT_FOUND",
        "message": f"The parent folder ({folder}/new) does not exist.",
    }


def test_a_lock_is_taken_once(client: WorkspaceClient, token: str, folder: str) -> None:
    assert _import_file(client, token, f"{folder}/l", b"1", overwrite=False).status_code == 200
    answer = _import_file(client, token, f"{folder}/l", b"2", overwrite=False)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "ALREADY_EXISTS")
    assert client.workspace.download(f"{folder}/l").read() == b"1"


def test_a_source_with_the_header_is_a_notebook_without_extension(
    client: WorkspaceClient, token: str, folder: str
) -> None:
    _import_file(client, token, f"{folder}/nb.py", _SOURCE, overwrite=True)
    _import_file(client, token, f"{folder}/module.py", b"print(1)\n", overwrite=True)
    listed = {one.path: one for one in client.workspace.list(folder)}
    assert set(listed) == {f"{folder}/nb", f"{folder}/module.py"}
    assert listed[f"{folder}/nb"].object_type is ObjectType.NOTEBOOK
    assert listed[f"{folder}/nb"].language is Language.PYTHON
    exported = client.workspace.export(f"{folder}/nb")
    assert base64.b64decode(exported.content or "") == _SOURCE


def test_export_info_is_given_when_asked_for(
    client: WorkspaceClient, token: str, folder: str
) -> None:
    _import_file(client, token, f"{folder}/nb.py", _SOURCE, overwrite=True)
    found = client.api_client.do(
        "GET",
        "/api/2.0/workspace/get-status",
        query={"path": f"{folder}/nb", "return_export_info": "true"},
    )
    assert isinstance(found, dict)
    assert found["repos_export_format"] == "SOURCE"


def test_an_imported_source_becomes_a_notebook(client: WorkspaceClient, folder: str) -> None:
    client.workspace.import_(
        f"{folder}/nb",
        content=base64.b64encode(b"print(2)\n").decode(),
        format=ImportFormat.SOURCE,
        language=Language.PYTHON,
    )
    assert client.workspace.get_status(f"{folder}/nb").object_type is ObjectType.NOTEBOOK
    source = client.workspace.download(f"{folder}/nb").read()
    assert source == b"# Databricks notebook source\nprint(2)\n"


def test_a_form_is_imported(client: WorkspaceClient, folder: str) -> None:
    content = b"\x00\r\n--boundary\r\n\xff"
    client.workspace.upload(f"{folder}/f.bin", io.BytesIO(content), format=ImportFormat.AUTO)
    assert client.workspace.download(f"{folder}/f.bin").read() == content


def test_importing_over_something_has_to_be_asked_for(client: WorkspaceClient, folder: str) -> None:
    client.workspace.upload(f"{folder}/f", b"1", format=ImportFormat.AUTO)
    with pytest.raises(ResourceAlreadyExists):
        client.workspace.import_(f"{folder}/f", content="Mg==", format=ImportFormat.AUTO)
    client.workspace.upload(f"{folder}/f", b"3", format=ImportFormat.AUTO, overwrite=True)
    assert client.workspace.download(f"{folder}/f").read() == b"3"


def test_a_notebook_that_changes_its_language_is_still_one(
    client: WorkspaceClient, folder: str
) -> None:
    for language in (Language.PYTHON, Language.SQL):
        client.workspace.upload(f"{folder}/nb", b"select 1", language=language, overwrite=True)
    assert [one.language for one in client.workspace.list(folder)] == [Language.SQL]


def test_a_folder_that_holds_something_is_deleted_on_request_only(
    client: WorkspaceClient, folder: str
) -> None:
    client.workspace.mkdirs(f"{folder}/a/b")
    with pytest.raises(BadRequest, match="not empty") as caught:
        client.workspace.delete(f"{folder}/a")
    assert caught.value.error_code == "DIRECTORY_NOT_EMPTY"
    client.workspace.delete(f"{folder}/a", recursive=True)
    with pytest.raises(ResourceDoesNotExist):
        client.workspace.get_status(f"{folder}/a")


def test_protected_folders_stay(client: WorkspaceClient) -> None:
    for path in ("/", "/Users", "/Workspace/Shared"):
        with pytest.raises(InvalidParameterValue, match="protected"):
            client.workspace.delete(path, recursive=True)


def test_what_cannot_be_converted_is_refused_by_name(client: WorkspaceClient, folder: str) -> None:
    with pytest.raises(BadRequest, match="holds no notebook's model"):
        client.workspace.import_(f"{folder}/h", content="", format=ImportFormat.HTML)
    with pytest.raises(BadRequest, match="'h' is not a Databricks archive"):
        client.workspace.import_(f"{folder}/h", content="", format=ImportFormat.DBC)


def test_a_notebook_comes_back_from_an_archive(client: WorkspaceClient, folder: str) -> None:
    source = (
        b"-- Databricks notebook source\nSELECT 1\n\n-- COMMAND ----------\n\n-- MAGIC %python\n"
    )
    source += b"-- MAGIC print(2)\n"
    client.workspace.upload(f"{folder}/nb", source, language=Language.SQL)
    told = client.workspace.export(f"{folder}/nb", format=ExportFormat.DBC)
    assert told.file_type == "dbc"
    packed = base64.b64decode(told.content or "")
    client.workspace.upload(f"{folder}/again", packed, format=ImportFormat.DBC)
    found = client.workspace.get_status(f"{folder}/again")
    assert (found.object_type, found.language) == (ObjectType.NOTEBOOK, Language.SQL)
    assert client.workspace.download(f"{folder}/again").read() == source
    with pytest.raises(ResourceAlreadyExists, match=f"{folder}/again"):
        client.workspace.upload(f"{folder}/again", packed, format=ImportFormat.DBC)
    with pytest.raises(InvalidParameterValue, match="overwritten"):
        client.workspace.import_(
            f"{folder}/nb", content=told.content, format=ImportFormat.DBC, overwrite=True
        )
    with pytest.raises(NotFound, match="parent folder"):
        client.workspace.upload(f"{folder}/none/nb", packed, format=ImportFormat.DBC)


def test_a_folder_comes_back_from_an_archive(
    client: WorkspaceClient, ann: WorkspaceClient, folder: str
) -> None:
    client.workspace.mkdirs(f"{folder}/from/deep")
    for name, language in (("a.b", Language.PYTHON), ("deep/c", Language.R)):
        client.workspace.upload(f"{folder}/from/{name}", b"print(2)", language=language)
    client.workspace.upload(f"{folder}/from/notes.txt", b"notes", format=ImportFormat.RAW)
    packed = client.workspace.export(f"{folder}/from", format=ExportFormat.DBC).content or ""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
        assert sorted(archive.namelist()) == ["from/a.b.python", "from/deep/c.r"]
    client.workspace.import_(f"{folder}/to", content=packed, format=ImportFormat.DBC)
    made = client.workspace.list(f"{folder}/to", recursive=True)
    assert sorted((one.path or "", str(one.language)) for one in made) == [
        (f"{folder}/to/a.b", "Language.PYTHON"),
        (f"{folder}/to/deep/c", "Language.R"),
    ]
    assert client.workspace.download(f"{folder}/to/deep/c").read() == (
        b"# Databricks notebook source\nprint(2)\n"
    )
    with pytest.raises(PermissionDenied):
        ann.workspace.import_(f"{folder}/theirs", content=packed, format=ImportFormat.DBC)


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/../out", "a\\b", "a;b", "%2e"])
def test_an_archive_makes_nothing_out_of_its_folder(
    client: WorkspaceClient, folder: str, name: str
) -> None:
    client.workspace.mkdirs(f"{folder}/in")
    sent = base64.b64encode(_archive("fine", name)).decode()
    with pytest.raises(InvalidParameterValue, match="cannot be used"):
        client.workspace.import_(f"{folder}/in/x", content=sent, format=ImportFormat.DBC)
    assert [one.path for one in client.workspace.list(folder, recursive=True)] == []


def _archive(*names: str, **told: Any) -> bytes:
    model = json.dumps({"version": "NotebookV1", "language": "python", "commands": [], **told})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(f"{name}.python", model)
    return content.getvalue()


@pytest.mark.parametrize("names", [("a", "a.py/b"), ("a.py/b", "a")])
def test_an_archive_with_a_notebook_and_a_folder_of_one_place_is_refused(
    client: WorkspaceClient, folder: str, names: tuple[str, str]
) -> None:
    with pytest.raises(BadRequest, match="both a notebook and a folder"):
        client.workspace.upload(f"{folder}/x", _archive(*names), format=ImportFormat.DBC)
    assert [one.path for one in client.workspace.list(folder)] == []


@pytest.mark.parametrize(("position", "command"), [(10**400, ""), (1, "\ud800")])
def test_an_archive_with_a_model_that_cannot_be_kept_is_refused(
    client: WorkspaceClient, folder: str, position: int, command: str
) -> None:
    content = _archive("a", commands=[{"position": position, "command": command}])
    with pytest.raises(BadRequest, match="its model cannot be read"):
        client.workspace.upload(f"{folder}/x", content, format=ImportFormat.DBC)


def test_a_folder_of_one_notebook_comes_back_as_a_folder(
    client: WorkspaceClient, folder: str
) -> None:
    client.workspace.mkdirs(f"{folder}/one")
    client.workspace.upload(f"{folder}/one/n", b"print(2)", language=Language.PYTHON)
    packed = client.workspace.export(f"{folder}/one", format=ExportFormat.DBC).content or ""
    client.workspace.import_(f"{folder}/new", content=packed, format=ImportFormat.DBC)
    made = client.workspace.list(f"{folder}/new", recursive=True)
    assert [one.path for one in made] == [f"{folder}/new/n"]


def test_files_that_are_not_exported_do_not_count_in_the_size_of_an_export(
    client: WorkspaceClient, token: str, folder: str
) -> None:
    client.workspace.upload(f"{folder}/nb", b"print(2)", language=Language.PYTHON)
    for name in ("a.bin", "b.bin"):
        path, content = f"{folder}/{name}", bytes(6 * 1024 * 1024)
        assert _import_file(client, token, path, content, overwrite=False).ok
    for chosen in (ExportFormat.SOURCE, ExportFormat.JUPYTER, ExportFormat.DBC):
        assert client.workspace.export(folder, format=chosen).content
    with pytest.raises(BadRequest, match="larger than"):
        client.workspace.export(folder, format=ExportFormat.AUTO)


def test_a_notebook_is_exported_in_every_format(client: WorkspaceClient, folder: str) -> None:
    client.workspace.upload(f"{folder}/nb", b"print(2)", language=Language.PYTHON)
    formats = (ExportFormat.JUPYTER, ExportFormat.HTML, ExportFormat.AUTO, ExportFormat.RAW)
    found = {one: client.workspace.export(f"{folder}/nb", format=one) for one in formats}
    kinds = {one: told.file_type for one, told in found.items()}
    assert list(kinds.values()) == ["ipynb", "html", "py", "py"]
    jupyter = base64.b64decode(found[ExportFormat.JUPYTER].content or "")
    client.workspace.upload(f"{folder}/again", jupyter, format=ImportFormat.JUPYTER)
    source = client.workspace.download(f"{folder}/again").read()
    assert source == b"# Databricks notebook source\nprint(2)\n"
    for export, import_, start in (
        (ExportFormat.HTML, ImportFormat.HTML, b"# Databricks notebook source\nprint(2)\n"),
        (
            ExportFormat.R_MARKDOWN,
            ImportFormat.R_MARKDOWN,
            b"# Databricks notebook source\n# MAGIC %python\n# MAGIC print(2)\n",
        ),
    ):
        sent = base64.b64decode(
            client.workspace.export(f"{folder}/nb", format=export).content or ""
        )
        client.workspace.upload(f"{folder}/from {export.value}", sent, format=import_)
        assert client.workspace.download(f"{folder}/from {export.value}").read() == start
    told = client.workspace.get_status(f"{folder}/from R_MARKDOWN")
    assert (told.object_type, told.language) == (ObjectType.NOTEBOOK, Language.R)
    client.workspace.upload(f"{folder}/broken", b"{}", format=ImportFormat.JUPYTER)
    with pytest.raises(BadRequest, match="not a Jupyter notebook"):
        client.workspace.export(f"{folder}/broken", format=ExportFormat.HTML)


def test_a_folder_is_exported_as_a_zip_of_what_the_caller_may_see(
    client: WorkspaceClient, folder: str, ann: WorkspaceClient
) -> None:
    client.workspace.mkdirs(f"{folder}/deep")
    client.workspace.upload(f"{folder}/deep/nb", b"print(2)", language=Language.PYTHON)
    client.workspace.upload(f"{folder}/notes.txt", b"notes", format=ImportFormat.RAW)

    def names(chosen: ExportFormat) -> list[str]:
        told = client.workspace.export(folder, format=chosen)
        assert told.file_type == "zip"
        packed = io.BytesIO(base64.b64decode(told.content or ""))
        with zipfile.ZipFile(packed) as archive:
            assert archive.testzip() is None
            return sorted(archive.namelist())

    assert names(ExportFormat.SOURCE) == ["deep/nb.py"]
    assert names(ExportFormat.AUTO) == ["deep/nb.py", "notes.txt"]
    assert names(ExportFormat.HTML) == ["deep/nb.html"]
    assert names(ExportFormat.JUPYTER) == ["deep/nb.ipynb"]
    assert names(ExportFormat.R_MARKDOWN) == ["deep/nb.rmd"]
    with pytest.raises(PermissionDenied):
        ann.workspace.export(folder)


def test_a_path_has_to_be_absolute(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="must be absolute"):
        client.workspace.mkdirs("Users/x")
    with pytest.raises(NotFound):
        client.workspace.upload("/Nowhere/at/all", b"", format=ImportFormat.AUTO)
