"""Large files in parts, and signed links, through the official client."""

from __future__ import annotations

import io
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    AlreadyExists,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
)
from databricks.sdk.service.catalog import VolumeType

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

DO = "/api/2.0/fs"


@pytest.fixture(scope="module")
def volume(client: WorkspaceClient) -> str:
    client.volumes.create("main", "default", "large", VolumeType.MANAGED)
    return "/Volumes/main/default/large"


def begun(client: WorkspaceClient, path: str, **query: Any) -> str:
    told = client.api_client.do(
        "POST", f"{DO}/files{path}", query={"action": "initiate-upload", **query}
    )
    assert isinstance(told, dict)
    return str(told["multipart_upload"]["session_token"])


def urls(client: WorkspaceClient, path: str, token: str, count: int) -> list[str]:
    body = {"path": path, "session_token": token, "start_part_number": 1, "count": count}
    told = client.api_client.do("POST", f"{DO}/create-upload-part-urls", body=body)
    assert isinstance(told, dict)
    return [one["url"] for one in told["upload_part_urls"]]


def completed(client: WorkspaceClient, path: str, token: str, parts: list[dict[str, Any]]) -> None:
    query = {
        "action": "complete-upload",
        "upload_type": "multipart",
        "session_token": token,
    }
    client.api_client.do("POST", f"{DO}/files{path}", query=query, body={"parts": parts})


def test_the_client_uploads_a_large_file_in_parts(
    host: str, token: str, volume: str, workspace: Workspace
) -> None:
    client = WorkspaceClient(host=host, token=token)
    config = client.files._config  # the client's own copy
    config.files_ext_multipart_upload_min_stream_size = 1_000_000
    config.files_ext_multipart_upload_default_part_size = 700_000
    content = secrets.token_bytes(3_000_000)
    before = set((workspace.state / "multipart").iterdir())
    client.files.upload(f"{volume}/big file", io.BytesIO(content), overwrite=True)
    found = client.files.download(f"{volume}/big file").contents
    assert found is not None
    assert found.read() == content
    assert set((workspace.state / "multipart").iterdir()) == before
    with workspace.store.transaction(write=False):
        bodies = workspace.store.execute(
            "SELECT body FROM system_rows WHERE body LIKE '%big file%'"
        )
    actions = [json.loads(body)["request_params"].get("action") for (body,) in bodies]
    assert actions == ["initiate-upload", "complete-upload"]


def test_a_link_lets_one_part_in_and_nothing_else(client: WorkspaceClient, volume: str) -> None:
    path = f"{volume}/{secrets.token_hex(4)}"
    token = begun(client, path)
    first, second = urls(client, path, token, 2)
    answer = requests.put(first, data=b"one", timeout=60)
    assert answer.status_code == 200
    etag = answer.headers["ETag"]
    for wrong in (
        first.replace("/1?", "/2?"),
        re.sub("signature=.", "signature=!", first),
        first.replace("laketop-user=me", "laketop-user=ann"),
        first.replace("laketop-until=", "laketop-until=9"),
    ):
        assert requests.put(wrong, data=b"x", timeout=60).status_code == 403, wrong
    assert requests.get(first, timeout=60).status_code == 403
    assert requests.put(first.partition("?")[0], data=b"x", timeout=60).status_code == 401
    with pytest.raises(InvalidParameterValue, match="Part 2 was not uploaded"):
        completed(client, path, token, [{"part_number": 2, "etag": etag}])
    requests.put(second, data=b" two", timeout=60)
    last = requests.put(second, data=b" and two", timeout=60).headers["ETag"]
    parts = [{"part_number": 1, "etag": etag}, {"part_number": 2, "etag": last}]
    with pytest.raises(InvalidParameterValue, match="in their order"):
        completed(client, path, token, parts[::-1])
    completed(client, path, token, parts)
    contents = client.files.download(path).contents
    assert contents is not None
    assert contents.read() == b"one and two"
    with pytest.raises(NotFound):
        completed(client, path, token, parts)
    assert requests.put(first, data=b"x", timeout=60).status_code == 404


def test_an_upload_is_its_users_and_its_paths(
    client: WorkspaceClient, ann: WorkspaceClient, volume: str
) -> None:
    path = f"{volume}/{secrets.token_hex(4)}"
    token = begun(client, path)
    for who, other in ((ann, path), (client, f"{path}2")):
        with pytest.raises(NotFound, match="no such upload"):
            urls(who, other, token, 1)
    with pytest.raises(PermissionDenied):
        begun(ann, path)
    query = {"action": "abort-upload", "session_token": token}
    client.api_client.do("POST", f"{DO}/files{path}", query=query)
    with pytest.raises(NotFound, match="no such upload"):
        urls(client, path, token, 1)


def test_a_file_that_is_there_stays_unless_it_may_be_overwritten(
    client: WorkspaceClient, volume: str
) -> None:
    path = f"{volume}/{secrets.token_hex(4)}"
    client.files.upload(path, io.BytesIO(b"old"))
    with pytest.raises(AlreadyExists):
        begun(client, path)
    assert begun(client, path, overwrite=True)


def test_a_download_link_opens_one_file_until_its_time(
    client: WorkspaceClient, ann: WorkspaceClient, volume: str
) -> None:
    path = f"{volume}/a b {secrets.token_hex(4)}"
    client.files.upload(path, io.BytesIO(b"0123456789"))
    ask = f"{DO}/create-download-url"
    told = client.api_client.do("POST", ask, query={"path": path})
    assert isinstance(told, dict)
    assert requests.get(told["url"], timeout=60).content == b"0123456789"
    part = requests.get(told["url"], headers={"Range": "bytes=2-4"}, timeout=60)
    assert (part.status_code, part.content) == (206, b"234")
    assert requests.put(told["url"], data=b"x", timeout=60).status_code == 403
    past = {"path": path, "expire_time": "2020-01-01T00:00:00Z"}
    late = client.api_client.do("POST", ask, query=past)
    assert isinstance(late, dict)
    assert requests.get(late["url"], timeout=60).status_code == 403
    with pytest.raises(PermissionDenied):
        ann.api_client.do("POST", ask, query={"path": path})
    with pytest.raises(NotFound):
        client.api_client.do("POST", ask, query={"path": f"{path}2"})
