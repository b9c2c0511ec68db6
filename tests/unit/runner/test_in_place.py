from __future__ import annotations

import os
from pathlib import Path

import pytest

from laketop.errors import Refused
from laketop.runner import in_place


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "module.py").write_text("x = 1\n")
    (folder / "pyproject.toml").write_text("[project]\nname = 'a.project'\n")
    return folder


def test_a_project_is_known_by_its_name_where_that_is_written(project: Path) -> None:
    asked = in_place.requirement(str(project), Path)
    assert in_place.is_requirement(asked)
    assert in_place.name_of(asked) == "a.project"
    (project / "pyproject.toml").write_text("[project]\n")
    assert in_place.name_of(asked) is None


def test_extras_are_kept_and_an_address_is_refused(project: Path) -> None:
    asked = in_place.requirement(f"{project}[dev,test]", Path)
    assert asked == f"-e {project.as_uri()}[dev,test]"
    assert in_place.name_of(asked) == "a.project"
    with pytest.raises(Refused, match="git"):
        in_place.requirement("git+https://example.org/a.git#egg=a", Path)
    with pytest.raises(Refused, match="without a folder"):
        in_place.requirement("", Path)


def test_its_digest_changes_with_how_it_is_built_and_not_with_its_source(project: Path) -> None:
    asked = in_place.requirement(str(project), Path)
    first = in_place.digest_of(asked)
    (project / "src" / "module.py").write_text("x = 2\n")
    assert in_place.digest_of(asked) == first
    (project / "pyproject.toml").write_text("[project]\nname = 'b'\n")
    assert in_place.digest_of(asked) != first


def test_the_state_of_source_changes_with_it_alone(project: Path) -> None:
    first = in_place.state_of([project])
    (project / "src" / "__pycache__").mkdir()
    (project / "src" / "__pycache__" / "module.pyc").touch()
    assert in_place.state_of([project]) == first
    os.utime(project / "src" / "module.py", ns=(1, 1))
    assert in_place.state_of([project]) != first


def test_the_folders_of_source_are_those_that_pth_files_name(project: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    lines = f"# why\nimport sys\n{project / 'src'}\n/nowhere\nrelative\n"
    (site / "a.pth").write_text(lines)
    assert in_place.folders(site) == [project / "src"]
