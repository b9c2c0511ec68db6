from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle.fields import table
from laketop.bundle.lint.not_run import LIBRARIES, OPTIONS, SPECS, TASKS
from laketop.errors import Refused
from laketop.runner.libraries import libraries_of
from laketop.runner.tasks import task_types


def test_the_types_of_task_that_are_told_are_those_that_the_runner_lacks() -> None:
    types = {name for name in table().blocks["Task"] if name.endswith("_task")}
    assert set(TASKS) == types - {f"{name}_task" for name in task_types()}


@pytest.mark.parametrize("kind", LIBRARIES)
def test_a_kind_of_library_that_is_told_is_refused_by_the_runner(kind: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=repr(kind)):
        libraries_of({"libraries": [{kind: "x"}]}, Path, tmp_path)


@pytest.mark.parametrize("option", ["-c", "--find-links", "--pre", *OPTIONS])
def test_the_options_that_are_told_are_those_that_the_runner_refuses(
    option: str, tmp_path: Path
) -> None:
    (tmp_path / "setup.py").touch()
    given = tmp_path if option in {"-e", "--editable"} else tmp_path / "setup.py"
    environment = {"environment_key": "e", "spec": {"dependencies": [f"{option} {given}"]}}
    task = {"environment_key": "e", "environments": [environment]}
    if option in OPTIONS:
        libraries_of(task, Path, tmp_path)
    else:
        with pytest.raises(Refused, match=option):
            libraries_of(task, Path, tmp_path)


@pytest.mark.parametrize("name", SPECS)
def test_what_an_environment_stands_for_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    environment = {"environment_key": "e", "spec": {name: "/Workspace/env.yaml"}}
    task = {"environment_key": "e", "environments": [environment]}
    with pytest.raises(Refused, match=name):
        libraries_of(task, Path, tmp_path)


def test_no_other_kind_of_library_is_told() -> None:
    assert set(table().blocks["Library"]) - set(LIBRARIES) == {"jar", "pypi", "requirements", "whl"}
