"""Libraries of a task: wheels are unpacked once for each content, the rest is collected."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from laketop.errors import ConfigError, Refused
from laketop.runner.libraries import libraries_of


def make_wheel(
    folder: Path, tag: str = "py3-none-any", code: str = "", version: str = "1.2"
) -> Path:
    wheel = folder / f"parcel-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("parcel/__init__.py", code)
        archive.writestr("parcel-1.2.data/purelib/parcel/extra.py", "")
        archive.writestr("parcel-1.2.data/scripts/parcel", "")
        archive.writestr(
            "parcel-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.2\n"
        )
    return wheel


def test_a_wheel_of_libraries_is_unpacked_with_its_metadata(tmp_path: Path) -> None:
    task = {"libraries": [{"whl": str(make_wheel(tmp_path))}]}
    (folder,) = libraries_of(task, Path, tmp_path / "cache").wheels

    (distribution,) = importlib.metadata.distributions(path=[str(folder)])
    assert distribution.version == "1.2"
    assert (folder / "parcel" / "extra.py").is_file()
    assert sorted(path.name for path in folder.iterdir()) == ["parcel", "parcel-1.2.dist-info"]


def test_the_same_content_has_one_folder_and_another_has_another(tmp_path: Path) -> None:
    task = {"libraries": [{"whl": str(make_wheel(tmp_path))}]}
    first = libraries_of(task, Path, tmp_path / "cache")
    again = libraries_of(task, Path, tmp_path / "cache")
    make_wheel(tmp_path, code="x = 1")
    changed = libraries_of(task, Path, tmp_path / "cache")

    assert first == again
    assert first != changed
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_the_newest_of_the_wheels_that_match_comes_first(tmp_path: Path) -> None:
    for version in ("1.2", "1.10", "1.9"):
        make_wheel(tmp_path, version=version, code=f"version = {version!r}")
    found = libraries_of({"libraries": [{"whl": f"{tmp_path}/*.whl"}]}, Path, tmp_path / "cache")

    codes = [(folder / "parcel" / "__init__.py").read_text("utf-8") for folder in found.wheels]
    assert codes == ["version = '1.10'", "version = '1.9'", "version = '1.2'"]


def test_an_environment_gives_wheels_by_pattern_and_requirements(tmp_path: Path) -> None:
    make_wheel(tmp_path)
    (tmp_path / "r.txt").write_text("numpy\n", encoding="utf-8")
    task = {
        "environment_key": "default",
        "environments": [
            {"environment_key": "other", "spec": {"dependencies": ["other"]}},
            {
                "environment_key": "default",
                "spec": {"dependencies": ["/w/*.whl", "pandas>=2", "-r /w/r.txt"]},
            },
        ],
        "libraries": [{"pypi": {"package": "scipy"}}],
    }
    found = libraries_of(task, lambda path: tmp_path / Path(path).name, tmp_path / "cache")

    assert len(found.wheels) == 1
    assert found.requirements == ("scipy", "pandas>=2", "numpy")


@pytest.mark.parametrize(
    "task",
    [
        {"libraries": [{"whl": "/none/parcel-1.2-py3-none-any.whl"}]},
        {"libraries": [{"whl": "/none/*.whl"}]},
        {"libraries": [{"whl": "/none/parcel.whl"}]},
        {"environment_key": "missing"},
    ],
)
def test_what_is_not_there_is_a_clear_error(tmp_path: Path, task: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        libraries_of(task, Path, tmp_path)


def test_a_wheel_for_another_interpreter_is_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, tag="cp27-cp27m-win32")

    with pytest.raises(ConfigError, match="cp27-cp27m-win32, not for this interpreter"):
        libraries_of({"libraries": [{"whl": str(wheel)}]}, Path, tmp_path / "cache")


def test_a_file_that_is_no_wheel_leaves_nothing_behind(tmp_path: Path) -> None:
    wheel = tmp_path / "parcel-1.2-py3-none-any.whl"
    wheel.write_text("not a zip file", encoding="utf-8")

    with pytest.raises(ConfigError, match="is not a wheel"):
        libraries_of({"libraries": [{"whl": str(wheel)}]}, Path, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_jars_are_of_the_libraries_and_of_the_environment(tmp_path: Path) -> None:
    for name in ("a.jar", "b.jar"):
        (tmp_path / name).touch()
    task = {
        "libraries": [{"jar": "/w/a.jar"}, {"jar": "/w/a.jar"}],
        "environment_key": "e",
        "environments": [{"environment_key": "e", "spec": {"java_dependencies": ["/w/b.jar"]}}],
    }
    found = libraries_of(task, lambda path: tmp_path / Path(path).name, tmp_path / "cache")
    assert found.jars == (tmp_path / "a.jar", tmp_path / "b.jar")
    with pytest.raises(ConfigError, match=r"no jar '/w/c\.jar'"):
        libraries_of({"libraries": [{"jar": "/w/c.jar"}]}, lambda _: tmp_path / "c.jar", tmp_path)


@pytest.mark.parametrize("kind", ["maven", "egg", "cran"])
def test_other_kinds_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Refused, match=kind):
        libraries_of({"libraries": [{kind: "x"}]}, Path, tmp_path)


def test_a_wheel_below_a_users_folder_is_a_wheel(tmp_path: Path) -> None:
    folder = tmp_path / "Users" / "me@example.org"
    folder.mkdir(parents=True)
    spec = {"dependencies": [str(make_wheel(folder))]}
    task = {
        "environment_key": "default",
        "environments": [{"environment_key": "default", "spec": spec}],
    }
    assert len(libraries_of(task, Path, tmp_path / "cache").wheels) == 1


def of_environment(*dependencies: str) -> dict[str, Any]:
    environment = {"environment_key": "e", "spec": {"dependencies": [*dependencies]}}
    return {"environment_key": "e", "environments": [environment]}


@pytest.mark.parametrize(
    "text",
    [
        '-r "/w/with space.txt"',
        "-r '/w/with space.txt'",
        "-r /w/with space.txt",
        "--requirement=/w/with space.txt",
        '--requirement "/w/with space.txt"',
    ],
)
def test_a_requirements_file_is_named_in_each_of_its_forms(tmp_path: Path, text: str) -> None:
    (tmp_path / "with space.txt").write_text("numpy\n", encoding="utf-8")
    found = libraries_of(of_environment(text), lambda path: tmp_path / Path(path).name, tmp_path)
    assert found.requirements == ("numpy",)


def test_the_extras_of_a_wheel_ask_for_what_they_need(tmp_path: Path) -> None:
    wheel = tmp_path / "parcel-1.2-py3-none-any.whl"
    metadata = (
        "Metadata-Version: 2.1\nName: parcel\nVersion: 1.2\nRequires-Dist: always\n"
        "Requires-Dist: plot>=2; extra == 'plots'\nRequires-Dist: other; extra == 'others'\n"
    )
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("parcel-1.2.dist-info/METADATA", metadata)
    found = libraries_of(of_environment(f"{wheel}[plots, more]"), Path, tmp_path / "cache")

    assert len(found.wheels) == 1
    assert found.requirements == ("plot>=2",)
    assert found.unmet() == ["plot>=2", "always"]


def test_a_package_of_sources_is_found_in_the_workspace(tmp_path: Path) -> None:
    archive = tmp_path / "my_parcel-1.2.tar.gz"
    archive.touch()
    task = of_environment("/w/my_parcel-1.2.tar.gz[plots]")
    found = libraries_of(task, lambda path: tmp_path / Path(path).name, tmp_path)

    assert found.requirements == (f"my-parcel[plots] @ {archive.as_uri()}",)
    assert found.unmet() == [*found.requirements]
    with pytest.raises(ConfigError, match="no package"):
        libraries_of(of_environment("/w/none-1.tar.gz"), Path, tmp_path)
    (tmp_path / "parcel.tar.gz").touch()
    with pytest.raises(ConfigError, match="is no name of a package"):
        libraries_of(of_environment(str(tmp_path / "parcel.tar.gz")), Path, tmp_path)


def test_indexes_are_told_to_the_resolver(tmp_path: Path) -> None:
    task = {
        **of_environment("--index-url first", "--extra-index-url='second'", "pandas"),
        "libraries": [{"pypi": {"package": "scipy", "repo": "third"}}],
    }
    found = libraries_of(task, Path, tmp_path)
    assert found.requirements == ("scipy", "pandas")
    assert found.options == (
        *("--extra-index-url", "third", "--index-url", "first"),
        *("--extra-index-url", "second"),
    )


@pytest.mark.parametrize("flag", ["-e ", "--editable ", "--editable="])
def test_a_project_in_place_is_asked_for_by_its_folder(tmp_path: Path, flag: str) -> None:
    (tmp_path / "pyproject.toml").touch()
    found = libraries_of(of_environment(f"{flag}{tmp_path}"), Path, tmp_path / "cache")
    assert found.requirements == (f"-e {tmp_path.as_uri()}",)
    assert found.unmet() == list(found.requirements)


def test_a_folder_without_a_project_cannot_be_installed_in_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no project to install in"):
        libraries_of(of_environment(f"-e {tmp_path}"), Path, tmp_path / "cache")


@pytest.mark.parametrize("text", ["-c /w/c.txt", "--no-deps"])
def test_other_options_of_an_environment_are_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match=text):
        libraries_of(of_environment(text), Path, tmp_path)
