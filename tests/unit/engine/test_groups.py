from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.engine.groups import write_groups
from laketop.errors import ConfigError


def test_groups_are_kept_with_their_members(tmp_path: Path) -> None:
    write_groups(tmp_path, {"readers": ["ann", "inner"], "empty": []})
    told = json.loads((tmp_path / "_groups.json").read_text(encoding="utf-8"))
    assert told == {"readers": "ann\ninner", "empty": ""}


def test_a_name_of_several_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be the name"):
        write_groups(tmp_path, {"a": ["b\nc"]})
