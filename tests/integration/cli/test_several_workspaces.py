"""Workspaces side by side, from the command line; here without an engine, which none needs."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.cli.conftest import Said, run_laketop
from tests.integration.workspace.conftest import USER, serving

from laketop import durable
from laketop._version import __version__
from laketop.settings import Settings
from laketop.workspace import daemon

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

HOME = f"/Users/{USER}/.bundle/shop"
BUNDLE = """
bundle: {name: shop}
targets:
  dev: {default: true}
  staging: {}
  prod: {}
resources:
  schemas:
    lake: {catalog_name: main, name: "lake_${bundle.target}"}
  registered_models:
    churn:
      catalog_name: main
      schema_name: ${resources.schemas.lake.name}
      name: churn
  jobs:
    nightly:
      name: nightly
      tasks:
        - task_key: t
          notebook_task: {notebook_path: n.py}
"""

Shop = Callable[..., Said]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose workspace runs in this process."""
    root = tmp_path_factory.mktemp("shop")
    (root / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
    (root / "n.py").write_text("# Databricks notebook source\nprint(1)\n", encoding="utf-8")
    settings = Settings.read(root)
    daemon.prepare(settings)
    cache = tmp_path_factory.getbasetemp() / "cache"
    with serving(root, cache) as served, daemon.hold(settings):
        contact = daemon.Contact(
            served.host, served.token, "", os.getpid(), __version__, sys.executable
        )
        durable.write_json(daemon.kept(settings), dataclasses.asdict(contact))
        yield root


@pytest.fixture(scope="module")
def shop(root: Path) -> Shop:
    def call(*arguments: str, code: int = 0, **environment: str) -> Said:
        said = run_laketop(root, *arguments, **environment)
        assert said.code == code, said
        return said

    return call


@pytest.fixture(scope="module")
def clients(shop: Shop) -> dict[str, WorkspaceClient]:
    """The clients of three workspaces, by name."""
    found = {}
    for name in ("dev", "staging", "prod"):
        if name != "dev":
            made = json.loads(shop("workspace", "create", name, "--json").out)
            assert made["workspace_name"] == name
        told = json.loads(shop("env", "--workspace", name, "--json").out)
        found[name] = WorkspaceClient(host=told["DATABRICKS_HOST"], token=told["DATABRICKS_TOKEN"])
    return found


def test_deployments_into_two_workspaces_share_schemas_and_models_and_no_jobs(
    root: Path, shop: Shop, clients: dict[str, WorkspaceClient]
) -> None:
    staging, prod = clients["staging"], clients["prod"]
    for name in ("staging", "prod"):
        said = shop("deploy", "-t", name, "--workspace", name)
        assert f"the local workspace '{name}'" in said.err
        plan = shop("plan", "-t", name, LAKETOP_WORKSPACE=name).out
        assert plan.splitlines()[-1].startswith("Plan: 0 to add, 0 to change, 0 to delete")
    ids = {name: {job.job_id for job in one.jobs.list()} for name, one in clients.items()}
    assert [len(ids[name]) for name in ("dev", "staging", "prod")] == [0, 1, 1]
    assert not ids["staging"] & ids["prod"]
    assert [one.path for one in staging.workspace.list(HOME)] == [f"{HOME}/staging"]
    assert [one.path for one in prod.workspace.list(HOME)] == [f"{HOME}/prod"]
    for one in clients.values():
        assert {"lake_staging", "lake_prod"} <= {found.name for found in one.schemas.list("main")}
        assert one.registered_models.get("main.lake_staging.churn").name == "churn"
    files = root / ".laketop" / "workspaces" / "prod" / "files" / HOME.lstrip("/") / "prod"
    assert files.is_dir()
    assert not (root / ".laketop" / "files" / HOME.lstrip("/") / "prod").exists()


def test_commands_act_on_the_workspace_in_use(
    shop: Shop, clients: dict[str, WorkspaceClient]
) -> None:
    ids = {name: one.get_workspace_id() for name, one in clients.items()}
    shop("workspace", "use", "staging")
    try:
        listed = json.loads(shop("workspace", "list", "--json").out)
        assert {one["workspace_name"]: one["workspace_id"] for one in listed} == ids
        assert [one["workspace_name"] for one in listed if one["in_use"]] == ["staging"]
        made = json.loads(shop("token", "create", "--json").out)
        client = WorkspaceClient(host=clients["dev"].config.host, token=made["token_value"])
        assert client.get_workspace_id() == ids["staging"]
        assert "in use" in shop("workspace", "delete", "staging", "--yes", code=1).err
        told = json.loads(shop("env", "--json", LAKETOP_WORKSPACE="prod").out)
        assert told["DATABRICKS_TOKEN"] == clients["prod"].config.token
    finally:
        shop("workspace", "use", "dev")
    assert "dev" in shop("workspace", "list").out


def test_a_workspace_comes_and_goes(shop: Shop, clients: dict[str, WorkspaceClient]) -> None:
    shop("workspace", "create", "brief")
    assert "already exists" in shop("workspace", "create", "brief", code=1).err
    assert "hint: add --yes" in shop("workspace", "delete", "brief", code=1).err
    shop("workspace", "delete", "brief", "--yes")
    listed = json.loads(shop("workspace", "list", "--json").out)
    assert [one["workspace_name"] for one in listed] == ["dev", "prod", "staging"]
    assert clients.keys() == {"dev", "prod", "staging"}


def test_a_name_that_cannot_be_one_is_one_error(shop: Shop) -> None:
    assert "small letters" in shop("workspace", "create", "../up", code=1).err


def test_a_workspace_that_is_not_there_is_one_error(shop: Shop) -> None:
    for said in (
        shop("env", "--workspace", "qa", code=1),
        shop("workspace", "use", "qa", code=1),
        shop("status", code=1, LAKETOP_WORKSPACE="qa"),
    ):
        assert "no workspace named 'qa'" in said.err
        assert "hint: the project has dev" in said.err


def test_remote_and_a_workspace_of_the_laptop_are_not_given_together(shop: Shop) -> None:
    assert "give one of the two" in shop("plan", "--remote", "--workspace", "dev", code=1).err
