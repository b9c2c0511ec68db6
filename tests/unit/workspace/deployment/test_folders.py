from __future__ import annotations

from pathlib import Path

import pytest

from laketop.workspace.deployment.folders import DiskFolder, removable


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/Workspace", "/Workspace/Users", "/Users/ann@x.com", "/Workspace/Users/ann@x.com/"),
        *("/Workspace/Shared", "/Shared/", "", "/home/ann/project", "/Repos/ann@x.com"),
    ],
)
def test_a_folder_of_somebody_is_not_removed_with_a_deployment(path: str) -> None:
    assert not removable(path)


@pytest.mark.parametrize(
    "path", ["/Workspace/Users/ann@x.com/.bundle/b/dev", "/Workspace/Shared/b", "/Users/a/b"]
)
def test_a_folder_of_a_deployment_is(path: str) -> None:
    assert removable(path)


def test_a_file_is_made_once(tmp_path: Path) -> None:
    folder = DiskFolder(tmp_path)
    assert folder.create("/Shared/b/lock", b"one")
    assert not folder.create("/Workspace/Shared/b/lock", b"two")
    assert folder.read("/Shared/b/lock") == b"one"
    assert [file.name for file in folder.place("/Shared/b").iterdir()] == ["lock"]


def test_nothing_outside_of_the_tree_is_removed(tmp_path: Path) -> None:
    outside = tmp_path / "project"
    outside.mkdir()
    folder = DiskFolder(tmp_path / "state")
    folder.write("/Shared/b/x", b"")
    for path in (str(outside), "/Workspace/", "/Shared/none"):
        folder.remove(path)
    assert outside.is_dir()
    assert folder.read("/Shared/b/x") == b""
    folder.remove("/Shared/b")
    assert folder.read("/Shared/b/x") is None
