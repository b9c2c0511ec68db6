"""Paths: names of the workspace, and the places on disk that they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.runner.paths import Places, files_root, notebook_file, notebook_name


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places.of_state(tmp_path / ".laketop")
    volumes = found.lake / "main" / "default" / "_volumes"
    volumes.mkdir(parents=True)
    (volumes / "raw.json").write_text("{}", encoding="utf-8")
    (found.files / "Users" / "me").mkdir(parents=True)
    return found


def test_a_volume_is_found_where_it_exists(places: Places) -> None:
    top = places.lake / "main" / "default" / "_files" / "raw"

    assert places.file("/Volumes/main/default/raw/2013/jan.csv") == top / "2013" / "jan.csv"
    assert places.file("/Volumes/main/default/raw") == top
    assert places.file("/Volumes/main//default/raw/") == top


def test_an_external_volume_is_found_by_its_link(places: Places, tmp_path: Path) -> None:
    home = places.lake / "main" / "default"
    (home / "_files").mkdir()
    (home / "_volumes" / "outside.json").write_text("{}", encoding="utf-8")
    (home / "_files" / "outside").symlink_to(tmp_path)

    (tmp_path / "a.csv").write_text("x", encoding="utf-8")
    found = places.file("/Volumes/main/default/outside/a.csv")
    assert found.read_text(encoding="utf-8") == "x"
    assert places.file("/Volumes/main/default/outside") == tmp_path
    assert home / "_files" / "outside" in (places.above_volumes("/Volumes/main/default") or [])


@pytest.mark.parametrize(
    "path",
    ["/Volumes/main/default/none/x", "/Volumes/main", "/Volumes/../main/default/raw", "/tmp/x"],
)
def test_what_is_no_volume_stands_for_itself(places: Places, path: str) -> None:
    assert places.file(path) == Path(path)


def test_no_path_leads_out_of_a_volume(places: Places) -> None:
    assert places.volume("/Volumes/main/default/raw/a/../b") is not None
    assert places.volume("/Volumes/main/default/raw/../../../_users.json") is None


@pytest.mark.parametrize("prefix", ["/Workspace", "/Workspace/", "/Workspace/Workspace"])
def test_workspace_files_are_found_below_every_spelling(places: Places, prefix: str) -> None:
    assert places.file(f"{prefix}/Users/me/x") == places.files / "Users" / "me" / "x"


def test_a_linked_project_is_found_below_workspace(places: Places, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()

    assert places.file(f"/Workspace/{tmp_path}/notebooks") == tmp_path / "notebooks"


def test_dbfs_has_a_tree_of_its_own(places: Places) -> None:
    assert places.file("/dbfs/tmp/x") == places.dbfs / "tmp" / "x"
    assert places.file("/dbfs/Volumes/main/default/raw/x").parent.name == "raw"


@pytest.mark.parametrize("name", ["a", "a.py"])
def test_a_notebook_is_found_with_or_without_extension(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.py").touch()

    assert notebook_file(tmp_path / name) == tmp_path / "a.py"


def test_a_name_with_a_dot_is_no_extension(tmp_path: Path) -> None:
    (tmp_path / "v1.2.ipynb").touch()

    assert notebook_file(tmp_path / "v1.2") == tmp_path / "v1.2.ipynb"
    assert notebook_file(tmp_path / "v1") is None


@pytest.mark.parametrize("path", ["/Workspace/Users/me/nb", "/Workspace//Users/me/nb.py"])
def test_a_notebook_is_shown_without_workspace_and_extension(path: str) -> None:
    assert notebook_name(path) == "/Users/me/nb"


def test_the_files_root_is_the_folder_of_the_bundle_file(places: Places, tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").touch()
    notebook = tmp_path / "src" / "notebooks" / "a.py"

    assert files_root(notebook, places) == tmp_path


def test_the_project_is_no_files_root_of_the_workspace_inside_it(
    places: Places, tmp_path: Path
) -> None:
    (tmp_path / "databricks.yml").touch()

    assert files_root(places.files / "Users" / "me" / "a.py", places) is None
