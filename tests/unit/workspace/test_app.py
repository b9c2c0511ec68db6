"""The face of the workspace, where no socket is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from laketop.settings import Settings
from laketop.workspace.app import Face, create_app
from laketop.workspace.clock import MovableClock
from laketop.workspace.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    settings = Settings(root=tmp_path, cache=tmp_path)
    workspace = Workspace(settings, now_ms=MovableClock(lambda: 1_000))
    yield workspace
    workspace.shutdown()


def _call(app: Any, scope: dict[str, Any]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_a_websocket_is_turned_away(workspace: Workspace) -> None:
    scope = {"type": "websocket", "path": "/", "raw_path": b"/", "headers": []}
    assert _call(Face(workspace), scope) == [{"type": "websocket.close", "code": 1008}]


def test_the_app_answers_below_the_face(workspace: Workspace) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/health",
        "raw_path": b"/health",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost:80")],
        "server": ("127.0.0.1", 80),
    }
    start, body = _call(create_app(workspace), scope)
    assert start["status"] == 200
    assert body["body"] == b'{"status":"ok"}'
    bare = {**scope, "headers": [(b"host", b"localhost")]}
    assert _call(create_app(workspace), bare)[0]["status"] == 200


def test_a_workspace_keeps_its_id_and_its_folder_is_private(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, cache=tmp_path)
    first = Workspace(settings)
    first.shutdown()
    first.shutdown()
    second = Workspace(settings)
    second.shutdown()
    assert first.workspace_id == second.workspace_id
    assert first.workspace_id.isdecimal()
    assert settings.state.stat().st_mode & 0o777 == 0o700


def test_a_service_that_is_not_there_is_named(workspace: Workspace) -> None:
    with pytest.raises(AttributeError, match="no service 'marketplace'"):
        _ = workspace.marketplace


def test_what_a_kill_left_of_an_upload_is_removed_at_the_start(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, cache=tmp_path)
    (settings.state / "uploads").mkdir(parents=True)
    (settings.state / "uploads" / "half").touch()
    Workspace(settings).shutdown()
    assert list((settings.state / "uploads").iterdir()) == []
