from __future__ import annotations

from pathlib import Path

import pytest

from laketop import bundle
from laketop.cli import init
from laketop.errors import ConfigError


def test_what_is_written_is_a_bundle_without_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "first-steps"
    files = init.write(folder)
    assert all(file.is_file() for file in files)
    for target in ("dev", "prod"):
        loaded = bundle.load(folder, target=target)
        assert loaded.problems == ()
        assert loaded.job("first-steps").body["tasks"][0]["notebook_task"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    init.write(folder)
    (folder / "databricks.yml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="there already"):
        init.write(folder)
    assert (folder / "databricks.yml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["1st", "a b", "${x}", "ä"])
def test_a_folder_that_cannot_name_a_bundle_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name"):
        init.write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
