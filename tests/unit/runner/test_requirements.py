"""Requirements: what the interpreter has passes, what it has not is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.errors import ConfigError, Refused
from laketop.runner.requirements import asked_by_pip, check, problem_of, read_file


@pytest.mark.parametrize(
    "text",
    [
        "pytest",
        "PyTest>=1",
        "pytest ; python_version > '3'",
        "absent ; python_version < '3'",
        "databricks-feature-engineering==0.8.0",
    ],
)
def test_what_is_there_is_no_problem(text: str) -> None:
    assert problem_of(text) is None


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check(["pytest", "no-such-package-here>=2", "pytest<1"])

    assert "'no-such-package-here>=2' is not installed" in caught.value.message
    assert "'pytest<1' is asked for" in caught.value.message


def test_pip_install_gives_its_requirements(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("numpy\n", encoding="utf-8")
    (tmp_path / "r.txt").write_text("# why\npandas>=2  # note\n-r more.txt\n", encoding="utf-8")

    asked = asked_by_pip(
        "install -q -U --index-url http://x 'scipy>1' -r r.txt", lambda name: tmp_path / name
    )

    assert asked.requirements == ["scipy>1", "pandas>=2", "numpy"]
    assert asked.options == ["--index-url", "http://x"]


@pytest.mark.parametrize(
    "line",
    ["uninstall pandas", "install --target x pandas", "install ./folder", ""],
)
def test_other_uses_of_pip_are_refused_by_name(line: str) -> None:
    with pytest.raises(Refused, match="%pip"):
        asked_by_pip(line, Path)


def test_projects_in_place_are_taken_from_lines_and_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "setup.py").touch()
    (tmp_path / "r.txt").write_text("-e ./more\npandas\n", encoding="utf-8")
    asked = asked_by_pip("install -e . -r r.txt", lambda name: tmp_path / name)
    assert asked.requirements == [
        *(f"-e {tmp_path.as_uri()}", f"-e {tmp_path.as_uri()}/more", "pandas"),
    ]


def test_pip_install_takes_wheels_by_their_place(tmp_path: Path) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    wheel.touch()
    asked = asked_by_pip("install x-1-py3-none-any.whl -f here", lambda name: tmp_path / name)
    assert asked.requirements == [str(wheel)]
    assert asked.options == ["--find-links", "here"]
    with pytest.raises(ConfigError, match="no wheel"):
        asked_by_pip("install other-1-py3-none-any.whl", lambda name: tmp_path / name)


def test_an_option_in_a_requirements_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    file.write_text("--index-url http://x\n", encoding="utf-8")

    with pytest.raises(Refused, match=r"r\.txt"):
        read_file(file)


def test_a_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no requirements file"):
        read_file(tmp_path / "none.txt")
