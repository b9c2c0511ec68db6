"""Volumes, through the official client."""

from __future__ import annotations

import contextlib
import io
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import VolumeInfo, VolumeType

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


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
    with pytest.raises(NotFound, match=r"Schema 'main\.nowhere' does not exist"):
        client.volumes.create("main", "nowhere", "v", VolumeType.MANAGED)


@pytest.fixture
def outside(client: WorkspaceClient, tmp_path: Path) -> Iterator[str]:
    name = f"e{uuid.uuid4().hex}"
    external(client, name, (tmp_path / "files").as_uri())
    yield f"main.default.{name}"
    with contextlib.suppress(NotFound):
        client.volumes.delete(f"main.default.{name}")


def external(client: WorkspaceClient, name: str, location: str | None) -> VolumeInfo:
    kind = VolumeType.EXTERNAL
    return client.volumes.create("main", "default", name, kind, storage_location=location)


def test_an_external_volume_is_a_folder_elsewhere(
    client: WorkspaceClient, outside: str, tmp_path: Path
) -> None:
    found = client.volumes.read(outside)
    assert (found.volume_type, found.storage_location) == (
        VolumeType.EXTERNAL,
        (tmp_path / "files").as_uri(),
    )
    (tmp_path / "files" / "there.txt").write_text("x", encoding="utf-8")
    folder = f"/Volumes/{outside.replace('.', '/')}"
    client.files.upload(f"{folder}/a/b.txt", io.BytesIO(b"y"))
    assert (tmp_path / "files" / "a" / "b.txt").read_bytes() == b"y"
    listed = {one.name for one in client.files.list_directory_contents(folder)}
    assert listed == {"there.txt", "a"}
    client.volumes.update(outside, new_name=f"{outside.rpartition('.')[2]}x")
    assert (client.files.download(f"{folder}x/there.txt").contents or io.BytesIO()).read() == b"x"
    client.volumes.delete(f"{outside}x")
    assert sorted(one.name for one in (tmp_path / "files").iterdir()) == ["a", "there.txt"]
    with pytest.raises(NotFound):
        client.files.download(f"{folder}x/there.txt")


def test_a_schema_that_is_deleted_leaves_the_files_of_external_volumes(
    client: WorkspaceClient, tmp_path: Path
) -> None:
    name = f"s{uuid.uuid4().hex}"
    client.schemas.create(name, "main")
    place = tmp_path / "files"
    client.volumes.create("main", name, "v", VolumeType.EXTERNAL, storage_location=str(place))
    (place / "a.txt").write_text("x", encoding="utf-8")
    client.schemas.delete(f"main.{name}", force=True)
    assert (place / "a.txt").read_text(encoding="utf-8") == "x"


def test_a_managed_volume_takes_no_link_that_was_left_behind(
    client: WorkspaceClient, workspace: Workspace, tmp_path: Path
) -> None:
    name = f"m{uuid.uuid4().hex}"
    place = workspace.metastore / "catalog" / "main" / "default" / "_files" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(tmp_path)
    client.volumes.create("main", "default", name, VolumeType.MANAGED)
    assert place.is_dir()
    assert not place.is_symlink()
    client.volumes.delete(f"main.default.{name}")


def test_a_link_in_an_external_volume_leads_nowhere_else(
    client: WorkspaceClient, outside: str, tmp_path: Path
) -> None:
    (tmp_path / "files" / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    with pytest.raises(BadRequest, match="cannot be used"):
        client.files.download(f"/Volumes/{outside.replace('.', '/')}/out/secret")


def test_an_external_volume_of_dbfs_is_that_folder(client: WorkspaceClient) -> None:
    name = f"e{uuid.uuid4().hex}"
    external(client, name, f"dbfs:/{name}")
    client.files.upload(f"/Volumes/main/default/{name}/a.txt", io.BytesIO(b"x"))
    assert [one.path for one in client.dbfs.list(f"/{name}")] == [f"/{name}/a.txt"]
    client.volumes.delete(f"main.default.{name}")
    client.dbfs.delete(f"/{name}", recursive=True)


@pytest.mark.parametrize(
    ("location", "error", "said"),
    [
        (None, InvalidParameterValue, "storage_location"),
        ("s3://b/p", NotServed, "no storage of s3"),
        ("abfss://c@a.dfs.core.windows.net/p", NotServed, "no storage of abfss"),
        ("p", InvalidParameterValue, "not an absolute path"),
        ("file:/p/../q", InvalidParameterValue, "not an absolute path"),
        ("/", BadRequest, "overlaps with .* managed storage"),
        ("{state}/secrets", BadRequest, "overlaps with .* managed storage"),
        ("{outside}/inner", BadRequest, r"overlaps with .* main\.default\.e"),
        ("/Volumes/main/default/v/x", BadRequest, "lies in another volume"),
        ("{outside}/../file", InvalidParameterValue, "not an absolute path"),
        ("/dev/null", InvalidParameterValue, "can be no folder"),
        ("/Volumes/main", InvalidParameterValue, "names no volume"),
    ],
)
def test_an_external_volume_that_cannot_be_is_refused(  # noqa: PLR0917 - what the cases are of
    client: WorkspaceClient,
    workspace: Workspace,
    outside: str,
    tmp_path: Path,
    location: str | None,
    error: type[Exception],
    said: str,
) -> None:
    assert outside
    place = location and location.format(state=workspace.state, outside=tmp_path / "files")
    with pytest.raises(error, match=said):
        external(client, "refused", place)
    with pytest.raises(NotFound):
        client.volumes.read("main.default.refused")
