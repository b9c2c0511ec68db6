"""dbutils.fs: volumes, dbfs:/, /Workspace and file:/ under the names of the platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.errors import LaketopError
from laketop.runner.dbutils.files import FileSystem
from laketop.runner.paths import Places

RAW = "/Volumes/main/default/raw"


@pytest.fixture
def fs(tmp_path: Path) -> FileSystem:
    places = Places.of_state(tmp_path)
    home = places.lake / "main" / "default"
    (home / "_volumes").mkdir(parents=True)
    (home / "_files" / "raw").mkdir(parents=True)
    (home / "_volumes" / "raw.json").write_text("{}", encoding="utf-8")
    (places.files / "Users").mkdir(parents=True)
    return FileSystem(places)


@pytest.mark.parametrize("path", [RAW, f"dbfs:{RAW}", "dbfs:/tmp", "/tmp", "file:/Workspace/Users"])
def test_what_is_put_is_found_again(fs: FileSystem, path: str) -> None:
    assert fs.put(f"{path}/a/x.txt", "grüße")

    assert fs.head(f"{path}/a/x.txt") == "grüße"
    assert fs.head(f"{path}/a/x.txt", 2) == fs.head(f"{path}/a/x.txt", maxBytes=2) == "gr"


def test_ls_gives_full_paths_and_folders_with_a_slash(fs: FileSystem) -> None:
    fs.put(f"{RAW}/x.txt", "12345")
    fs.mkdirs(f"{RAW}/folder")
    folder, file = fs.ls(RAW)

    assert (folder.path, folder.name) == (f"dbfs:{RAW}/folder/", "folder/")
    assert (file.path, file.name, file.size) == (f"dbfs:{RAW}/x.txt", "x.txt", 5)
    assert folder.isDir()
    assert file.isFile()
    assert fs.ls(file.path) == [file]
    assert fs.ls(f"{RAW}/") == [folder, file]


def test_volumes_are_found_from_above(fs: FileSystem) -> None:
    for path, name in (("/Volumes", "main"), ("dbfs:/Volumes/main/", "default")):
        assert [found.name for found in fs.ls(path)] == [f"{name}/"]
    (volume,) = fs.ls("/Volumes/main/default")
    assert (volume.path, volume.name) == (f"dbfs:{RAW}/", "raw/")
    assert [found.name for found in fs.ls("/Workspace")] == ["Users/"]
    for path in ("/Volumes/other", "/Volumes/main/other", "/Volumes/main/.."):
        with pytest.raises(FileNotFoundError):
            fs.ls(path)


def test_sample_sets_are_there_once_spark_has_read_them(fs: FileSystem, tmp_path: Path) -> None:
    path = "/databricks-datasets/orders"
    with pytest.raises(FileNotFoundError, match="made when Spark first reads it"):
        fs.ls(path)
    folder = Places.of_state(tmp_path).datasets / "orders"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{}", encoding="utf-8")

    assert [found.path for found in fs.ls("/databricks-datasets/")] == [f"dbfs:{path}/"]
    assert fs.head(f"dbfs:{path}/a.json") == "{}"
    with pytest.raises(FileNotFoundError):
        fs.ls("/databricks-datasets/../main")


def test_names_of_the_machine_keep_their_scheme(fs: FileSystem, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "x").touch()

    assert [found.path for found in fs.ls(f"file:{tmp_path}/here")] == [f"file:{tmp_path}/here/x"]


def test_put_replaces_only_when_told_so(fs: FileSystem) -> None:
    fs.put("dbfs:/x", "1")

    with pytest.raises(FileExistsError, match="overwrite"):
        fs.put("dbfs:/x", "2")
    fs.put("dbfs:/x", "2", overwrite=True)
    assert fs.head("dbfs:/x") == "2"


def test_files_are_copied_and_moved_between_trees(fs: FileSystem) -> None:
    fs.put("dbfs:/x", "1")
    fs.mkdirs(f"{RAW}/folder")

    assert fs.cp("dbfs:/x", f"{RAW}/folder")
    assert fs.mv(from_="dbfs:/x", to=f"{RAW}/y")
    assert fs.head(f"{RAW}/folder/x") == fs.head(f"{RAW}/y") == "1"
    assert fs.ls("dbfs:/") == []


def test_folders_need_recurse(fs: FileSystem) -> None:
    fs.put("dbfs:/a/b/x", "1")

    with pytest.raises(IsADirectoryError, match="recurse"):
        fs.cp("dbfs:/a", "dbfs:/c")
    with pytest.raises(OSError, match="recurse"):
        fs.rm("dbfs:/a")
    assert fs.cp("dbfs:/a", "dbfs:/c", recurse=True)
    assert fs.head("dbfs:/c/b/x") == "1"
    assert fs.rm("dbfs:/a", True)
    assert not fs.rm("dbfs:/a")


@pytest.mark.parametrize("path", [f"{RAW}/none", "dbfs:/none", "file:/none/x"])
def test_a_missing_path_is_named(fs: FileSystem, path: str) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        fs.ls(path)


def test_an_unknown_volume_is_named(fs: FileSystem) -> None:
    with pytest.raises(FileNotFoundError, match=r"no volume 'main\.default\.other'"):
        fs.put("/Volumes/main/default/other/x", "1")


def test_no_path_leads_out_of_its_tree(fs: FileSystem) -> None:
    with pytest.raises(FileNotFoundError):
        fs.put("dbfs:/../outside", "1")
    with pytest.raises(FileNotFoundError):
        fs.head(f"{RAW}/../../_volumes/raw.json")


def test_other_file_systems_are_refused(fs: FileSystem) -> None:
    with pytest.raises(LaketopError, match=r"'s3://bucket/x' is in no file system"):
        fs.ls("s3://bucket/x")


@pytest.fixture
def outside(fs: FileSystem, tmp_path: Path) -> Path:
    """Return the folder of an external volume `outside`, which holds a file and a folder."""
    home, place = Places.of_state(tmp_path).lake / "main" / "default", tmp_path / "elsewhere"
    place.mkdir()
    (home / "_volumes" / "outside.json").write_text("{}", encoding="utf-8")
    (home / "_files" / "outside").symlink_to(place)
    fs.put("/Volumes/main/default/outside/a/b.txt", "x")
    fs.put("/Volumes/main/default/outside/c.txt", "x")
    return place


@pytest.mark.parametrize("prefix", ["", "dbfs:", "file:", "file:/dbfs", "dbfs:/"])
def test_a_volume_is_emptied_and_never_removed(
    fs: FileSystem, outside: Path, tmp_path: Path, prefix: str
) -> None:
    volume = f"{prefix}/Volumes/main/default/outside"
    with pytest.raises(OSError, match="is a volume"):
        fs.rm(volume)
    assert len(list(outside.iterdir())) == 2
    assert fs.rm(f"{volume}/a/..", recurse=True)
    assert not list(outside.iterdir())
    fs.put(f"{volume}/d.txt", "y")
    fs.mv(f"{volume}/", f"{RAW}/all/", recurse=True)
    assert not list(outside.iterdir())
    place = Places.of_state(tmp_path).lake / "main" / "default" / "_files" / "outside"
    assert place.is_symlink()
    assert fs.rm(RAW, recurse=True)
    assert fs.ls(RAW) == []
