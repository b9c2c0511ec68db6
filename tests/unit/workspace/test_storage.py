"""Where external tables and volumes lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.lake import Lake
from laketop.workspace.storage import check_free, folder_of, kept_folder, link, volume_of


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "state" / "catalog")
    lake.keep(lake.folder("c", "s") / "_schema.json", {})
    return lake


@pytest.mark.parametrize(
    ("location", "folder"),
    [
        ("/a/b", "/a/b"),
        ("file:/a/b", "/a/b"),
        ("file:///a%20b", "/a%20b"),
        ("file:/a b", "/a b"),
        ("/a//./b/", "/a/b"),
        ("dbfs:/a", "{state}/dbfs/a"),
        ("/Volumes/c/s/v/a", "{state}/catalog/c/s/_files/v/a"),
        ("dbfs:/Volumes/C/s/v", "{state}/catalog/c/s/_files/v"),
    ],
)
def test_a_location_is_a_folder_of_this_machine(lake: Lake, location: str, folder: str) -> None:
    assert str(folder_of(lake, location)) == folder.format(state=lake.root.parent)
    assert kept_folder(lake, location) == folder_of(lake, location)


@pytest.mark.parametrize(
    "location", ["", "a", "file:a", "/a/../b", "dbfs:/../x", "/a\0", "//host/a"]
)
def test_what_is_no_absolute_path_is_refused(lake: Lake, location: str) -> None:
    with pytest.raises(InvalidParameterValue, match="not an absolute path"):
        folder_of(lake, location)


@pytest.mark.parametrize(
    "location", ["/Volumes", "/Volumes/", "dbfs:/Volumes/main", "/./Volumes/main/s"]
)
def test_a_folder_above_the_volumes_is_refused(lake: Lake, location: str) -> None:
    with pytest.raises(InvalidParameterValue, match="names no volume"):
        folder_of(lake, location)


@pytest.mark.parametrize("location", ["s3://b/a", "abfss://c@a/x", "gs://b", "hdfs:/a"])
def test_a_place_elsewhere_is_refused_and_kept_as_it_is(lake: Lake, location: str) -> None:
    with pytest.raises(NotServed, match="no storage of"):
        folder_of(lake, location)
    assert kept_folder(lake, location) == Path(location)


def test_a_location_in_or_above_one_that_is_taken_is_refused(lake: Lake, tmp_path: Path) -> None:
    lake.keep(lake.entry("tables", "c", "s", "t"), {"location": f"file:{tmp_path}/t"})
    lake.keep(lake.entry("volumes", "c", "s", "v"), {"storage_location": f"{tmp_path}/v"})
    lake.keep(lake.entry("volumes", "c", "s", "m"), {})
    for location in ("t", "t/inner", "v", "", "state", "state/catalog/c"):
        with pytest.raises(BadRequest, match="overlaps"):
            check_free(lake, f"{tmp_path}/{location}")
    for free in (f"{tmp_path}/tt", "dbfs:/x", "/Volumes/c/s/m/x"):
        check_free(lake, free)


def test_a_link_to_dbfs_stays_right_where_the_state_folder_is_moved(
    lake: Lake, tmp_path: Path
) -> None:
    place = lake.files("c", "s", "v")
    place.parent.mkdir()
    link(lake, "dbfs:/x", place)
    moved = (tmp_path / "state").rename(tmp_path / "moved")
    (moved / "dbfs" / "x" / "a").write_text("x", encoding="utf-8")
    assert (moved / "catalog" / "c" / "s" / "_files" / "v" / "a").read_text(encoding="utf-8") == "x"


def test_the_volume_of_a_location_is_told() -> None:
    assert volume_of("dbfs:/Volumes/C/s/v/a") == "c.s.v"
    assert volume_of("/./Volumes/c/s/v") == "c.s.v"
    assert volume_of("/Volumes/c/s") is None
