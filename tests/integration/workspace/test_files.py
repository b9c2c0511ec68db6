"""The Files API, through the official client."""

from __future__ import annotations

import io
import json
import threading
import uuid
from typing import TYPE_CHECKING

import pytest
import requests
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
)
from databricks.sdk.service import catalog

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from tests.integration.workspace.conftest import Served

    from laketop.workspace.workspace import Workspace


def _make_volume(workspace: Workspace, catalog: str, schema: str, volume: str) -> str:
    home = workspace.state / "catalog" / catalog / schema / "_volumes"
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{volume}.json").write_text(json.dumps({"name": volume}))
    return f"/Volumes/{catalog}/{schema}/{volume}"


@pytest.fixture
def volume(workspace: Workspace) -> str:
    return _make_volume(workspace, "main", "default", f"v{uuid.uuid4().hex}")


def _read(client: WorkspaceClient, path: str) -> bytes:
    contents = client.files.download(path).contents
    assert contents is not None
    with contents:
        return contents.read()


@pytest.mark.parametrize("name", ["a.txt", "a b.txt", "ä+é%20.bin", "deep/er/x@y=1/f", "100%"])
def test_a_file_is_read_as_it_was_written(client: WorkspaceClient, volume: str, name: str) -> None:
    client.files.upload(f"{volume}/{name}", io.BytesIO(b"\x00content"))
    assert _read(client, f"{volume}/{name}") == b"\x00content"


def test_a_large_file_is_streamed(client: WorkspaceClient, volume: str) -> None:
    content = bytes(range(256)) * 4096 * 12
    client.files.upload(f"{volume}/large", io.BytesIO(content))
    assert _read(client, f"{volume}/large") == content
    assert client.files.get_metadata(f"{volume}/large").content_length == len(content)


def test_a_file_too_large_for_one_request_falls_back_to_one_request(
    client: WorkspaceClient, volume: str
) -> None:
    content = b"x" * (51 * 1024 * 1024)
    client.files.upload(f"{volume}/huge", io.BytesIO(content))
    assert client.files.get_metadata(f"{volume}/huge").content_length == len(content)


def test_a_file_is_on_disk_where_spark_reads_it(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    volume = _make_volume(workspace, "main", "default", "on_disk")
    client.files.upload(f"{volume}/d/f", io.BytesIO(b"1"))
    assert (workspace.state / "catalog/main/default/_files/on_disk/d/f").read_bytes() == b"1"


def test_overwriting_has_to_be_asked_for(client: WorkspaceClient, volume: str) -> None:
    client.files.upload(f"{volume}/f", io.BytesIO(b"1"))
    with pytest.raises(AlreadyExists):
        client.files.upload(f"{volume}/f", io.BytesIO(b"2"))
    assert _read(client, f"{volume}/f") == b"1"
    client.files.upload(f"{volume}/f", io.BytesIO(b"3"), overwrite=True)
    assert _read(client, f"{volume}/f") == b"3"


def test_an_unknown_volume_is_not_found(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match=r"Volume 'main\.default\.nothing' does not exist"):
        client.files.upload("/Volumes/main/default/nothing/f", io.BytesIO(b"1"))


def test_an_unknown_file_is_not_found(client: WorkspaceClient, volume: str) -> None:
    for call in (client.files.download, client.files.get_metadata, client.files.delete):
        with pytest.raises(NotFound):
            call(f"{volume}/nothing")
    with pytest.raises(NotFound):
        client.files.get_directory_metadata(f"{volume}/nothing")


def test_another_root_is_refused(client: WorkspaceClient) -> None:
    for path in ("/etc/passwd", "/Volumes/a/b", "/Models/a/b/c"):
        with pytest.raises(InvalidParameterValue):
            client.files.upload(path, io.BytesIO(b"1"))


def test_directories_are_made_listed_and_deleted(client: WorkspaceClient, volume: str) -> None:
    client.files.create_directory(f"{volume}/d/e")
    client.files.create_directory(f"{volume}/d/e")
    client.files.upload(f"{volume}/d/f", io.BytesIO(b"123"))
    client.files.get_directory_metadata(f"{volume}/d")
    found = {one.name: one for one in client.files.list_directory_contents(f"{volume}/d")}
    assert set(found) == {"e", "f"}
    assert found["e"].is_directory
    assert not found["f"].is_directory
    assert found["f"].file_size == 3
    assert found["f"].path == f"{volume}/d/f"
    with pytest.raises(BadRequest, match="not empty"):
        client.files.delete_directory(f"{volume}/d")
    client.files.delete(f"{volume}/d/f")
    client.files.delete_directory(f"{volume}/d/e")
    client.files.delete_directory(f"{volume}/d")
    with pytest.raises(NotFound):
        client.files.get_directory_metadata(f"{volume}/d")


def test_an_empty_volume_is_an_empty_directory(client: WorkspaceClient, volume: str) -> None:
    client.files.get_directory_metadata(volume)
    assert list(client.files.list_directory_contents(volume)) == []


def test_listings_come_in_pages(client: WorkspaceClient, volume: str) -> None:
    names = [f"f{n:02}" for n in range(7)]
    for name in names:
        client.files.upload(f"{volume}/{name}", io.BytesIO(b""))
    listed = client.files.list_directory_contents(volume, page_size=3)
    assert [one.name for one in listed] == names


def test_a_file_in_the_way_is_a_conflict(client: WorkspaceClient, volume: str) -> None:
    client.files.upload(f"{volume}/f", io.BytesIO(b"1"))
    with pytest.raises(AlreadyExists):
        client.files.upload(f"{volume}/f/g", io.BytesIO(b"1"))
    with pytest.raises(AlreadyExists):
        client.files.create_directory(f"{volume}/f")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-2", 206, b"012"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=5-500", 206, b"56789"),
        ("bytes=10-", 416, b""),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_a_part_of_a_file_can_be_asked_for(
    served: Served, volume: str, asked: str, status: int, content: bytes
) -> None:
    served.client.files.upload(f"{volume}/digits", io.BytesIO(b"0123456789"))
    answer = requests.get(
        f"{served.host}/api/2.0/fs/files{volume}/digits",
        headers={"Authorization": f"Bearer {served.token}", "Range": asked},
        timeout=60,
    )
    assert (answer.status_code, answer.content) == (status, content)


def test_a_file_that_changed_meanwhile_fails_the_precondition(
    client: WorkspaceClient, token: str, volume: str
) -> None:
    client.files.upload(f"{volume}/f", io.BytesIO(b"1"))
    answer = requests.get(
        f"{client.config.host}/api/2.0/fs/files{volume}/f",
        headers={
            "Authorization": f"Bearer {token}",
            "If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT",
        },
        timeout=60,
    )
    assert answer.status_code == 412


@pytest.mark.parametrize(
    "root", ["/Models/main/ml/model/1", "/WorkspaceInternal/Mlflow/Artifacts/1/run/artifacts"]
)
def test_models_and_artifacts_are_kept_too(client: WorkspaceClient, root: str) -> None:
    client.files.upload(f"{root}/model/MLmodel", io.BytesIO(b"1"), overwrite=True)
    assert _read(client, f"{root}/model/MLmodel") == b"1"
    assert [one.name for one in client.files.list_directory_contents(root)] == ["model"]


def test_nothing_is_left_of_an_upload_that_was_refused(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    with pytest.raises(NotFound):
        client.files.upload("/Volumes/main/default/nothing/f", io.BytesIO(b"1"))
    assert list((workspace.state / "uploads").iterdir()) == []


def test_listing_while_files_come_and_go_never_fails(
    client: WorkspaceClient, workspace: Workspace
) -> None:
    volume = _make_volume(workspace, "main", "default", "busy")
    folder = workspace.state / "catalog/main/default/_files/busy"
    folder.mkdir(parents=True)
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            for number in range(20):
                (folder / f"f{number}").touch()
            for number in range(20):
                (folder / f"f{number}").unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(50):
            list(client.files.list_directory_contents(volume))
    finally:
        is_over.set()
        thread.join()


def test_the_owner_of_a_schema_reads_the_files_of_anothers_volume_only_by_a_grant(
    client: WorkspaceClient, ann: WorkspaceClient
) -> None:
    name = ann.current_user.me().user_name or ""
    schema = client.schemas.create(f"s{uuid.uuid4().hex}", "main").full_name or ""
    part = schema.removeprefix("main.")
    client.volumes.create("main", part, "v", catalog.VolumeType.MANAGED)
    client.schemas.update(schema, owner=name)
    path = f"/Volumes/main/{part}/v/a"
    client.files.upload(path, io.BytesIO(b"secret"))
    assert ann.volumes.read(f"{schema}.v").name == "v"
    with pytest.raises(PermissionDenied, match="does not have READ VOLUME on Volume"):
        _read(ann, path)
    with pytest.raises(PermissionDenied, match="does not have WRITE VOLUME on Volume"):
        ann.files.upload(path, io.BytesIO(b"mine"), overwrite=True)
    wanted = [catalog.PermissionsChange(add=[catalog.Privilege.READ_VOLUME], principal=name)]
    ann.grants.update("volume", f"{schema}.v", changes=wanted)
    assert _read(ann, path) == b"secret"
    ann.volumes.create("main", part, "own", catalog.VolumeType.MANAGED)
    own = f"/Volumes/main/{part}/own/a"
    ann.files.upload(own, io.BytesIO(b"mine"))
    assert _read(ann, own) == b"mine"
