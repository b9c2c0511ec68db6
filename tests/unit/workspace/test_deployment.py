from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop import bundle
from laketop.errors import ConfigError, LaketopError, Refused
from laketop.settings import Settings
from laketop.workspace import deployment
from laketop.workspace.daemon import Contact


def silent(_: str) -> None:
    pass


class Jobs(Contact):
    """The jobs of a workspace, kept in a dictionary: what `deploy` asks of one."""

    jobs: dict[int, object]

    def request(self, *call: object, **_: object) -> object:
        path, body = call[1], call[2] if len(call) == 3 else None
        assert isinstance(path, str)
        assert isinstance(body, dict) or body is None
        action = path.partition("?")[0].rpartition("/")[2]
        if action == "create":
            self.jobs[len(self.jobs) + 1] = body
            return {"job_id": len(self.jobs)}
        job_id = int(body["job_id"] if body else path.rpartition("=")[2])
        if job_id not in self.jobs:
            raise LaketopError(f"Job {job_id} does not exist.")
        if action == "reset" and body:
            self.jobs[job_id] = body["new_settings"]
        elif action == "delete":
            del self.jobs[job_id]
        return {}


@pytest.fixture
def jobs() -> Jobs:
    found = Jobs("http://127.0.0.1:1", "t", "", 0, "0", "python")
    object.__setattr__(found, "jobs", {})
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.read(tmp_path, dict(os.environ))


def write(root: Path, text: str, **files: str) -> None:
    (root / "databricks.yml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (root / name.replace("_", ".")).write_text(content, encoding="utf-8")


TWO_JOBS = """
bundle: {name: b}
targets:
  dev: {default: true, mode: development}
  prod: {workspace: {root_path: /Workspace/Shared/b}}
resources:
  jobs:
    outer:
      tasks:
        - task_key: t
          run_job_task: {job_id: "${resources.jobs.inner.id}"}
    inner:
      tasks:
        - task_key: t
          notebook_task: {notebook_path: n.py}
"""
NOTEBOOK = "# Databricks notebook source\nprint(1)\n"


def deploy(root: Path, settings: Settings, jobs: Jobs, target: str) -> deployment.Deployment:
    return deployment.deploy(lambda: bundle.load(root, target=target), settings, jobs, silent)


def test_a_job_comes_after_the_job_it_runs_and_is_given_its_id(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, TWO_JOBS, n_py=NOTEBOOK)
    done = deploy(tmp_path, settings, jobs, "dev")
    outer = jobs.jobs[done.jobs["outer"]]
    assert isinstance(outer, dict)
    assert outer["tasks"][0]["run_job_task"]["job_id"] == done.jobs["inner"]


def test_a_second_deployment_keeps_the_ids_and_a_dropped_job_goes(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, TWO_JOBS, n_py=NOTEBOOK)
    first = deploy(tmp_path, settings, jobs, "dev")
    assert deploy(tmp_path, settings, jobs, "dev") == first
    write(tmp_path, TWO_JOBS.replace("    outer:", "    other:"), n_py=NOTEBOOK)
    third = deploy(tmp_path, settings, jobs, "dev")
    assert third.jobs["inner"] == first.jobs["inner"]
    assert first.jobs["outer"] not in jobs.jobs


def test_a_job_that_somebody_deleted_is_created_again(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, TWO_JOBS, n_py=NOTEBOOK)
    first = deploy(tmp_path, settings, jobs, "dev")
    jobs.jobs[99] = jobs.jobs.pop(first.jobs["outer"])
    again = deploy(tmp_path, settings, jobs, "dev")
    assert again.jobs["outer"] in jobs.jobs


def test_files_of_a_target_follow_the_project(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, TWO_JOBS, n_py=NOTEBOOK, old_txt="old")
    deploy(tmp_path, settings, jobs, "prod")
    place = tmp_path / ".laketop" / "files" / "Shared" / "b" / "files"
    assert (place / "n.py").read_text(encoding="utf-8") == NOTEBOOK
    (tmp_path / "old.txt").unlink()
    (tmp_path / "n.py").write_text(NOTEBOOK + "print(2)\n", encoding="utf-8")
    deploy(tmp_path, settings, jobs, "prod")
    assert not (place / "old.txt").exists()
    assert (place / "n.py").read_text(encoding="utf-8").endswith("print(2)\n")


def test_an_artifact_is_built_only_when_its_sources_changed(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    text = """
bundle: {name: b}
artifacts:
  a: {type: whl, build: "echo x >> builds && mkdir -p dist && touch dist/a-1-py3-none-any.whl"}
"""
    write(tmp_path, text, source_py="1")
    for content in ("1", "1", "2"):
        (tmp_path / "source.py").write_text(content, encoding="utf-8")
        (tmp_path / "builds").touch()
        before = (tmp_path / "builds").read_text(encoding="utf-8")
        deployment.deploy(lambda: bundle.load(tmp_path), settings, jobs, silent)
        (tmp_path / "builds").write_text(
            (tmp_path / "builds").read_text(encoding="utf-8"), encoding="utf-8"
        )
        assert before is not None
    assert (tmp_path / "dist" / "a-1-py3-none-any.whl").exists()


def test_a_build_that_fails_says_its_last_words(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, "bundle: {name: b}\nartifacts: {a: {build: 'echo no setup; exit 4'}}\n")
    with pytest.raises(LaketopError, match="ended with 4: no setup"):
        deployment.deploy(lambda: bundle.load(tmp_path), settings, jobs, silent)


def test_a_bundle_with_errors_is_not_deployed(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    write(tmp_path, TWO_JOBS)
    with pytest.raises(ConfigError, match=r"n\.py"):
        deploy(tmp_path, settings, jobs, "dev")
    assert jobs.jobs == {}


def test_schemas_and_their_catalogs_are_made(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    schema = "{schemas: {s: {catalog_name: prod, name: flights}}}"
    write(tmp_path, f"bundle: {{name: b}}\nresources: {schema}\n")
    told: list[str] = []
    deployment.deploy(lambda: bundle.load(tmp_path), settings, jobs, told.append)
    assert (tmp_path / ".laketop" / "catalog" / "prod" / "flights" / "_schema.json").exists()
    assert told == ["created catalog prod, which must exist already on Databricks"]


def test_a_reference_that_nothing_fills_is_refused_before_a_job_sees_it(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    text = TWO_JOBS.replace("notebook_path: n.py", "notebook_path: n.py, base_parameters: &p {}")
    text = text.replace("&p {}", '{v: "${resources.experiments.e.id}"}')
    write(tmp_path, text + "  experiments: {e: {name: /Shared/e}}\n", n_py=NOTEBOOK)
    with pytest.raises(Refused, match="the reference"):
        deploy(tmp_path, settings, jobs, "dev")


def test_what_a_local_deployment_leaves_out_is_named(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    volume = "{volumes: {v: {catalog_name: main, schema_name: s, name: v}}}"
    write(tmp_path, f"bundle: {{name: b}}\nresources: {volume}\n")
    told: list[str] = []
    deployment.deploy(lambda: bundle.load(tmp_path), settings, jobs, told.append)
    assert told == ["volumes.v is not created: a local deployment does not make volumes yet"]


def test_a_task_of_a_type_that_does_not_run_yet_is_named(
    tmp_path: Path, settings: Settings, jobs: Jobs
) -> None:
    text = """
bundle: {name: b}
resources:
  jobs:
    j: {tasks: [{task_key: t, pipeline_task: {pipeline_id: p}}]}
"""
    write(tmp_path, text)
    told: list[str] = []
    deployment.deploy(lambda: bundle.load(tmp_path), settings, jobs, told.append)
    assert told == ["task t of job j is a pipeline_task, which does not run yet"]


def test_a_file_may_become_a_folder(tmp_path: Path, settings: Settings, jobs: Jobs) -> None:
    write(tmp_path, TWO_JOBS, n_py=NOTEBOOK)
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    deploy(tmp_path, settings, jobs, "prod")
    (tmp_path / "data").unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "more").write_text("in a folder", encoding="utf-8")
    deploy(tmp_path, settings, jobs, "prod")
    place = tmp_path / ".laketop" / "files" / "Shared" / "b" / "files"
    assert (place / "data" / "more").read_text(encoding="utf-8") == "in a folder"


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_an_order_puts_each_job_after_those_it_needs_or_names_the_circle(
    needs: dict[str, set[str]],
) -> None:
    needs = {key: wanted & needs.keys() for key, wanted in needs.items()}
    try:
        order = deployment._in_order(needs)
    except ConfigError as error:
        circle = error.message.rpartition(": ")[2].split(" -> ")
        assert circle[0] == circle[-1]
        assert all(b in needs[a] for a, b in itertools.pairwise(circle))
    else:
        assert sorted(order) == sorted(needs)
        assert all(order.index(b) < order.index(a) for a in needs for b in needs[a])
