"""Files below a place and versions of tables, on a real file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from laketop.runner.paths import Places
from laketop.workspace import watching
from laketop.workspace.triggers import Mark, OnArrival


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.of_state(tmp_path)


def _volume(places: Places) -> Path:
    home = places.lake / "main" / "raw"
    (home / "_volumes").mkdir(parents=True)
    (home / "_volumes" / "in.json").write_text("{}")
    files = home / "_files" / "in"
    (files / "day").mkdir(parents=True)
    return files


def test_files_of_a_volume_are_found_at_any_depth(places: Places) -> None:
    files = _volume(places)
    (files / "a.csv").write_text("1")
    (files / "day" / "b.csv").write_text("2")
    assert set(watching.files_below(places, "/Volumes/main/raw/in/")) == {"a.csv", "day/b.csv"}
    assert set(watching.files_below(places, "/Volumes/main/raw/in/day")) == {"b.csv"}
    assert set(watching.files_below(places, "dbfs:/Volumes/main/raw/in/day")) == {"b.csv"}


def test_files_of_dbfs_and_of_the_machine(places: Places, tmp_path: Path) -> None:
    (places.dbfs / "in").mkdir(parents=True)
    (places.dbfs / "in" / "a").write_text("1")
    assert set(watching.files_below(places, "dbfs:/in")) == {"a"}
    assert set(watching.files_below(places, f"file:{tmp_path}/dbfs/in")) == {"a"}


def test_an_overwritten_file_starts_no_run(places: Places) -> None:
    url, file = "/Volumes/main/raw/in", _volume(places) / "a.csv"
    file.write_text("1")
    arrival = OnArrival(url=url)
    mark = arrival.noticed(Mark(since_ms=0), watching.files_below(places, url), 0)
    file.write_text("something longer")
    os.utime(file, (1, 1))
    assert arrival.due_ms(arrival.noticed(mark, watching.files_below(places, url), 5)) is None
    (file.parent / "b.csv").write_text("2")
    assert arrival.due_ms(arrival.noticed(mark, watching.files_below(places, url), 5)) == 5


def test_a_place_that_is_not_there_has_no_files(places: Places) -> None:
    assert watching.files_below(places, "/Volumes/no/such/volume") == {}


def test_the_version_of_a_table_is_its_last_commit(places: Places) -> None:
    log = places.lake / "main" / "raw" / "t" / "_delta_log"
    log.mkdir(parents=True)
    assert watching.versions(places, ["main.raw.T", "main.raw.none"]) == {
        "main.raw.T": -1,
        "main.raw.none": -1,
    }
    for version in (0, 1, 11):
        (log / f"{version:020}.json").write_text("{}")
    (log / f"{12:020}.checkpoint.parquet").write_text("")
    assert watching.versions(places, ["main.raw.T"]) == {"main.raw.T": 11}
    assert watching.commit_ms(places, "main.raw.t", 11) > 0
    assert watching.commit_ms(places, "main.raw.t", 99) == 0
