"""Jobs whose files are in a Git repository, through the official client and real git."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service.jobs import (
    GitProvider,
    GitSource,
    NotebookTask,
    Run,
    RunResultState,
    Source,
    SparkPythonTask,
    SparseCheckout,
    Task,
    TaskDependency,
)
from tests.integration.workspace.git_server import git_server
from tests.integration.workspace.test_jobs import _ended, _job, _result, _start

if TYPE_CHECKING:
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace

NOTEBOOK = """# Databricks notebook source
import shared
from library import said
dbutils.notebook.exit(f"{shared.WHO} {said.WORD}")
"""


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ["git", "-C", str(folder), *name, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a tag `first`, and a branch `main` that says something else."""
    folder = tmp_path / "repository"
    (folder / "work").mkdir(parents=True)
    (folder / "library").mkdir()
    (folder / "work" / "tell.py").write_text(NOTEBOOK)
    (folder / "work" / "shared.py").write_text("WHO = 'neighbour'\n")
    (folder / "work" / "script.py").write_text("import pathlib; print(pathlib.Path.cwd().name)\n")
    (folder / "library" / "said.py").write_text("WORD = 'one'\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "first")
    (folder / "library" / "said.py").write_text("WORD = 'two'\n")
    git(folder, "commit", "--quiet", "-a", "-m", "two")
    return folder


def _source(repository: Path, **which: Any) -> GitSource:
    return GitSource(repository.as_uri(), GitProvider.GIT_HUB, **which)


def _tell(path: str = "work/tell", key: str = "tell", **more: Any) -> Task:
    return Task(task_key=key, notebook_task=NotebookTask(path), **more)


def _said(client: WorkspaceClient, run: Run, key: str = "tell") -> Any:
    ids = {task.task_key: task.run_id for task in run.tasks or []}
    output = client.jobs.get_run_output(ids[key] or 0)
    return output.error or (output.notebook_output and output.notebook_output.result)


@pytest.mark.parametrize(("kind", "word"), [("git_branch", "two"), ("git_tag", "one")])
def test_a_notebook_comes_from_the_commit_with_its_neighbours_and_the_root(
    client: WorkspaceClient, repository: Path, kind: str, word: str
) -> None:
    name = {"git_branch": "main", "git_tag": "first"}[kind]
    job_id = _job(client, _tell(), git_source=_source(repository, **{kind: name}))
    run = _ended(client, _start(client, job_id))

    assert _result(run) is RunResultState.SUCCESS
    assert _said(client, run) == f"neighbour {word}"
    assert run.git_source is not None
    assert run.git_source.git_snapshot is not None
    assert run.git_source.git_snapshot.used_commit == git(repository, "rev-parse", f"{name}^0")


def test_a_run_keeps_to_one_commit_whatever_is_pushed_meanwhile(
    client: WorkspaceClient, repository: Path
) -> None:
    push = repository / "work" / "push.py"
    change = f"""# Databricks notebook source
import pathlib, subprocess
folder = {str(repository)!r}
pathlib.Path(folder, "library", "said.py").write_text("WORD = 'pushed'")
order = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com"]
subprocess.run([*order, "commit", "--quiet", "-a", "-m", "pushed"], check=True)
"""
    push.write_text(change)
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "push")
    after = [TaskDependency("push")]
    tasks = (_tell("work/push", "push"), _tell(depends_on=after))
    job_id = _job(client, *tasks, git_source=_source(repository, git_branch="main"))

    first = _ended(client, _start(client, job_id))
    assert _said(client, first) == "neighbour two"
    plain = _job(client, _tell(), git_source=_source(repository, git_branch="main"))
    assert _said(client, _ended(client, _start(client, plain))) == "neighbour pushed"


def test_a_task_may_say_that_its_file_is_in_the_workspace(
    client: WorkspaceClient, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "here.py").write_text("# Databricks notebook source\ndbutils.notebook.exit('here')")
    here = NotebookTask(str(tmp_path / "here.py"), source=Source.WORKSPACE)
    script = SparkPythonTask("work/script.py", source=Source.GIT)
    job_id = _job(
        client,
        Task(task_key="here", notebook_task=here),
        Task(task_key="script", spark_python_task=script),
        git_source=_source(repository, git_commit=git(repository, "rev-parse", "HEAD")),
    )
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.SUCCESS
    assert _said(client, run, "here") == "here"


@pytest.mark.parametrize(
    ("which", "path", "said"),
    [
        ({"git_branch": "gone"}, "work/tell", "refs/heads/gone of 'file://"),
        ({"git_branch": "main"}, "work/none", "no notebook named"),
        ({"git_branch": "main"}, "../outside", "'../outside' is not inside the repository"),
        ({}, "work/tell", "gives no commit"),
        ({"git_branch": "main", "git_tag": "first"}, "work/tell", "gives git_branch and git_tag"),
    ],
)
def test_what_cannot_be_checked_out_fails_the_task_with_a_sentence(
    client: WorkspaceClient, repository: Path, which: dict[str, str], path: str, said: str
) -> None:
    job_id = _job(client, _tell(path), git_source=_source(repository, **which))
    run = _ended(client, _start(client, job_id))
    assert _result(run) is RunResultState.FAILED
    assert said in (_said(client, run) or "")


def test_a_task_of_git_in_a_job_without_a_repository_is_told(client: WorkspaceClient) -> None:
    task = Task(task_key="tell", notebook_task=NotebookTask("a", source=Source.GIT))
    run = _ended(client, _start(client, _job(client, task)))
    assert "its job has no git_source" in (_said(client, run) or "")


def test_a_private_repository_is_shown_the_credential_of_whom_the_run_is_of(
    client: WorkspaceClient,
    workspace: Workspace,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with git_server(repository.parent, user="me", token="t0ken") as server:
        url = f"{server.url}/{repository.name}/.git"
        trusting = {"PATH": os.environ["PATH"], "GIT_SSL_CAINFO": str(server.certificate)}
        monkeypatch.setattr(workspace, "environment_for_tasks", lambda: trusting)
        source = GitSource(url, GitProvider.GIT_LAB, git_branch="main")
        job_id = _job(client, _tell(), git_source=source)

        def said() -> str:
            return str(_said(client, _ended(client, _start(client, job_id))))

        made = client.git_credentials.create(
            "gitLab", git_username="me", personal_access_token="t0ken"
        )
        assert "cannot be checked out" in said()  # no setting allows the remote
        allowed = dataclasses.replace(workspace.settings, git_remotes=(server.url,))
        monkeypatch.setattr(workspace, "settings", allowed)
        assert said() == "neighbour two"
        client.git_credentials.delete(made.credential_id or 0)
        assert "cannot be checked out" in said()
    logs = (workspace.state / "runs").rglob("*.log")
    assert not [log for log in logs if b"t0ken" in log.read_bytes()]


def test_a_sparse_checkout_holds_the_folders_that_its_patterns_name(
    client: WorkspaceClient, repository: Path
) -> None:
    (repository / "work" / "look.py").write_text(
        "# Databricks notebook source\n"
        "import pathlib\n"
        "found = sorted(p.name for p in pathlib.Path('..').iterdir() if p.name != '.git')\n"
        "dbutils.notebook.exit(' '.join(found))\n"
    )
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "look")
    sparse = SparseCheckout(patterns=["work"])
    source = _source(repository, git_branch="main", sparse_checkout=sparse)
    run = _ended(client, _start(client, _job(client, _tell("work/look"), git_source=source)))
    assert _said(client, run) == "work"
