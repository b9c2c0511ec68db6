"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from laketop import durable


def test_json_is_written_for_its_owner_alone_with_the_folders_above(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "it.json"

    durable.write_json(file, {"b": 1, "a": [2]})

    assert file.read_text() == '{"a": [2], "b": 1}'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", [object(), {"a": {1}}])
def test_what_json_cannot_hold_leaves_the_file_as_it_was(tmp_path: Path, content: object) -> None:
    file = tmp_path / "it.json"
    durable.write_json(file, 1)

    with pytest.raises(TypeError):
        durable.write_json(file, content)

    assert json.loads(file.read_text()) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_a_target_that_cannot_be_replaced_leaves_no_draft(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "child").mkdir(parents=True)

    with pytest.raises(OSError, match="folder"):
        durable.write(folder, b"x")

    assert list(tmp_path.iterdir()) == [folder]


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        durable.make_folder(tmp_path / "file" / "folder")


class _Full:
    """Lets so many calls that write to the disk pass, and lets the next find it full."""

    def __init__(self, patch: pytest.MonkeyPatch, passing: int) -> None:
        self.left = passing
        for name in ("fsync", "fdopen", "mkdir", "open"):
            patch.setattr(os, name, self._counted(getattr(os, name)))
        patch.setattr(tempfile, "mkstemp", self._counted(tempfile.mkstemp))
        patch.setattr(Path, "replace", self._counted(Path.replace))

    def _counted(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return act(*arguments, **more)

        return counted


def test_a_disk_that_is_full_at_any_moment_leaves_one_of_the_two_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, passing = True, 0
    while fails:
        file = tmp_path / str(passing) / "deep" / "it.json"
        old = tmp_path / str(passing) / "old.json"
        durable.write_json(old, "old")
        with monkeypatch.context() as patch:
            full = _Full(patch, passing)
            try:
                durable.write_json(old, "new")
                durable.write_json(file, "new")
                fails = False
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        assert json.loads(old.read_text()) in {"old", "new"}
        assert not file.exists() or json.loads(file.read_text()) == "new"
        assert not [one for one in tmp_path.rglob(".*") if one.is_file()]
        durable.write_json(old, "again")  # as soon as there is room
        durable.write_json(file, "again")
        assert json.loads(old.read_text()) == json.loads(file.read_text()) == "again"
        passing += 1
    assert full.left >= 0
    assert passing > 8
