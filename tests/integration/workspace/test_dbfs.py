"""DBFS, through the official client."""

from __future__ import annotations

import base64
import io
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


@pytest.fixture
def folder(client: WorkspaceClient) -> str:
    name = f"/{secrets.token_hex(4)}"
    client.dbfs.mkdirs(name)
    return name


def test_a_large_file_is_uploaded_in_blocks_and_comes_back(
    client: WorkspaceClient, folder: str, workspace: Workspace
) -> None:
    content = secrets.token_bytes(2_500_000)
    client.dbfs.upload(f"{folder}/a b", io.BytesIO(content))
    with client.dbfs.download(f"{folder}/a b") as file:
        assert file.read() == content
    told = client.dbfs.get_status(f"{folder}/a b")
    assert (told.path, told.is_dir, told.file_size) == (f"{folder}/a b", False, 2_500_000)
    assert (workspace.state / "dbfs" / folder[1:] / "a b").read_bytes() == content
    assert list((workspace.state / "uploads").iterdir()) == []


def test_a_file_is_there_once_it_is_closed(client: WorkspaceClient, folder: str) -> None:
    path = f"{folder}/f"
    handle = client.dbfs.create(path).handle or 0
    client.dbfs.add_block(handle, base64.b64encode(b"one").decode())
    with pytest.raises(ResourceDoesNotExist):
        client.dbfs.get_status(path)
    client.dbfs.close(handle)
    assert client.dbfs.read(path).data == base64.b64encode(b"one").decode()
    with pytest.raises(ResourceDoesNotExist, match="No open handle"):
        client.dbfs.close(handle)
    with pytest.raises(ResourceDoesNotExist, match="No open handle"):
        client.dbfs.add_block(handle, "")
    with pytest.raises(ResourceAlreadyExists):
        client.dbfs.create(path)
    client.dbfs.close(client.dbfs.create(path, overwrite=True).handle or 0)
    assert client.dbfs.get_status(path).file_size == 0


def test_parts_are_read(client: WorkspaceClient, folder: str) -> None:
    path = f"{folder}/f"
    client.dbfs.put(path, contents=base64.b64encode(b"0123456789").decode())
    for offset, length, part in ((2, 3, b"234"), (8, 9, b"89"), (99, 1, b""), (2**62, 1, b"")):
        told = client.dbfs.read(path, offset=offset, length=length)
        assert (told.bytes_read, base64.b64decode(told.data or "")) == (len(part), part)
    with pytest.raises(BadRequest) as caught:
        client.dbfs.read(path, length=2**20 + 1)
    assert caught.value.error_code == "MAX_READ_SIZE_EXCEEDED"
    with pytest.raises(InvalidParameterValue):
        client.dbfs.read(folder)


def test_files_are_listed_moved_and_deleted(client: WorkspaceClient, folder: str) -> None:
    for name in ("b", "a/c"):
        client.dbfs.put(f"{folder}/{name}", contents="")
    listed = client.api_client.do("GET", "/api/2.0/dbfs/list", query={"path": folder})
    assert isinstance(listed, dict)
    assert [one["path"] for one in listed["files"]] == [f"{folder}/a", f"{folder}/b"]
    do = client.api_client.do
    move = {"source_path": f"{folder}/b", "destination_path": f"{folder}/d"}
    do("POST", "/api/2.0/dbfs/move", body=move)
    with pytest.raises(ResourceDoesNotExist):
        do("POST", "/api/2.0/dbfs/move", body=move)
    client.dbfs.put(f"{folder}/b", contents="")
    with pytest.raises(ResourceAlreadyExists):
        do("POST", "/api/2.0/dbfs/move", body=move)
    with pytest.raises(BadRequest) as caught:
        do("POST", "/api/2.0/dbfs/delete", body={"path": folder})
    assert caught.value.error_code == "IO_ERROR"
    for _ in range(2):
        client.dbfs.delete(folder, recursive=True)
    with pytest.raises(ResourceDoesNotExist):
        client.dbfs.get_status(folder)


@pytest.mark.parametrize("path", ["/../x", "x", "/a/../../x", "/%2e%2e/x", "/a\\b"])
def test_a_path_stays_inside(client: WorkspaceClient, path: str) -> None:
    with pytest.raises(InvalidParameterValue):
        client.dbfs.put(path, contents="")


def test_blocks_are_base64_of_at_most_a_mebibyte(client: WorkspaceClient, folder: str) -> None:
    with pytest.raises(InvalidParameterValue, match="base64"):
        client.dbfs.put(f"{folder}/f", contents="%")
    big = base64.b64encode(b"x" * (2**20 + 1)).decode()
    with pytest.raises(BadRequest) as caught:
        client.dbfs.put(f"{folder}/f", contents=big)
    assert caught.value.error_code == "MAX_BLOCK_SIZE_EXCEEDED"
