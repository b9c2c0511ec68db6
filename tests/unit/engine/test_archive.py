"""The archive of the engine's classes: made once, kept whole, nothing left of what was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laketop.engine.archive import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "classes" / "0123456789.jsa")


def written(archive: Archive) -> Path:
    """Return the file that the flags of the JVM ask for, with something in it."""
    (flag,) = (each for each in archive.flags() if "Archive" in each)
    draft = Path(flag.split("=")[1])
    draft.write_text("classes", encoding="utf-8")
    return draft


def test_the_first_end_makes_the_archive_and_later_starts_use_it(archive: Archive) -> None:
    assert written(archive).name == f"0123456789.{os.getpid()}.new"
    archive.keep(0)
    assert archive.flags()[0] == f"-XX:SharedArchiveFile={archive.file}"


def test_what_a_killed_jvm_wrote_is_not_kept(archive: Archive) -> None:
    draft = written(archive)
    archive.keep(-9)
    assert not draft.exists()
    assert not archive.file.exists()


def test_the_oldest_archives_go(archive: Archive) -> None:
    archive.file.parent.mkdir()
    for age in range(5):
        old = archive.file.with_name(f"{age}.jsa")
        old.touch()
        os.utime(old, (1_000 - age, 1_000 - age))
    written(archive)
    archive.keep(0)
    kept = {file.name for file in archive.file.parent.iterdir()}
    assert kept == {archive.file.name, "0.jsa", "1.jsa"}


def test_drafts_of_workspaces_that_are_gone_go_at_the_next_start(archive: Archive) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    draft = written(archive)
    left = draft.with_name(f"9876543210.{gone.pid}.new")
    left.touch()
    archive.flags()
    assert draft.exists()
    assert not left.exists()


def test_without_a_place_to_write_there_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Archive(tmp_path / "file" / "classes" / "a.jsa").flags() == ()
