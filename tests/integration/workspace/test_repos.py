"""Git folders, through the official client and real git."""

from __future__ import annotations

import dataclasses
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.workspace import ObjectType, SparseCheckout, SparseCheckoutUpdate

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

ME = "me@laketop.local"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@x.io", "-c", "core.hooksPath=/dev/null")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def remote(tmp_path: Path, workspace: Workspace) -> Iterator[Path]:
    folder = tmp_path / f"r{secrets.token_hex(4)}"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "src/a.py", "1")
    commit(folder, "docs/b.md", "1")
    before = workspace.settings
    workspace.settings = dataclasses.replace(before, git_remotes=(tmp_path.as_uri(),))
    yield folder
    workspace.settings = before


def test_a_repository_is_cloned_pulled_and_deleted(
    client: WorkspaceClient, remote: Path, workspace: Workspace
) -> None:
    made = client.repos.create(remote.as_uri(), "gitHub")
    path = f"/Repos/{ME}/{remote.name}"
    head = git(remote, "rev-parse", "HEAD")
    assert (made.path, made.branch, made.head_commit_id) == (path, "main", head)
    place = workspace.state / "files" / path[1:]
    assert (place / "src" / "a.py").read_text(encoding="utf-8") == "1"
    assert not (place / ".git").exists()
    newer = commit(remote, "src/a.py", "2")
    client.repos.update(made.id or 0, branch="main")
    told = client.repos.get(made.id or 0)
    assert told.head_commit_id == newer
    assert (place / "src" / "a.py").read_text(encoding="utf-8") == "2"
    assert made.id in {one.id for one in client.repos.list(path_prefix=path)}
    with pytest.raises(ResourceAlreadyExists):
        client.repos.create(remote.as_uri(), "gitHub")
    client.repos.delete(made.id or 0)
    assert not place.exists()
    assert not (workspace.state / "git" / str(made.id)).exists()
    with pytest.raises(ResourceDoesNotExist):
        client.repos.get(made.id or 0)


def test_a_git_folder_is_a_repo_in_the_tree_and_goes_with_it(
    client: WorkspaceClient, remote: Path, workspace: Workspace
) -> None:
    made = client.repos.create(remote.as_uri(), "gitHub")
    path = str(made.path)
    told = client.workspace.get_status(path)
    assert (told.object_type, told.object_id) == (ObjectType.REPO, made.id)
    assert told.resource_id == str(made.id)
    [listed] = [one for one in client.workspace.list(f"/Repos/{ME}") if one.path == path]
    assert (listed.object_type, listed.object_id) == (ObjectType.REPO, made.id)
    below = {str(one.path): one.object_type for one in client.workspace.list(path)}
    assert below[f"{path}/src"] is ObjectType.DIRECTORY
    client.workspace.delete(path, recursive=True)
    with pytest.raises(ResourceDoesNotExist):
        client.repos.get(made.id or 0)
    assert not (workspace.state / "git" / str(made.id)).exists()
    assert client.repos.create(remote.as_uri(), "gitHub").path == path


def test_branches_and_tags_are_checked_out(client: WorkspaceClient, remote: Path) -> None:
    first = git(remote, "rev-parse", "HEAD")
    git(remote, "tag", "v1")
    git(remote, "checkout", "-q", "-b", "feature/x")
    second = commit(remote, "new.py", "1")
    git(remote, "checkout", "-q", "main")
    repo = client.repos.create(remote.as_uri(), "gitHub").id or 0
    client.repos.update(repo, branch="feature/x")
    told = client.repos.get(repo)
    assert (told.branch, told.head_commit_id) == ("feature/x", second)
    client.repos.update(repo, tag="v1")
    told = client.repos.get(repo)
    assert (told.branch, told.head_commit_id) == (None, first)
    for wrong in ("none", "-x", "a..b", "--upload-pack=x"):
        with pytest.raises(InvalidParameterValue, match="has no"):
            client.repos.update(repo, branch=wrong)


def test_changes_in_the_way_of_a_pull_are_kept(
    client: WorkspaceClient, remote: Path, workspace: Workspace
) -> None:
    made = client.repos.create(remote.as_uri(), "gitHub")
    mine = workspace.state / "files" / str(made.path)[1:] / "src" / "a.py"
    mine.write_text("mine", encoding="utf-8")
    commit(remote, "src/a.py", "theirs")
    with pytest.raises(BadRequest) as caught:
        client.repos.update(made.id or 0, branch="main")
    assert caught.value.error_code == "GIT_ERROR"
    assert mine.read_text(encoding="utf-8") == "mine"
    assert client.repos.get(made.id or 0).head_commit_id == made.head_commit_id


def test_a_sparse_checkout_holds_the_folders_it_names(
    client: WorkspaceClient, remote: Path, workspace: Workspace
) -> None:
    made = client.repos.create(
        remote.as_uri(), "gitHub", sparse_checkout=SparseCheckout(patterns=["src"])
    )
    place = workspace.state / "files" / str(made.path)[1:]
    assert sorted(one.name for one in place.iterdir()) == ["src"]
    client.repos.update(
        made.id or 0, branch="main", sparse_checkout=SparseCheckoutUpdate(patterns=["docs"])
    )
    assert sorted(one.name for one in place.iterdir()) == ["docs"]


def test_what_a_repository_brings_neither_leads_out_nor_runs(
    client: WorkspaceClient, remote: Path, workspace: Workspace, tmp_path: Path
) -> None:
    (remote / "out").symlink_to("/etc/passwd")
    git(remote, "add", "-A")
    git(remote, "commit", "-q", "-m", "link")
    made = client.repos.create(remote.as_uri(), "gitHub")
    place = workspace.state / "files" / str(made.path)[1:]
    assert not (place / "out").is_symlink()
    ran = tmp_path / "ran"
    evil = f"[core]\n\tfsmonitor = touch {ran}\n"
    (place / ".git").mkdir()
    (place / ".git" / "config").write_text(evil, encoding="utf-8")
    client.repos.update(made.id or 0, branch="main")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("https://example.org/a.git", PermissionDenied),
        ("file:///etc", PermissionDenied),
        ("ssh://example.org/a", InvalidParameterValue),
        ("ext::sh -c x", InvalidParameterValue),
        ("--upload-pack=x", InvalidParameterValue),
        ("https://me:pw@example.org/a", InvalidParameterValue),
    ],
)
def test_only_remotes_that_are_allowed_are_asked(
    client: WorkspaceClient, remote: Path, url: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.repos.create(url, "gitHub")
    with pytest.raises(PermissionDenied):
        client.repos.create(f"{remote.as_uri()}/../../x", "gitHub")


def test_a_remote_that_is_none_leaves_nothing(
    client: WorkspaceClient, remote: Path, workspace: Workspace
) -> None:
    with pytest.raises(BadRequest) as caught:
        client.repos.create(f"{remote.as_uri()}x", "gitHub")
    assert caught.value.error_code == "GIT_ERROR"
    assert not (workspace.state / "files" / "Repos" / ME / f"{remote.name}x").exists()


def test_a_git_folder_is_its_makers_until_others_are_let_in(
    client: WorkspaceClient, ann: WorkspaceClient, remote: Path
) -> None:
    repo = client.repos.create(remote.as_uri(), "gitHub").id or 0
    assert repo not in {one.id for one in ann.repos.list()}
    for call in (ann.repos.get, ann.repos.update, ann.repos.delete):
        with pytest.raises(PermissionDenied):
            call(repo)
    with pytest.raises(PermissionDenied):
        ann.repos.create(remote.as_uri(), "gitHub", path=f"/Repos/{ME}/other")
    entry = AccessControlRequest(
        user_name=ann.current_user.me().user_name, permission_level=PermissionLevel.CAN_EDIT
    )
    client.permissions.update("repos", str(repo), access_control_list=[entry])
    ann.repos.update(repo, branch="main")
    with pytest.raises(PermissionDenied):
        ann.repos.delete(repo)
