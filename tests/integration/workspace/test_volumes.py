"""Volumes, through the official client."""

from __future__ import annotations

import io
import uuid

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import VolumeType


@pytest.fixture
def volume(client: WorkspaceClient) -> str:
    name = f"v{uuid.uuid4().hex}"
    client.volumes.create("main", "default", name, VolumeType.MANAGED, comment="raw")
    return f"main.default.{name}"


def test_a_volume_reads_as_it_was_made_and_takes_files(
    client: WorkspaceClient, volume: str
) -> None:
    found = client.volumes.read(volume)
    assert (found.full_name, found.comment, found.volume_type) == (
        volume,
        "raw",
        VolumeType.MANAGED,
    )
    assert found.volume_id
    path = f"/Volumes/{volume.replace('.', '/')}/a/b.txt"
    client.files.upload(path, io.BytesIO(b"x"))
    assert (client.files.download(path).contents or io.BytesIO()).read() == b"x"
    assert volume in {one.full_name for one in client.volumes.list("main", "default")}


def test_a_new_name_takes_files_and_grants_along(client: WorkspaceClient, volume: str) -> None:
    client.files.upload(f"/Volumes/{volume.replace('.', '/')}/a.txt", io.BytesIO(b"x"))
    name = volume.rpartition(".")[2] + "x"
    client.volumes.update(volume, new_name=name, comment="other")
    assert client.volumes.read(f"{volume}x").comment == "other"
    moved = client.files.download(f"/Volumes/{volume.replace('.', '/')}x/a.txt").contents
    assert (moved or io.BytesIO()).read() == b"x"
    with pytest.raises(NotFound):
        client.volumes.read(volume)


def test_a_deleted_volume_is_gone_with_its_files(client: WorkspaceClient, volume: str) -> None:
    path = f"/Volumes/{volume.replace('.', '/')}/a.txt"
    client.files.upload(path, io.BytesIO(b"x"))
    client.volumes.delete(volume)
    with pytest.raises(NotFound, match=f"Volume '{volume}' does not exist"):
        client.volumes.read(volume)
    client.volumes.create("main", "default", volume.rpartition(".")[2], VolumeType.MANAGED)
    with pytest.raises(NotFound):
        client.files.download(path)


def test_what_cannot_be_is_said(client: WorkspaceClient, volume: str) -> None:
    with pytest.raises(BadRequest, match="already exists"):
        client.volumes.create("main", "default", volume.rpartition(".")[2], VolumeType.MANAGED)
    with pytest.raises(NotServed, match="external"):
        client.volumes.create(
            "main", "default", "e", VolumeType.EXTERNAL, storage_location="s3://b"
        )
    with pytest.raises(NotFound, match=r"Schema 'main\.nowhere' does not exist"):
        client.volumes.create("main", "nowhere", "v", VolumeType.MANAGED)
