from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

import laketop.bundle
from laketop.bundle import Problem
from laketop.errors import NotFound

from .conftest import MakeBundle


def test_four_lines_are_a_bundle(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("bundle:\n  name: tiny\ntargets:\n  dev: {default: true}\n")
    assert (bundle.name, bundle.target, bundle.mode) == ("tiny", "dev", None)
    assert (bundle.resources, bundle.problems, bundle.artifacts) == ({}, (), ())
    assert bundle.workspace.root_path == "/Workspace/Users/me@laketop.local/.bundle/tiny/dev"


def test_a_job_is_found_by_its_key_and_near_names_are_told(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("bundle: {name: x}\nresources: {jobs: {training: {name: t}}}\n")
    assert bundle.job("training").name == "jobs.training"
    with pytest.raises(NotFound, match="no job named 'traning'") as caught:
        bundle.job("traning")
    assert caught.value.hint == "did you mean 'training'?"
    with pytest.raises(NotFound) as caught:
        bundle.job("zzz")
    assert caught.value.hint == "the bundle has training"
    with pytest.raises(NotFound) as caught:
        bundle.resource("schemas", "zzz")
    assert caught.value.hint is None


def test_the_same_files_give_the_same_bundle(make_bundle: MakeBundle) -> None:
    text = "bundle: {name: x}\nresources: {jobs: {j: {name: j, tasks: [{task_key: a}]}}}\n"
    assert make_bundle(text) == make_bundle(text)


def test_all_problems_come_at_once_errors_first(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x, nonsense: 1}
        permissions: [{level: CAN_MANAGE, group_name: users}]
        resources:
          jobs: {j: {tasks: [{task_key: a}], name: "${var.nothing}"}}
    """)
    assert [problem.severity for problem in bundle.problems] == [
        *("error", "error", "warning", "recommendation"),
    ]
    assert len(bundle.errors) == 2


def test_a_problem_has_a_place(make_bundle: MakeBundle) -> None:
    (problem,) = make_bundle("bundle:\n  name: x\n  nonsense: 1\n").problems
    known = "cluster_id, compute_id, databricks_cli_version, deployment, engine, git, name, uuid"
    told = ("warning", "unknown field: nonsense", "bundle.nonsense", "databricks.yml", 3, 3)
    assert problem == Problem(*told, hint=f"it can be {known}")
    assert str(problem) == "databricks.yml:3:3: warning: unknown field: nonsense"


@pytest.mark.parametrize("value", ["{jobs: {}}", "\n        jobs: {}", "\n      - jobs"])
def test_an_unknown_field_is_where_its_key_is_whatever_it_holds(
    make_bundle: MakeBundle, value: str
) -> None:
    targets = f"targets:\n  dev:\n    resorces: {value}\n"
    problems = make_bundle(f"{targets}bundle: {{name: x}}\nresorces: {value}\n").problems
    places = {problem.path: (problem.line, problem.column) for problem in problems}
    assert places == {"targets.dev.resorces": (3, 5), "resorces": (5 + value.count("\n"), 1)}
    assert all("did you mean 'resources'" in (problem.hint or "") for problem in problems)


def test_a_bundle_is_plain_data(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("bundle: {name: x}\nresources: {jobs: {j: {name: j}}}\n")
    assert json.loads(json.dumps(bundle.configuration))["resources"]["jobs"]["j"]["name"] == "j"
    assert json.loads(json.dumps(bundle.job("j").body))["name"] == "j"
    with pytest.raises(dataclasses.FrozenInstanceError):
        bundle.name = "y"  # type: ignore[misc]  # this is what is tested


def test_each_value_knows_the_file_and_line_that_hold_it(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\n"
        "include: [jobs.yml]\n"
        "targets:\n"
        "  dev:\n"
        "    default: true\n"
        "    resources: {jobs: {j: {tasks: [{task_key: a, max_retries: 2}]}}}\n",
        {"jobs.yml": "resources:\n  jobs:\n    j:\n      tasks:\n        - task_key: a\n"},
    )
    task = ("resources", "jobs", "j", "tasks", 0)
    places = {name: bundle.place(*task, name) for name in ("task_key", "max_retries", "none")}
    assert {name: str(place) for name, place in places.items()} == {
        "task_key": "databricks.yml:6:47",
        "max_retries": "databricks.yml:6:63",
        "none": "None",
    }
    assert str(bundle.place(*task[:-2])) == "jobs.yml:4:7"


def test_the_root_may_be_relative(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_bundle("bundle: {name: x}\n").root
    monkeypatch.chdir(root)
    assert laketop.bundle.load(Path()).root == root


def test_the_public_names_are_listed_and_sorted() -> None:
    names = laketop.bundle.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(laketop.bundle, name) for name in names)


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = ("yaml", "pathspec", "pyspark", "databricks.sdk", "starlette")
    code = f"import sys, laketop.bundle; print([m for m in {heavy!r} if m in sys.modules])"
    source = str(Path(laketop.bundle.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": source},
    )
    assert done.stdout.strip() == "[]"
