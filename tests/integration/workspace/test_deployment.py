"""Bundles on a workspace: planned, deployed, changed by others, cut, destroyed.

Every test runs on the project's own workspace and on a second one, which stands in for a remote.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import MonitorTimeSeries, PermissionsChange, Privilege
from databricks.sdk.service.database import DatabaseCatalog, DatabaseInstance
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.ml import ModelDatabricks
from databricks.sdk.service.workspace import AclPermission
from tests.integration.workspace.conftest import Served, serving

from laketop import bundle
from laketop.errors import ConfigError, LaketopError, Refused
from laketop.settings import Settings
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment import (
    Deployment,
    Options,
    Plan,
    Site,
    bind,
    check_runs,
    deploy_to,
    destroy,
    plan_of,
    summary_of,
    unbind,
)
from laketop.workspace.deployment.folders import DiskFolder

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

DYING = str(Path(__file__).with_name("dying_deployment.py"))
NOTEBOOK = "# Databricks notebook source\nprint(1)\n"

EVERYTHING = """
bundle: {name: shop}
workspace: {root_path: /Workspace/Shared/NAME}
resources:
  catalogs:
    lake: {name: NAME, comment: all of it}
  schemas:
    raw:
      catalog_name: NAME
      name: raw
      comment: as it came
      grants: [{principal: ann@laketop.local, privileges: [USE_SCHEMA, SELECT]}]
  volumes:
    files: {catalog_name: NAME, schema_name: raw, name: files}
  registered_models:
    churn: {catalog_name: NAME, schema_name: raw, name: churn, comment: who leaves}
  experiments:
    runs: {name: /Shared/NAME, tags: [{key: team, value: shop}]}
  secret_scopes:
    keys: {name: NAME}
  jobs:
    outer:
      name: NAME outer
      permissions: [{level: CAN_VIEW, user_name: ann@laketop.local}]
      parameters:
        - {name: experiment, default: "${resources.experiments.runs.id}"}
        - {name: inner, default: "${resources.jobs.inner.id}"}
      tasks:
        - task_key: t
          run_job_task: {job_id: "${resources.jobs.inner.id}"}
        - task_key: told
          notebook_task:
            notebook_path: n.py
            base_parameters: {job_id: "${resources.jobs.inner.id}"}
    inner:
      name: NAME inner
      tasks:
        - task_key: t
          timeout_seconds: 60
          notebook_task: {notebook_path: n.py}
"""


@dataclasses.dataclass
class Project:
    """A folder with a bundle, and the workspace that it goes to."""

    root: Path
    served: Served
    site: Site
    said: list[str]

    @property
    def client(self) -> WorkspaceClient:
        return self.served.client

    def write(self, text: str, **files: str) -> None:
        (self.root / "databricks.yml").write_text(text, encoding="utf-8")
        for name, content in files.items():
            (self.root / name.replace("_", ".")).write_text(content, encoding="utf-8")

    def load(self) -> bundle.Bundle:
        linked = None if self.site.is_local else False
        return bundle.load(self.root, source_linked=linked, host=self.site.url)

    def deploy(self, **options: Any) -> Deployment:
        return deploy_to(self.site, self.load, Options(**options))

    def plan(self) -> Plan:
        return plan_of(self.site, self.load())

    def actions(self) -> dict[str, str]:
        return {step.name: step.action for step in self.plan().changing}


def yes(_sentences: object) -> bool:
    return True


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    cache = tmp_path_factory.getbasetemp() / "cache"
    with serving(tmp_path_factory.mktemp("second"), cache) as found:
        yield found


def local_site(served: Served, said: list[str]) -> Site:
    contact = Contact(served.host, served.token, "", 0, "", "")
    return Site.local(served.workspace.settings, contact, said.append)


@pytest.fixture(params=["local", "remote"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, served: Served, second: Served
) -> Project:
    said: list[str] = []
    if request.param == "local":
        return Project(tmp_path, served, local_site(served, said), said)
    settings = Settings(root=tmp_path, cache=tmp_path, user="me@laketop.local")
    return Project(tmp_path, second, Site.remote(settings, second.client, said.append), said)


@pytest.fixture
def local(tmp_path: Path, served: Served) -> Project:
    said: list[str] = []
    return Project(tmp_path, served, local_site(served, said), said)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"n{zlib.crc32(request.node.name.encode())}"


@pytest.fixture
def shop(project: Project, name: str) -> Iterator[Project]:
    project.write(EVERYTHING.replace("NAME", name), n_py=NOTEBOOK)
    yield project
    destroy(project.site, project.load(), Options(purge=True, confirm=yes))


def test_what_is_deployed_is_what_the_bundle_says_and_the_next_plan_is_empty(
    shop: Project, name: str
) -> None:
    assert set(shop.actions().values()) == {"create"}
    done = shop.deploy()
    assert not done.failures
    assert shop.plan().changing == ()
    client = shop.client
    assert client.catalogs.get(name).comment == "all of it"
    assert client.schemas.get(f"{name}.raw").comment == "as it came"
    assert client.registered_models.get(f"{name}.raw.churn").comment == "who leaves"
    assert client.volumes.read(f"{name}.raw.files").volume_type
    assert name in {scope.name for scope in client.secrets.list_scopes()}
    granted = client.grants.get("schema", f"{name}.raw").privilege_assignments or []
    assert [one.principal for one in granted] == ["ann@laketop.local"]
    outer = client.jobs.get(done.jobs["outer"]).settings or JobSettings()
    started, given = sorted(outer.tasks or [], key=lambda task: task.task_key)
    assert started.run_job_task is not None
    assert started.run_job_task.job_id == done.jobs["inner"]
    assert given.notebook_task is not None
    assert given.notebook_task.base_parameters == {"job_id": str(done.jobs["inner"])}
    experiment = client.experiments.get_by_name(f"/Shared/{name}").experiment
    assert experiment is not None
    told = {parameter.name: parameter.default for parameter in outer.parameters or ()}
    assert told == {"experiment": experiment.experiment_id, "inner": str(done.jobs["inner"])}
    levels = client.permissions.get("jobs", str(done.jobs["outer"])).access_control_list or []
    assert {one.user_name for one in levels} == {"me@laketop.local", "ann@laketop.local"}


def test_the_notebook_of_a_job_is_in_the_workspace(shop: Project, name: str) -> None:
    shop.deploy()
    assert shop.client.workspace.get_status(f"/Shared/{name}/files/n").object_type
    kept = json.loads(shop.client.workspace.download(f"/Shared/{name}/state/resources.json").read())
    assert kept["state_version"] == 2
    assert kept["state"]["resources.jobs.inner"]["__id__"]


def test_a_change_of_the_bundle_is_planned_with_its_fields_and_made(
    shop: Project, name: str
) -> None:
    first = shop.deploy()
    text = EVERYTHING.replace("NAME", name).replace("timeout_seconds: 60", "timeout_seconds: 90")
    text = text.replace("as it came", "as it is").replace("[USE_SCHEMA, SELECT]", "[SELECT]")
    shop.write(text.replace("value: shop", "value: bakery"))
    edits = {step.name: [edit.path for edit in step.edits] for step in shop.plan().changing}
    assert edits == {
        "schemas.raw": ["comment"],
        "schemas.raw.grants": ["grants[ann@laketop.local].privileges[1]"],
        "experiments.runs": ["tags[team].value"],
        "jobs.inner": ["tasks[t].timeout_seconds"],
    }
    assert shop.deploy().jobs == first.jobs
    assert shop.plan().changing == ()
    settings = shop.client.jobs.get(first.jobs["inner"]).settings or JobSettings()
    assert (settings.tasks or [])[0].timeout_seconds == 90
    assert shop.client.schemas.get(f"{name}.raw").comment == "as it is"


def test_what_somebody_changed_by_hand_is_shown_and_put_back(shop: Project, name: str) -> None:
    done = shop.deploy()
    client = shop.client
    client.jobs.update(done.jobs["inner"], new_settings=JobSettings(timeout_seconds=5))
    client.schemas.update(f"{name}.raw", comment="by hand")
    more = [PermissionsChange(principal="bob@laketop.local", add=[Privilege.MODIFY])]
    client.grants.update("schema", f"{name}.raw", changes=more)
    found = {
        (step.name, edit.path, edit.by) for step in shop.plan().changing for edit in step.edits
    }
    assert found == {
        ("jobs.inner", "timeout_seconds", "workspace"),
        ("schemas.raw", "comment", "workspace"),
        ("schemas.raw.grants", "grants[bob@laketop.local]", "workspace"),
    }
    shop.deploy()
    assert shop.plan().changing == ()
    assert client.schemas.get(f"{name}.raw").comment == "as it came"
    settings = client.jobs.get(done.jobs["inner"]).settings or JobSettings()
    assert settings.timeout_seconds is None


def test_what_somebody_deleted_is_made_again(shop: Project, name: str) -> None:
    done = shop.deploy()
    shop.client.jobs.delete(done.jobs["inner"])
    shop.client.volumes.delete(f"{name}.raw.files")
    actions = shop.actions()
    assert actions["jobs.inner"] == actions["volumes.files"] == "create"
    again = shop.deploy()
    assert again.jobs["inner"] != done.jobs["inner"]
    assert again.jobs["outer"] == done.jobs["outer"]
    outer = shop.client.jobs.get(again.jobs["outer"]).settings or JobSettings()
    task = (outer.tasks or [])[0].run_job_task
    assert task is not None
    assert task.job_id == again.jobs["inner"]
    assert shop.plan().changing == ()


def test_what_the_bundle_no_longer_has_goes(shop: Project, name: str) -> None:
    done = shop.deploy()
    text = EVERYTHING.replace("NAME", name)
    shop.write(text[: text.index("    outer:")] + text[text.index("    inner:") :])
    assert shop.actions() == {"jobs.outer": "delete"}
    assert shop.deploy().jobs == {"inner": done.jobs["inner"]}
    with pytest.raises(NotFound):
        shop.client.jobs.get(done.jobs["outer"])
    assert shop.plan().changing == ()


def test_destroy_leaves_nothing(shop: Project, name: str) -> None:
    done = shop.deploy()
    assert destroy(shop.site, shop.load(), Options(confirm=yes)) == ()
    client = shop.client
    for gone in (
        lambda: client.jobs.get(done.jobs["inner"]),
        lambda: client.catalogs.get(name),
        lambda: client.registered_models.get(f"{name}.raw.churn"),
        lambda: client.workspace.get_status(f"/Shared/{name}"),
    ):
        with pytest.raises(NotFound):
            gone()
    assert name not in {scope.name for scope in client.secrets.list_scopes()}
    assert set(shop.actions().values()) == {"create"}
    assert not shop.deploy().failures  # a deleted experiment comes back


def test_nothing_that_holds_data_is_deleted_without_a_purge(shop: Project, name: str) -> None:
    shop.deploy()
    shop.client.files.upload(f"/Volumes/{name}/raw/files/a.txt", io.BytesIO(b"x"))
    kept = destroy(shop.site, shop.load(), Options(confirm=yes))
    assert {failure.name for failure in kept} == {"volumes.files", "schemas.raw", "catalogs.lake"}
    assert all("--purge" in str(failure.error) for failure in kept)
    assert shop.client.volumes.read(f"{name}.raw.files")
    actions = shop.actions()
    assert "volumes.files" not in actions
    assert actions["jobs.inner"] == "create"
    assert destroy(shop.site, shop.load(), Options(purge=True, confirm=yes)) == ()
    with pytest.raises(NotFound):
        shop.client.catalogs.get(name)


def test_what_deletes_data_asks_first(shop: Project, name: str) -> None:
    shop.deploy()
    text = EVERYTHING.replace("NAME", name)
    shop.write(text[: text.index("  volumes:")] + text[text.index("  registered_models:") :])
    with pytest.raises(LaketopError, match=r"volumes\.files will be deleted, and nobody"):
        shop.deploy()
    with pytest.raises(LaketopError, match="nothing was done"):
        shop.deploy(confirm=lambda _: False)
    with pytest.raises(LaketopError, match="nobody is there to be asked"):
        destroy(shop.site, shop.load())
    assert shop.client.volumes.read(f"{name}.raw.files")
    shop.deploy(confirm=yes)
    with pytest.raises(NotFound):
        shop.client.volumes.read(f"{name}.raw.files")


def test_another_name_makes_a_schema_anew_unless_the_bundle_prevents_it(
    shop: Project, name: str
) -> None:
    shop.deploy()
    text = EVERYTHING.replace("NAME", name).replace("name: raw\n", "name: bronze\n")
    text = text.replace("schema_name: raw", "schema_name: bronze")
    shop.write(text)
    actions = shop.actions()
    assert actions["schemas.raw"] == actions["volumes.files"] == "recreate"
    assert actions["schemas.raw.grants"] == "create"
    shop.write(
        text.replace("name: bronze\n", "name: bronze\n      lifecycle: {prevent_destroy: true}\n")
    )
    with pytest.raises(ConfigError, match="prevent_destroy"):
        shop.plan()
    with pytest.raises(LaketopError, match="prevent_destroy"):
        destroy(shop.site, shop.load(), Options(confirm=yes))
    shop.write(text)


def test_a_lock_of_a_living_deployment_is_respected(shop: Project, name: str) -> None:
    shop.deploy()
    lock = f"/Workspace/Shared/{name}/state/deploy.lock"
    held = {"ID": "x", "User": "ann@laketop.local", "AcquisitionTime": "2026-01-01T00:00:00Z"}
    shop.site.folder.write(lock, json.dumps(held).encode())
    shop.write((shop.root / "databricks.yml").read_text("utf-8").replace(": 60", ": 61"))
    with pytest.raises(LaketopError, match=r"locked by 'ann@laketop\.local' since 2026-01-01"):
        shop.deploy()
    assert not shop.deploy(force_lock=True).failures
    assert shop.site.folder.read(lock) is None


def test_a_failure_stops_only_what_needs_it(shop: Project, name: str) -> None:
    text = EVERYTHING.replace("NAME", name)
    shop.write(text.replace("    inner:\n", "    inner:\n      max_concurrent_runs: 5000\n"))
    done = shop.deploy()
    failed = {failure.name for failure in done.failures}
    assert failed == {"jobs.inner", "jobs.outer", "jobs.outer.permissions"}
    assert shop.client.schemas.get(f"{name}.raw")
    shop.write(text)
    assert not shop.deploy().failures


# --- files and artifacts


def test_files_of_a_target_follow_the_project(shop: Project, name: str) -> None:
    (shop.root / "old.txt").write_text("old", encoding="utf-8")
    (shop.root / "data").write_text("a file", encoding="utf-8")
    shop.deploy()
    (shop.root / "old.txt").unlink()
    (shop.root / "data").unlink()
    (shop.root / "data").mkdir()
    (shop.root / "data" / "more").write_text("in a folder", encoding="utf-8")
    (shop.root / "n.py").write_text(NOTEBOOK + "print(2)\n", encoding="utf-8")
    shop.deploy()
    read = shop.site.folder.read
    assert read(f"/Workspace/Shared/{name}/files/old.txt") is None
    assert read(f"/Workspace/Shared/{name}/files/data/more") == b"in a folder"
    assert (read(f"/Workspace/Shared/{name}/files/n") or b"").endswith(b"print(2)\n") or (
        read(f"/Workspace/Shared/{name}/files/n.py") or b""
    ).endswith(b"print(2)\n")


def test_an_artifact_is_built_only_when_its_sources_changed(local: Project) -> None:
    local.write(
        """
bundle: {name: b}
artifacts:
  a: {type: whl, build: "echo x >> ../builds; : > dist/a-1-py3-none-any.whl"}
""",
        source_py="1",
    )
    (local.root / "dist").mkdir()
    builds = local.root.parent / "builds"
    builds.unlink(missing_ok=True)
    for content, count in (("1", 1), ("1", 1), ("2", 2)):
        (local.root / "source.py").write_text(content, encoding="utf-8")
        local.deploy()
        assert len(builds.read_text("utf-8").split()) == count
    assert (local.root / "dist" / "a-1-py3-none-any.whl").exists()


def test_a_wheel_with_a_dynamic_version_is_another_file_for_each_build(project: Project) -> None:
    wheel = project.root / "shop-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("shop-1.dist-info/METADATA", "Metadata-Version: 2.1\nVersion: 1\n")
    artifact = "{type: whl, files: [{source: ./*.whl}], dynamic_version: true}"
    job = "{name: j, environments: [{environment_key: e, spec: {dependencies: [./*.whl]}}]}"
    text = resources(f"{{jobs: {{j: {job}}}}}", f"dynamic_{project.site.is_local}")
    project.write(f"{text}\nartifacts: {{a: {artifact}}}\n")
    folder = f"{project.load().workspace.artifact_path}/.internal"
    places = []
    for built_ns in (10**9, 2 * 10**9):
        os.utime(wheel, ns=(built_ns, built_ns))
        job_id = project.deploy().jobs["j"]
        places.append(f"{folder}/shop-1+{built_ns}-py3-none-any.whl")
        settings = project.client.jobs.get(job_id).settings
        assert settings is not None
        spec = (settings.environments or [])[0].spec
        assert spec is not None
        assert spec.dependencies == [places[-1]]
        content = project.site.folder.read(places[-1])
        assert content is not None
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert b"Version: 1+" in archive.read(f"shop-1+{built_ns}.dist-info/METADATA")
        assert project.plan().changing == ()
    assert project.site.folder.read(places[0]) is None


def test_a_build_that_fails_says_its_last_words(project: Project) -> None:
    project.write("bundle: {name: b}\nartifacts: {a: {build: 'echo no setup; exit 4'}}\n")
    with pytest.raises(LaketopError, match="ended with 4: no setup"):
        project.deploy()


def test_a_bundle_with_errors_is_not_deployed(shop: Project, name: str) -> None:
    (shop.root / "n.py").unlink()
    with pytest.raises(ConfigError, match=r"n\.py"):
        shop.deploy()
    assert shop.site.folder.read(f"/Workspace/Shared/{name}/state/resources.json") is None
    (shop.root / "n.py").write_text(NOTEBOOK, encoding="utf-8")


# --- the local workspace alone


def resources(text: str, name: str = "b") -> str:
    return f"bundle: {{name: {name}}}\nresources: {text}\n"


def test_what_holds_a_resource_is_made_and_said(local: Project, name: str) -> None:
    local.write(resources(f"{{volumes: {{v: {{catalog_name: {name}, schema_name: s, name: v}}}}}}"))
    assert not local.deploy().failures
    assert local.said == [
        f"created catalog {name}, which must exist already on Databricks",
        f"created schema {name}.s, which must exist already on Databricks",
    ]
    assert destroy(local.site, local.load(), Options(confirm=yes)) == ()
    with pytest.raises(NotFound):
        local.client.catalogs.get(name)


def test_what_another_target_made_is_shared_and_stays(local: Project, name: str) -> None:
    local.client.schemas.create(name, "main", comment="mine")
    local.write(resources(f"{{schemas: {{s: {{catalog_name: main, name: {name}}}}}}}"))
    assert not local.deploy().failures
    assert "schemas.s is there already" in local.said[0]
    assert local.plan().changing == ()
    assert destroy(local.site, local.load(), Options(confirm=yes)) == ()
    assert local.client.schemas.get(f"main.{name}")


def test_types_without_a_service_are_state_and_said_so(local: Project) -> None:
    rule = "{metric: STREAMING_BACKLOG_FILES, op: GREATER_THAN, value: 1}"
    job = f"{{name: j, health: {{rules: [{rule}]}}}}"
    local.write(resources(f"{{genie_spaces: {{p: {{title: etl}}}}, jobs: {{j: {job}}}}}", "state"))
    done = local.deploy()
    assert not done.failures
    assert sorted(local.said) == [
        "genie_spaces.p is kept as state only: nothing runs behind genie_spaces here",
        "the health rule STREAMING_BACKLOG_FILES of job j is not watched here",
    ]
    told = {one["key"]: one["id"] for one in summary_of(local.site, local.load())}
    assert told == {"p": "state-only", "j": str(done.jobs["j"])}
    assert local.plan().changing == ()
    local.write(resources(f"{{genie_spaces: {{p: {{title: elt}}}}, jobs: {{j: {job}}}}}", "state"))
    assert local.actions() == {"genie_spaces.p": "update"}
    destroy(local.site, local.load(), Options(confirm=yes))


def test_a_remote_workspace_is_not_told_half_of_a_bundle(tmp_path: Path, second: Served) -> None:
    settings = Settings(root=tmp_path, cache=tmp_path)
    said: list[str] = []
    remote = Project(tmp_path, second, Site.remote(settings, second.client, said.append), said)
    remote.write(resources("{genie_spaces: {p: {title: etl}}, jobs: {j: {name: j}}}"))
    with pytest.raises(Refused, match=r"genie_spaces\.p to a remote workspace"):
        remote.deploy()
    with pytest.raises(Refused, match=r"genie_spaces\.p"):
        remote.plan()


def test_a_task_of_a_type_that_does_not_run_is_said_by_name(local: Project) -> None:
    task = "tasks: [{task_key: t, pipeline_task: {pipeline_id: p}}]"
    local.write(resources(f"{{jobs: {{j: {{{task}}}}}}}", "waits"))
    local.deploy()
    assert local.said == ["task t of job j is a pipeline_task, which does not run yet"]
    destroy(local.site, local.load(), Options(confirm=yes))


def test_a_reference_that_nothing_fills_is_told_by_name(shop: Project, name: str) -> None:
    text = EVERYTHING.replace("NAME", name)
    shop.write(text.replace("experiments.runs.id", "experiments.runs.url"))
    done = shop.deploy()
    assert [failure.name for failure in done.failures] == ["jobs.outer", "jobs.outer.permissions"]
    assert "resources.experiments.runs.url" in str(done.failures[0].error)


# --- faults


@pytest.mark.parametrize("calls", [1, 5, 9, 10])
def test_a_deployment_that_is_killed_is_completed_by_the_next(
    shop: Project, name: str, calls: int
) -> None:
    kind = "local" if shop.site.is_local else "remote"
    where = (shop.site.url, shop.served.token, shop.root, shop.site.settings.root, calls)
    died = subprocess.run(
        [sys.executable, DYING, kind, *map(str, where)],
        env={"HOME": str(shop.root)},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not shop.deploy().failures
    assert shop.plan().changing == ()
    jobs = sorted(job.settings.name or "" for job in shop.client.jobs.list() if job.settings)
    assert [job for job in jobs if job.startswith(name)] == [f"{name} inner", f"{name} outer"]


def test_two_deployments_at_once_make_one(shop: Project, name: str) -> None:
    with ThreadPoolExecutor() as pool:
        done = [one.result() for one in [pool.submit(shop.deploy), pool.submit(shop.deploy)]]
    assert done[0].jobs == done[1].jobs
    jobs = [job.settings.name or "" for job in shop.client.jobs.list() if job.settings]
    assert len([job for job in jobs if job.startswith(name)]) == 2


def test_a_full_disk_leaves_the_state_as_it_was(local: Project, name: str) -> None:
    state = DiskFolder(local.root)
    state.write("/Shared/x/resources.json", b"before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(LaketopError, match=r"resources\.json' cannot be written"):
            state.write("/Shared/x/resources.json", b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert state.read("/Shared/x/resources.json") == b"before"
    assert [file.name for file in state.place("/Shared/x").iterdir()] == ["resources.json"]


def test_a_state_that_cannot_be_read_is_said_and_not_written_over(shop: Project, name: str) -> None:
    shop.deploy()
    path = f"/Workspace/Shared/{name}/state/resources.json"
    whole = shop.site.folder.read(path) or b""
    for broken in (whole[:50], b"[]", whole.replace(b'"state_version": 2', b'"state_version": 9')):
        shop.site.folder.write(path, broken)
        with pytest.raises(LaketopError, match="state of the deployment"):
            shop.deploy()
        assert shop.site.folder.read(path) == broken
    shop.site.folder.write(path, whole)
    assert shop.plan().changing == ()


def test_a_schema_with_a_table_stays_without_a_purge(shop: Project, name: str) -> None:
    shop.deploy()
    log = shop.served.workspace.state / "catalog" / name / "raw" / "orders" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("{}", encoding="utf-8")
    kept = destroy(shop.site, shop.load(), Options(confirm=yes))
    assert {failure.name for failure in kept} == {"schemas.raw", "catalogs.lake"}
    assert "1 tables" in str(kept[0].error)
    assert log.is_dir()
    assert destroy(shop.site, shop.load(), Options(purge=True, confirm=yes)) == ()
    assert not log.exists()


WAITING = """
bundle: {name: waits}
workspace: {root_path: /Workspace/Shared/NAME}
resources:
  jobs:
    slow:
      name: NAME
      tasks:
        - task_key: t
          environment_key: default
          spark_python_task: {python_file: wait.py, parameters: [GO, first]}
      environments: [{environment_key: default, spec: {environment_version: "4"}}]
"""
SCRIPT = """
import pathlib, sys, time
go, word = sys.argv[1:]
while not pathlib.Path(go).exists():
    time.sleep(0.02)
print(word)
"""


def test_a_job_that_is_changed_while_it_runs_ends_as_it_began(local: Project, name: str) -> None:
    go = local.root / "go"
    text = WAITING.replace("NAME", name).replace("GO", str(go))
    local.write(text, wait_py=SCRIPT)
    job_id = local.deploy().jobs["slow"]
    run = local.client.jobs.run_now(job_id)
    local.write(text.replace("first", "second"))
    assert local.actions() == {"jobs.slow": "update"}
    assert not local.deploy().failures
    strict = text.replace("{name: waits}", "{name: waits, deployment: {fail_on_active_runs: true}}")
    local.write(strict)
    with pytest.raises(LaketopError, match="active runs"):
        local.deploy()
    go.touch()
    tasks = run.result().tasks or []
    assert local.client.jobs.get_run_output(tasks[0].run_id or 0).logs == "first\n"
    assert not local.deploy().failures
    destroy(local.site, local.load(), Options(confirm=yes))


ENDPOINT = """
bundle: {name: serve}
workspace: {root_path: /Workspace/Shared/NAME}
resources:
  model_serving_endpoints:
    price:
      name: NAME
      permissions: [{level: CAN_QUERY, user_name: ann@laketop.local}]
      config:
        served_entities:
          - entity_name: main.default.NAME
            entity_version: "1"
            workload_size: Small
            scale_to_zero_enabled: true
"""
TABLES = """
        auto_capture_config: {catalog_name: main, schema_name: default, table_name_prefix: old}
      ai_gateway:
        inference_table_config: {catalog_name: main, schema_name: default, enabled: true}
"""


def test_an_endpoint_is_made_changed_and_deleted(
    local: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.write(ENDPOINT.replace("NAME", name))
    failed = local.deploy().failures
    assert [failure.name for failure in failed] == [
        "model_serving_endpoints.price",
        "model_serving_endpoints.price.permissions",
    ]
    monkeypatch.setenv("DATABRICKS_HOST", local.served.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", local.served.token)
    for _ in range(2):
        registered(f"main.default.{name}", f"/Shared/{name}")
    assert not local.deploy().failures
    assert local.plan().changing == ()
    client = local.client
    client.serving_endpoints.wait_get_serving_endpoint_not_updating(name)
    assert local.plan().changing == ()
    text = ENDPOINT.replace("NAME", name)
    second = text.replace('entity_version: "1"', 'entity_version: "2"')
    local.write(second)
    edits = [edit.path for step in local.plan().changing for edit in step.edits]
    assert edits == ["config.served_entities[0].entity_version"]
    local.write(second.rstrip() + TABLES)
    assert not local.deploy().failures
    told = client.serving_endpoints.wait_get_serving_endpoint_not_updating(name)
    assert told.config is not None
    assert [one.entity_version for one in told.config.served_entities or []] == ["2"]
    assert told.config.auto_capture_config is not None
    assert told.ai_gateway is not None
    assert local.plan().changing == ()
    local.write(second)
    assert not local.deploy().failures
    told = client.serving_endpoints.wait_get_serving_endpoint_not_updating(name)
    assert told.config is not None
    assert (told.config.auto_capture_config, told.ai_gateway) == (None, None)
    assert local.plan().changing == ()
    assert destroy(local.site, local.load(), Options(confirm=yes)) == ()
    with pytest.raises(NotFound):
        client.serving_endpoints.get(name)


def registered(model: str, experiment: str) -> None:
    """Register the next version of a model that answers what it is asked."""
    import mlflow
    import numpy as np
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyRegressor

    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    rows = np.array([[1.0], [2.0]])
    experiment_id = mlflow.MlflowClient().get_experiment_by_name(experiment)
    chosen = experiment_id or mlflow.get_experiment(mlflow.create_experiment(experiment))
    with mlflow.start_run(experiment_id=chosen.experiment_id):
        mlflow.sklearn.log_model(
            DummyRegressor().fit(rows, rows[:, 0]),
            name="model",
            registered_model_name=model,
            signature=infer_signature(rows, rows[:, 0]),
            pip_requirements=["scikit-learn"],
        )


def test_scripts_run_around_the_build_and_the_deployment(local: Project) -> None:
    moments = ("preinit", "postinit", "prebuild", "postbuild", "predeploy", "postdeploy")
    made = json.dumps({"resources": {"experiments": {"e": {"name": "/Shared/of_a_script"}}}})
    scripts = {moment: f"echo {moment} >> order" for moment in moments}
    scripts["preinit"] += f"; echo '{made}' > made.json"
    artifact = {"type": "jar", "build": "echo build >> order; : > a.jar"}
    content = {
        "bundle": {"name": "b"},
        "workspace": {"root_path": "/Workspace/Shared/hooks"},
        "include": ["made*.json"],
        "artifacts": {"a": {**artifact, "files": [{"source": "a.jar"}]}},
        "experimental": {"scripts": scripts},
    }
    local.write(json.dumps(content))
    done = local.deploy()
    order = (local.root / "order").read_text(encoding="utf-8").split()
    assert order == [*moments[:3], "build", *moments[3:]]
    assert [step.name for step in done.plan.changing] == ["experiments.e"]
    destroy(local.site, local.load(), Options(confirm=yes))


COMPUTE = """
bundle: {name: compute}
workspace: {root_path: /Workspace/Shared/NAME}
resources:
  sql_warehouses:
    small: {name: NAME, cluster_size: 2X-Small, auto_stop_mins: STOP}
  instance_pools:
    pool:
      instance_pool_name: NAME
      node_type_id: local
      max_capacity: 3
      permissions: [{level: CAN_ATTACH_TO, user_name: ann@laketop.local}]
  clusters:
    shared:
      cluster_name: NAME
      spark_version: 17.3.x-scala2.13
      num_workers: 1
      instance_pool_id: ${resources.instance_pools.pool.id}
      permissions: [{level: CAN_RESTART, user_name: ann@laketop.local}]
  jobs:
    job:
      name: NAME
      tasks:
        - task_key: t
          existing_cluster_id: ${resources.clusters.shared.id}
          sql_task:
            warehouse_id: ${resources.sql_warehouses.small.id}
            query: {query_id: q}
"""


def test_warehouses_clusters_and_pools_are_made_changed_and_deleted(project: Project) -> None:
    name = f"compute_{project.site.is_local}"
    text = COMPUTE.replace("NAME", name)
    project.write(text.replace("STOP", "10"))
    project.deploy()
    assert project.plan().changing == ()
    client = project.client
    (warehouse,) = (one for one in client.warehouses.list() if one.name == name)
    (cluster,) = (one for one in client.clusters.list() if one.cluster_name == name)
    (pool,) = (one for one in client.instance_pools.list() if one.instance_pool_name == name)
    assert cluster.instance_pool_id == pool.instance_pool_id
    (job,) = client.jobs.list(name=name, expand_tasks=True)
    assert job.settings is not None
    task = (job.settings.tasks or [])[0]
    assert task.existing_cluster_id == cluster.cluster_id
    assert task.sql_task is not None
    assert task.sql_task.warehouse_id == warehouse.id
    for kind, id_ in (("clusters", cluster.cluster_id), ("instance-pools", pool.instance_pool_id)):
        held = client.permissions.get(kind, id_ or "")
        names = [entry.user_name for entry in held.access_control_list or ()]
        assert "ann@laketop.local" in names

    project.write(text.replace("STOP", "20").replace("num_workers: 1", "num_workers: 2"))
    client.instance_pools.edit(pool.instance_pool_id or "", name, "local", max_capacity=9)
    changed = dict.fromkeys(
        ("sql_warehouses.small", "clusters.shared", "instance_pools.pool"), "update"
    )
    assert project.actions() == changed
    project.deploy()
    assert project.plan().changing == ()
    assert client.warehouses.get(warehouse.id or "").auto_stop_mins == 20
    assert client.clusters.get(cluster.cluster_id or "").num_workers == 2
    assert client.instance_pools.get(pool.instance_pool_id or "").max_capacity == 3

    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    assert name not in [one.name for one in client.warehouses.list()]
    assert name not in [one.cluster_name for one in client.clusters.list()]
    assert name not in [one.instance_pool_name for one in client.instance_pools.list()]


def test_a_pipeline_is_an_object_that_nobody_runs(project: Project) -> None:
    name = f"pipeline_{project.site.is_local}"
    permissions = "[{level: CAN_RUN, user_name: ann@laketop.local}]"
    pipeline = f"{{name: {name}, serverless: true, catalog: CATALOG, permissions: {permissions}}}"
    task = "{task_key: t, pipeline_task: {pipeline_id: '${resources.pipelines.p.id}'}}"
    text = resources(f"{{pipelines: {{p: {pipeline}}}, jobs: {{j: {{tasks: [{task}]}}}}}}", name)
    project.write(text.replace("CATALOG", "main"))
    project.deploy()
    assert project.plan().changing == ()
    (kept,) = project.client.pipelines.list_pipelines(filter=f"name LIKE '{name}'")
    id_ = kept.pipeline_id or ""
    held = project.client.permissions.get("pipelines", id_)
    assert "ann@laketop.local" in [one.user_name for one in held.access_control_list or ()]
    project.write(text.replace("CATALOG", "other"))
    assert project.actions() == {"pipelines.p": "update"}
    project.deploy()
    spec = project.client.pipelines.get(id_).spec
    assert spec is not None
    assert spec.catalog == "other"
    pages = {one["key"]: one["url"] for one in summary_of(project.site, project.load())}
    page = None if project.site.is_local else f"{project.site.url}/pipelines/{id_}"
    assert pages["p"] == page, "the local workspace has no page of a pipeline"
    says = "pipelines.p is deployed as an object, and nothing runs it here"
    assert (says in project.said) is project.site.is_local
    with pytest.raises(Refused, match=r"running pipelines\.p"):
        check_runs(project.load(), "p")
    project.client.pipelines.update(id_, name=name, catalog="by hand")
    assert project.actions() == {"pipelines.p": "update"}
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    with pytest.raises(NotFound):
        project.client.pipelines.get(id_)


def test_a_monitor_of_a_table_is_put_back_after_a_change_by_hand_and_goes(
    project: Project,
) -> None:
    table = f"main.default.watched_{project.site.is_local}".lower()
    monitor = f"table_name: {table}, output_schema_name: main.default, assets_dir: /Shared/m"
    text = resources(f"{{quality_monitors: {{q: {{{monitor}, KIND}}}}}}", table.rpartition(".")[2])
    project.write(text.replace("KIND", "snapshot: {}"))
    assert not project.deploy().failures
    assert project.plan().changing == ()
    api = project.client.quality_monitors
    made = api.get(table)
    assert (made.assets_dir, made.snapshot is not None) == ("/Shared/m", True)
    series = "time_series: {timestamp_col: at, granularities: [1 day]}"
    project.write(text.replace("KIND", series))
    assert project.actions() == {"quality_monitors.q": "update"}
    project.deploy()
    assert api.get(table).snapshot is None
    by_hand = MonitorTimeSeries(timestamp_col="late", granularities=["1 day"])
    api.update(table, "main.default", time_series=by_hand)
    (step,) = project.plan().changing
    assert [(edit.path, edit.by) for edit in step.edits] == [
        ("time_series.timestamp_col", "workspace")
    ]
    project.deploy()
    assert project.plan().changing == ()
    says = "quality_monitors.q is deployed as an object, and nothing computes it here"
    assert (says in project.said) is project.site.is_local
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    with pytest.raises(NotFound):
        api.get(table)


def test_a_database_is_put_back_after_a_change_by_hand_and_goes_with_a_purge(
    project: Project, name: str
) -> None:
    text = resources(
        f"""{{database_instances: {{i: {{name: {name}, capacity: CU_1, NODES,
          permissions: [{{level: CAN_MANAGE, user_name: ann@laketop.local}}]}}}},
        database_catalogs: {{c: {{name: {name}, database_name: DATABASE,
          database_instance_name: "${{resources.database_instances.i.name}}"}}}},
        synced_database_tables: {{SYNCED}}}}""",
        name,
    )
    synced = f"""t: {{name: {name}.s.t, database_instance_name: {name}, logical_database_name: d,
      spec: {{source_table_full_name: main.s.t, primary_key_columns: [id]}}}}"""
    first = text.replace("SYNCED", synced).replace("DATABASE", "d")
    project.write(first.replace("NODES", "custom_tags: [{key: a, value: b}]"))
    assert not project.deploy().failures
    project.write(first.replace("NODES", "node_count: 1"))  # which it has by default
    assert not project.deploy().failures
    assert project.plan().changing == ()
    api = project.client.database
    assert api.get_synced_database_table(f"{name}.s.t").effective_logical_database_name == "d"
    held = project.client.permissions.get("database-instances", name).access_control_list or []
    assert "ann@laketop.local" in {entry.user_name for entry in held}
    by_hand = DatabaseInstance(name=name, node_count=3, capacity="CU_8")
    api.update_database_instance(name, by_hand, "node_count,capacity")
    (step,) = project.plan().changing
    assert {(edit.path, edit.by) for edit in step.edits} == {
        ("node_count", "workspace"),
        ("capacity", "workspace"),
    }
    project.deploy()
    again = api.get_database_instance(name)
    assert (again.effective_node_count, again.capacity) == (1, "CU_1")
    text = text.replace("SYNCED", "").replace("DATABASE", "e")
    project.write(text.replace("NODES", "stopped: true"))
    assert project.actions() == {
        "synced_database_tables.t": "delete",
        "database_instances.i": "update",
        "database_catalogs.c": "recreate",
    }
    project.deploy()
    assert api.get_database_catalog(name).database_name == "e"
    (kept,) = destroy(project.site, project.load(), Options(confirm=yes))
    assert "may hold data" in str(kept.error)
    assert destroy(project.site, project.load(), Options(confirm=yes, purge=True)) == ()
    with pytest.raises(NotFound):
        api.get_database_instance(name)


def test_a_catalog_of_another_database_is_not_taken_for_the_bundles(local: Project) -> None:
    api = local.client.database
    api.create_database_instance(DatabaseInstance(name="taken"))
    there = DatabaseCatalog(name="taken", database_instance_name="taken", database_name="d")
    api.create_database_catalog(there)
    catalog = "name: taken, database_instance_name: taken, database_name: e"
    instance = "database_instances: {i: {name: taken, node_count: 1}}"
    text = f"{{{instance}, database_catalogs: {{c: {{{catalog}}}}}}}"
    local.write(resources(text, "taken"))
    (failure,) = local.deploy().failures
    assert "'taken' is there already, with another database_name: 'd'" in str(failure.error)
    local.write(resources(text.replace("database_name: e", "database_name: d"), "taken"))
    assert not local.deploy().failures
    assert local.plan().changing == ()
    destroy(local.site, local.load(), Options(confirm=yes, purge=True))
    assert api.get_database_catalog("taken").database_name == "d"  # which is not the bundle's
    api.delete_database_catalog("taken")
    api.delete_database_instance("taken")


def seen(level: str) -> str:
    return f"permissions: [{{level: {level}, user_name: ann@laketop.local}}]"


def test_apps_and_dashboards_are_objects_that_nobody_runs(project: Project) -> None:
    name = f"face-{project.site.is_local}".lower()
    (project.root / "app").mkdir()
    (project.root / "app" / "app.py").write_text("print(1)\n", encoding="utf-8")
    app = f"{{name: {name}, description: SAYS, source_code_path: app, {seen('CAN_USE')}}}"
    (warehouse, *_) = project.client.warehouses.list()
    draft = "serialized_dashboard: {pages: [{name: SAYS}]}"
    board = f"{{display_name: {name}, warehouse_id: {warehouse.id}, {draft}, {seen('CAN_READ')}}}"
    text = resources(f"{{apps: {{a: {app}}}, dashboards: {{d: {board}}}}}", name)
    project.write(text.replace("SAYS", "one"))
    assert not project.deploy().failures
    assert project.plan().changing == ()
    (found,) = (d for d in project.client.lakeview.list() if d.display_name == name)
    id_ = found.dashboard_id or ""
    assert project.client.lakeview.get_published(id_).warehouse_id == warehouse.id
    assert project.client.apps.get(name).description == "one"

    project.write(text.replace("SAYS", "two"))
    assert project.actions() == {"apps.a": "update", "dashboards.d": "update"}
    project.deploy()
    assert project.client.apps.get(name).description == "two"
    assert "two" in (project.client.lakeview.get(id_).serialized_dashboard or "")
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    assert name not in [one.name for one in project.client.apps.list()]
    assert name not in [one.display_name for one in project.client.lakeview.list()]


def test_permissions_of_a_secret_scope_are_those_of_the_bundle(project: Project) -> None:
    scope = f"held-{project.site.is_local}".lower()
    of_scope = "permissions: [{level: WRITE, group_name: admins}]"
    of_all = "permissions: [{level: CAN_VIEW, user_name: ann@laketop.local}]\n"
    text = resources(f"{{secret_scopes: {{s: {{name: {scope}, {of_scope}}}}}}}", scope)
    project.write(text + of_all)

    def held() -> dict[str, str]:
        items = project.client.secrets.list_acls(scope)
        return {one.principal or "": one.permission.value for one in items if one.permission}

    assert not project.deploy().failures
    assert project.plan().changing == ()
    me = project.client.current_user.me().user_name or ""
    assert held() == {"admins": "WRITE", "ann@laketop.local": "READ", me: "MANAGE"}
    project.client.secrets.put_acl(scope, "users", AclPermission.MANAGE)
    assert project.actions() == {"secret_scopes.s.permissions": "update"}
    project.write(text)
    project.deploy()
    assert held() == {"admins": "WRITE", me: "MANAGE"}
    project.write(resources(f"{{secret_scopes: {{s: {{name: {scope}}}}}}}", scope))
    assert project.actions() == {"secret_scopes.s.permissions": "delete"}
    project.deploy()
    assert held() == {me: "MANAGE"}
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()


def test_an_alert_is_an_object_that_nobody_evaluates(project: Project) -> None:
    name = f"alert-{project.site.is_local}".lower()
    (warehouse, *_) = project.client.warehouses.list()
    evaluation = "{source: {name: n}, comparison_operator: GREATER_THAN}"
    schedule = "{quartz_cron_schedule: 0 0 6 * * ?, timezone_id: UTC}"
    body = f"display_name: {name}, query_text: SAYS, warehouse_id: {warehouse.id}"
    alert = f"{{{body}, evaluation: {evaluation}, schedule: {schedule}, {seen('CAN_READ')}}}"
    text = resources(f"{{alerts: {{a: {alert}}}}}", name)
    project.write(text.replace("SAYS", "select 1 as n"))
    assert not project.deploy().failures
    assert project.plan().changing == ()
    (made,) = (one for one in project.client.alerts_v2.list_alerts() if one.display_name == name)
    id_ = made.id or ""
    held = project.client.permissions.get("alertsv2", id_)
    assert "ann@laketop.local" in [one.user_name for one in held.access_control_list or ()]

    project.write(text.replace("SAYS", "select 2 as n"))
    assert project.actions() == {"alerts.a": "update"}
    project.deploy()
    assert project.client.alerts_v2.get_alert(id_).query_text == "select 2 as n"
    project.client.alerts_v2.trash_alert(id_)
    assert project.actions()["alerts.a"] == "create"
    project.deploy()
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    assert name not in [one.display_name for one in project.client.alerts_v2.list_alerts()]


def test_a_model_of_the_workspace_s_registry_follows_the_bundle(project: Project) -> None:
    name = f"churn-{project.site.is_local}".lower()
    registry = project.client.model_registry

    def told() -> ModelDatabricks:
        found = registry.get_model(name).registered_model_databricks
        assert found is not None
        return found

    def write(says: str) -> None:
        model = f"{{name: {name}, {says}, {seen('CAN_READ')}}}"
        project.write(resources(f"{{models: {{m: {model}}}}}", name))

    write("description: who leaves, tags: [{key: team, value: shop}, {key: old, value: x}]")
    assert not project.deploy().failures
    assert project.plan().changing == ()
    held = project.client.permissions.get("registered-models", told().id or "")
    assert "ann@laketop.local" in [one.user_name for one in held.access_control_list or ()]

    write("description: who stays, tags: [{key: team, value: store}]")
    assert project.actions() == {"models.m": "update"}
    assert not project.deploy().failures
    assert told().description == "who stays"
    assert [(tag.key, tag.value) for tag in told().tags or ()] == [("team", "store")]

    registry.set_model_tag(name, "by", "hand")
    assert project.actions() == {"models.m": "update"}
    project.deploy()
    assert [tag.key for tag in told().tags or ()] == ["team"]
    registry.delete_model(name)
    assert project.actions()["models.m"] == "create"
    project.deploy()
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    assert name not in [one.name for one in registry.list_models()]


def test_a_model_is_made_anew_for_another_name_and_keeps_its_description(local: Project) -> None:
    local.write(resources("{models: {m: {name: before, description: d}}}", "renamed"))
    assert not local.deploy().failures
    local.write(resources("{models: {m: {name: after}}}", "renamed"))
    assert local.actions() == {"models.m": "recreate"}
    assert not local.deploy(confirm=yes).failures
    names = [one.name for one in local.client.model_registry.list_models()]
    assert ("before" in names, "after" in names) == (False, True)

    local.write(resources("{models: {m: {name: after, description: d}}}", "renamed"))
    assert not local.deploy().failures
    local.write(resources("{models: {m: {name: after}}}", "renamed"))
    assert local.actions() == {}
    tagged = "{models: {m: {name: after, tags: [{key: team, value: shop}]}}}"
    local.write(resources(tagged, "renamed"))
    assert local.actions() == {"models.m": "update"}
    assert not local.deploy().failures
    assert local.plan().changing == ()
    told = local.client.model_registry.get_model("after").registered_model_databricks
    assert told is not None
    assert told.description == "d"
    assert [(tag.key, tag.value) for tag in told.tags or ()] == [("team", "shop")]
    destroy(local.site, local.load(), Options(confirm=yes))


def test_an_alert_is_deployed_as_its_file_says(local: Project) -> None:
    told = {
        "query_lines": ["select", "1 as n"],
        "evaluation": {"source": {"name": "n"}, "comparison_operator": "GREATER_THAN"},
        "schedule": {"quartz_cron_schedule": "0 0 6 * * ?", "timezone_id": "UTC"},
    }
    (local.root / "a.dbalert.json").write_text(json.dumps(told), encoding="utf-8")
    (warehouse, *_) = local.client.warehouses.list()
    alert = f"{{display_name: a, warehouse_id: {warehouse.id}, file_path: a.dbalert.json}}"
    local.write(resources(f"{{alerts: {{a: {alert}}}}}", "filed"))
    assert not local.deploy().failures
    (id_,) = (one["id"] for one in summary_of(local.site, local.load()))
    assert local.client.alerts_v2.get_alert(id_).query_text == "select\n1 as n\n"
    assert local.plan().changing == ()
    destroy(local.site, local.load(), Options(confirm=yes))


def test_a_dashboard_on_a_warehouse_of_another_workspace_is_deployed_here(local: Project) -> None:
    board = "{display_name: far, warehouse_id: '123', serialized_dashboard: '{}'}"
    local.write(resources(f"{{dashboards: {{d: {board}}}}}", "far"))
    assert not local.deploy().failures
    assert local.plan().changing == ()
    destroy(local.site, local.load(), Options(confirm=yes))


def test_a_part_of_a_bundle_is_planned_and_deployed_with_what_it_needs(project: Project) -> None:
    call = "{task_key: t, run_job_task: {job_id: '${resources.jobs.inner.id}'}}"
    jobs = f"outer: {{tasks: [{call}]}}, inner: {{name: i}}, other: {{name: o}}"
    project.write(resources(f"{{jobs: {{{jobs}}}}}", "part"))
    done = project.deploy(select=["outer"])
    assert sorted(done.jobs) == ["inner", "outer"]
    assert plan_of(project.site, project.load(), ["jobs.outer"]).changing == ()
    assert project.actions() == {"jobs.other": "create"}
    project.write(resources("{jobs: {other: {name: o}}}", "part"))
    assert sorted(project.deploy(select=["other"]).jobs) == ["inner", "other", "outer"]
    assert project.actions() == {"jobs.inner": "delete", "jobs.outer": "delete"}
    with pytest.raises(LaketopError, match="no resource named 'othr'") as told:
        plan_of(project.site, project.load(), ["othr"])
    assert told.value.hint == "did you mean 'other'?"
    destroy(project.site, project.load(), Options(confirm=yes))


def test_what_is_there_is_bound_changed_and_unbound(project: Project) -> None:
    job_id = project.client.jobs.create(name="by hand", timeout_seconds=7).job_id or 0
    project.write(resources("{jobs: {j: {name: bound}}}", "bound"))
    step = bind(project.site, project.load(), "j", str(job_id))
    assert step.action == "update"
    assert ("name", "by hand", "bound") in [(e.path, e.old, e.new) for e in step.edits]
    with pytest.raises(LaketopError, match="deployed already"):
        bind(project.site, project.load(), "jobs.j", str(job_id))
    assert project.deploy().jobs == {"j": job_id}
    settings = project.client.jobs.get(job_id).settings
    assert settings is not None
    assert settings.name == "bound"
    assert unbind(project.site, project.load(), "j") == str(job_id)
    assert project.actions() == {"jobs.j": "create"}
    with pytest.raises(LaketopError, match="nothing to unbind"):
        unbind(project.site, project.load(), "j")
    assert destroy(project.site, project.load(), Options(confirm=yes)) == ()
    assert project.client.jobs.get(job_id).job_id == job_id
    project.client.jobs.delete(job_id)


def test_what_cannot_be_bound_is_refused_by_name(project: Project) -> None:
    schema = "{catalog_name: main, name: theirs}"
    text = (
        f"{{jobs: {{j: {{name: j}}}}, schemas: {{s: {schema}}}, genie_spaces: {{m: {{title: m}}}}}}"
    )
    project.write(resources(text, "unbound"))
    with pytest.raises(LaketopError, match="no job named '999999'"):
        bind(project.site, project.load(), "j", "999999")
    with pytest.raises(LaketopError, match=r"made anew in place of 'main\.default'"):
        bind(project.site, project.load(), "s", "main.default")
    with pytest.raises(Refused, match=r"binding genie_spaces\.m"):
        bind(project.site, project.load(), "m", "m")
    assert {one["id"] for one in summary_of(project.site, project.load())} == {None}
