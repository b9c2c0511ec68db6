"""The project's own environment: found, linked to, and put before laketop's packages."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from laketop.runner.own_environment import (
    declares_environment,
    links_to,
    own_environment,
    problem_of_version,
)

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


def make_environment(folder: Path, version: str = VERSION) -> Path:
    (folder / "lib" / version / "site-packages").mkdir(parents=True)
    return folder


def add(environment: Path, name: str, version: str, *files: str) -> None:
    site = environment / "lib" / VERSION / "site-packages"
    info = f"{name}-{version}.dist-info"
    for file in (*files, f"{info}/METADATA"):
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text("", encoding="utf-8")
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (site / info / "METADATA").write_text(text, encoding="utf-8")
    record = [*files, f"{info}/METADATA", f"{info}/RECORD", f"../../../bin/{name}"]
    lines = "".join(f"{file},,\n" for file in record)
    (site / info / "RECORD").write_text(lines, encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "dist-info" not in path.name)


def test_the_projects_folder_comes_before_what_is_active_in_the_shell(tmp_path: Path) -> None:
    active = make_environment(tmp_path / "active")
    shell = {"VIRTUAL_ENV": str(active)}
    assert own_environment(tmp_path, {}) is None
    assert own_environment(tmp_path, shell) == active
    assert own_environment(tmp_path, {"CONDA_PREFIX": str(active)}) == active
    own = make_environment(tmp_path / ".venv")
    assert own_environment(tmp_path, shell) == own


def test_the_environment_that_laketop_runs_in_adds_nothing(tmp_path: Path) -> None:
    assert own_environment(tmp_path, {"VIRTUAL_ENV": sys.prefix}) is None


def test_a_folder_that_is_no_environment_is_none(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    assert own_environment(tmp_path, {"VIRTUAL_ENV": str(tmp_path / "gone")}) is None


@pytest.mark.parametrize(
    ("task", "declares"),
    [
        ({}, False),
        ({"libraries": []}, False),
        ({"libraries": [{"pypi": {"package": "x"}}]}, True),
        ({"environment_key": "default"}, True),
    ],
)
def test_a_task_with_an_environment_or_libraries_declares_one(
    task: dict[str, object], declares: bool
) -> None:
    assert declares_environment(task) is declares


def test_packages_of_another_python_are_not_used_and_that_is_said(tmp_path: Path) -> None:
    other = make_environment(tmp_path / "other", "python3.9")
    problem = problem_of_version(other)
    assert problem is not None
    assert "are for Python 3.9" in problem
    assert problem_of_version(make_environment(tmp_path / "same")) is None


def test_what_the_interpreter_has_in_that_version_is_left_out(tmp_path: Path) -> None:
    own = make_environment(tmp_path / "own")
    add(own, "parcel", "1.0", "parcel/__init__.py", "parcel/deep/more.py")
    add(own, "pandas", "0.1", "pandas/__init__.py")
    add(own, "numpy", importlib.metadata.version("numpy"), "numpy/__init__.py")
    folder = links_to(own, tmp_path / "cache")
    assert names(folder) == ["pandas", "parcel"]
    assert (folder / "parcel" / "deep" / "more.py").is_file()
    versions = {d.name: d.version for d in importlib.metadata.distributions(path=[str(folder)])}
    assert versions == {"parcel": "1.0", "pandas": "0.1"}


@pytest.mark.parametrize("name", ["pyspark", "databricks-connect", "laketop", "pip"])
def test_what_speaks_to_the_engine_stays_laketops(tmp_path: Path, name: str) -> None:
    own = make_environment(tmp_path / "own")
    add(own, name, "0.1", f"{name.partition('-')[0]}/__init__.py")
    assert names(links_to(own, tmp_path / "cache")) == []


def test_a_folder_of_several_packages_is_linked_file_by_file(tmp_path: Path) -> None:
    own = make_environment(tmp_path / "own")
    add(own, "databricks-connect", "0.1", "databricks/connect/__init__.py")
    add(own, "databricks-extra", "0.1", "databricks/extra/__init__.py")
    folder = links_to(own, tmp_path / "cache")
    assert names(folder) == ["databricks"]
    assert names(folder / "databricks") == ["extra"]


def test_a_change_of_the_environment_makes_another_folder(tmp_path: Path) -> None:
    own = make_environment(tmp_path / "own")
    add(own, "parcel", "1.0", "parcel/__init__.py")
    first = links_to(own, tmp_path / "cache")
    assert links_to(own, tmp_path / "cache") == first
    add(own, "other", "1.0", "other.py")
    second = links_to(own, tmp_path / "cache")
    assert second != first
    assert names(second) == ["other.py", "parcel"]
    assert names(first) == ["parcel"]
