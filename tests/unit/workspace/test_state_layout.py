"""A state folder says how it is arranged; that of a newer laketop is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop import __version__
from laketop.errors import LaketopError
from laketop.workspace import state_layout
from laketop.workspace.state_layout import FILE, UPGRADES, claim


def test_a_folder_without_a_layout_is_taken_and_stamped(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    assert claim(tmp_path) == len(UPGRADES)
    told = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    assert told == {"layout": len(UPGRADES), "written_by": __version__}
    assert claim(tmp_path) == len(UPGRADES)


def test_an_older_folder_is_upgraded_step_by_step_from_where_it_is(tmp_path: Path) -> None:
    done: list[int] = []
    claim(tmp_path, upgrades=(lambda _: done.append(0),))
    steps = (lambda _: done.append(0), lambda _: done.append(1), lambda _: done.append(2))
    assert claim(tmp_path, upgrades=steps) == 3
    assert done == [0, 1, 2]


def test_a_step_that_fails_is_done_again_by_the_next_start(tmp_path: Path) -> None:
    done: list[int] = []

    def fails(_state: Path) -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        claim(tmp_path, upgrades=(lambda _: done.append(0), fails))
    claim(tmp_path, upgrades=(lambda _: done.append(0), lambda _: done.append(1)))
    assert done == [0, 1]


def test_a_newer_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text = json.dumps({"layout": 99, "written_by": "9.9.9"})
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(LaketopError, match=r"has layout 99, written by laketop 9\.9\.9") as caught:
        claim(tmp_path)
    assert "install laketop 9.9.9" in (caught.value.hint or "")
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"layout": "x", "written_by": ""}'])
def test_a_layout_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(LaketopError, match="cannot be read"):
        state_layout.claim(tmp_path)
