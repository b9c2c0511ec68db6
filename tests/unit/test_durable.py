"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

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
