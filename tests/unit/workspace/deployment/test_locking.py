from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from laketop import bundle
from laketop.errors import LaketopError
from laketop.workspace.deployment import locking
from laketop.workspace.deployment.folders import DiskFolder

PRODUCTION = "bundle: {name: b}\nworkspace: {root_path: /Workspace/Shared/b}\n"
LOCK = "/Workspace/Shared/b/state/deploy.lock"


@pytest.fixture
def folder(tmp_path: Path) -> DiskFolder:
    return DiskFolder(tmp_path / ".laketop")


def loaded(root: Path, text: str = PRODUCTION) -> bundle.Bundle:
    (root / "databricks.yml").write_text(text, encoding="utf-8")
    return bundle.load(root)


def held_by(process: int, started: str | None) -> bytes:
    told = locking._mine("ann@laketop.local", force=False)
    return json.dumps({**told, "Process": process, "Started": started}).encode()


def test_a_lock_is_there_while_it_is_held(tmp_path: Path, folder: DiskFolder) -> None:
    with locking.locked(loaded(tmp_path), folder, force=False):
        assert json.loads(folder.read(LOCK) or b"")["User"] == "me@laketop.local"
    assert folder.read(LOCK) is None


def test_a_lock_of_a_living_process_is_respected(tmp_path: Path, folder: DiskFolder) -> None:
    folder.write(LOCK, held_by(os.getpid(), locking._started(os.getpid())))
    with (
        pytest.raises(LaketopError, match="locked by 'ann@"),
        locking.locked(loaded(tmp_path), folder, force=False),
    ):
        pass
    assert folder.read(LOCK) is not None
    with locking.locked(loaded(tmp_path), folder, force=True):
        pass
    assert folder.read(LOCK) is None


def test_a_lock_of_a_process_that_is_gone_is_taken_over(tmp_path: Path, folder: DiskFolder) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder.write(LOCK, held_by(gone.pid, "1"))
    with locking.locked(loaded(tmp_path), folder, force=False):
        assert json.loads(folder.read(LOCK) or b"")["Process"] == os.getpid()


def test_a_lock_that_another_tool_wrote_is_respected(tmp_path: Path, folder: DiskFolder) -> None:
    folder.write(LOCK, b'{"ID": "x", "User": "ann"}')
    with (
        pytest.raises(LaketopError, match="'ann'"),
        locking.locked(loaded(tmp_path), folder, force=False),
    ):
        pass


def test_in_development_there_is_none_unless_asked_for(tmp_path: Path, folder: DiskFolder) -> None:
    text = "bundle: {name: b}\ntargets: {dev: {mode: development, workspace: {root_path: ~/b}}}\n"
    with locking.locked(loaded(tmp_path, text), folder, force=False):
        assert not folder.place("/Users").exists()
    asked = text.replace("{name: b}", "{name: b, deployment: {lock: {enabled: true}}}")
    with locking.locked(loaded(tmp_path, asked), folder, force=False):
        assert folder.read("/Users/me@laketop.local/b/state/deploy.lock")


def test_a_second_deployment_of_the_project_waits(tmp_path: Path) -> None:
    with locking.alone(tmp_path), (tmp_path / "deployments" / "lock").open("w") as other:
        assert not locking._taken(other)
        with locking.alone(tmp_path, force=True):
            pass
    with (tmp_path / "deployments" / "lock").open("w") as other:
        assert locking._taken(other)


def test_a_lock_is_switched_off_or_forced_by_the_bundle(tmp_path: Path, folder: DiskFolder) -> None:
    held = held_by(os.getpid(), locking._started(os.getpid()))
    for lock, left in (("{enabled: false}", held), ("{force: true}", None)):
        folder.write(LOCK, held)
        text = PRODUCTION.replace("{name: b}", f"{{name: b, deployment: {{lock: {lock}}}}}")
        with locking.locked(loaded(tmp_path, text), folder, force=False):
            pass
        assert folder.read(LOCK) == left
