"""The commands about deployments, with a workspace that stands in for a remote one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import ImportFormat
from tests.integration.cli.conftest import Said, run_laketop
from tests.integration.workspace.conftest import Served, serving

NOTEBOOK = "# Databricks notebook source\nprint(1)\n"
BUNDLE = """
bundle: {name: far}
variables:
  other: {lookup: {job: the other job}}
targets:
  dev:
    default: true
    mode: development
    workspace: {host: HOST}
    bundle: {deployment: {lock: {enabled: true}}}
resources:
  schemas:
    lake: {catalog_name: main, name: lake}
  volumes:
    files: {catalog_name: main, schema_name: "${resources.schemas.lake.name}", name: files}
  jobs:
    nightly:
      name: nightly
      tasks:
        - task_key: t
          notebook_task: {notebook_path: n.py}
        - task_key: u
          run_job_task: {job_id: "${var.other}"}
"""

Far = Callable[..., Said]


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cache = tmp_path_factory.getbasetemp() / "cache"
    with serving(tmp_path_factory.mktemp("remote"), cache) as found:
        yield found


@pytest.fixture
def far(tmp_path: Path, remote: Served) -> Far:
    """The command line in a project whose target names the host, signed in by the environment."""
    (tmp_path / "databricks.yml").write_text(BUNDLE.replace("HOST", remote.host), encoding="utf-8")
    (tmp_path / "n.py").write_text(NOTEBOOK, encoding="utf-8")

    def call(*arguments: str) -> Said:
        return run_laketop(tmp_path, *arguments, "--remote", DATABRICKS_TOKEN=remote.token)

    return call


@pytest.fixture
def client(remote: Served) -> Iterator[WorkspaceClient]:
    made = remote.client.jobs.create(name="the other job").job_id or 0
    yield remote.client
    remote.client.jobs.delete(made)


def at_a_terminal(root: Path, token: str, answer: str) -> tuple[int, str]:
    """Run `laketop destroy --purge` for somebody who types `answer`; return code and screen."""
    person, terminal = pty.openpty()
    with os.fdopen(person, "rb+", buffering=0) as screen:
        command = [sys.executable, "-m", "laketop.cli", "destroy", "--purge", "--remote"]
        environment = {**os.environ, "DATABRICKS_TOKEN": token, "TERM": "dumb"}
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        said = b""
        with contextlib.suppress(OSError):  # how Linux tells that nobody holds the terminal
            while read := screen.read(4096):
                said += read
                if said.endswith(b"[y/N] "):
                    screen.write(f"{answer}\n".encode())
        return process.wait(), said.decode()


def test_a_target_goes_to_its_own_host_and_comes_back(
    far: Far, client: WorkspaceClient, remote: Served, tmp_path: Path
) -> None:
    plan = far("plan")
    assert plan.code == 0, plan.err
    assert plan.out.splitlines()[-1] == "Plan: 3 to add, 0 to change, 0 to delete, 0 unchanged"
    assert far("deploy", "--select", "schemas.lake").code == 0
    selected = far("plan", "--select", "volumes.files").out.splitlines()  # and what it needs
    assert selected[-1] == "Plan: 1 to add, 0 to change, 0 to delete, 1 unchanged"
    deployed = far("deploy", "--json")
    assert deployed.code == 0, deployed.err
    job_id = json.loads(deployed.out)["jobs"]["nightly"]
    settings = client.jobs.get(job_id).settings
    assert settings is not None
    assert settings.name == "[dev me] nightly"
    notebook = (settings.tasks or [])[0].notebook_task
    assert notebook is not None
    assert client.workspace.get_status(notebook.notebook_path).object_type
    assert far("plan").out == "Plan: 0 to add, 0 to change, 0 to delete, 3 unchanged\n"

    client.schemas.update("main.dev_me_lake", comment="by hand")
    drifted = far("plan").out
    assert 'comment: null -> "by hand" (changed in the workspace)' in drifted
    changes = json.loads(far("plan", "--json").out)["plan"]["resources.schemas.lake"]["changes"]
    assert changes["comment"]["changed_by"] == "workspace"

    assert f"jobs.nightly: [dev me] nightly {job_id}" in far("summary").out
    assert json.loads(far("open", "nightly", "--json").out)["url"].endswith(f"/jobs/{job_id}")

    lock = notebook.notebook_path.replace("/files/n", "/state/deploy.lock")
    held = {"ID": "x", "User": "ann@laketop.local", "AcquisitionTime": "2026-01-01T00:00:00Z"}
    content = io.BytesIO(json.dumps(held).encode())
    client.workspace.upload(lock, content, format=ImportFormat.RAW)
    assert "locked by 'ann@laketop.local'" in far("deploy").err
    assert far("deploy", "--force-lock").code == 0
    assert not client.schemas.get("main.dev_me_lake").comment

    client.files.upload("/Volumes/main/dev_me_lake/files/a.txt", io.BytesIO(b"x"))
    refused = far("destroy")
    assert refused.code == 1
    assert "--auto-approve" in refused.err
    code, said = at_a_terminal(tmp_path, remote.token, "n")
    assert (code, "jobs.nightly" in said, "Go on? [y/N]" in said) == (1, True, True), said
    assert client.jobs.get(job_id).job_id == job_id
    kept = far("destroy", "--auto-approve")
    assert (kept.code, "--purge" in kept.err) == (1, True), kept.err
    assert client.volumes.read("main.dev_me_lake.files")
    code, said = at_a_terminal(tmp_path, remote.token, "yes")
    assert (code, "nothing of target dev is left" in said) == (0, True), said
    assert [job.settings.name for job in client.jobs.list() if job.settings] == ["the other job"]
    assert not [s.name for s in client.schemas.list("main") if s.name == "dev_me_lake"]
    assert far("plan").out.splitlines()[-1].startswith("Plan: 3 to add")


def test_nothing_of_a_remote_deployment_needs_or_starts_a_local_workspace(
    far: Far, client: WorkspaceClient, tmp_path: Path
) -> None:
    assert far("plan").code == 0
    assert not (tmp_path / ".laketop" / "workspace.json").exists()
    assert (tmp_path / ".laketop" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_what_is_not_there_is_one_error(far: Far, client: WorkspaceClient) -> None:
    said = far("open", "hourly")
    assert said.code == 1
    assert "no resource named 'hourly'" in said.err
    assert "lake" in said.err
    assert "not deployed" in far("open", "nightly").err


def test_a_lookup_of_what_the_workspace_does_not_have_is_told(far: Far) -> None:
    said = far("plan")
    assert said.code == 1
    assert "the workspace has no job 'the other job'" in said.err


def test_a_wrong_token_is_one_error(far: Far, tmp_path: Path) -> None:
    said = run_laketop(tmp_path, "plan", "--remote", DATABRICKS_TOKEN="wrong")
    assert said.code == 1
    assert "does not say who you are" in said.err
    assert "wrong" not in said.err
