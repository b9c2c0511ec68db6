"""The demo tells what ran: a figure that is missing, a test that is skipped, is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import demo
from scripts.demo import Figure, Row

from laketop.errors import LaketopError

FIGURES = {"evaluate": [Figure("v1", "auc .70", 1.5), Figure("v2", "auc .72", 1.6)]}


def test_a_figure_becomes_the_row_of_its_step() -> None:
    assert demo._recorded(FIGURES, "evaluate", 1).at(12, "gates") == Row(
        12, "gates", "v2", "auc .72", 1.6
    )


@pytest.mark.parametrize(("name", "number"), [("evaluate", 2), ("promote", 0)])
def test_a_figure_that_no_step_wrote_down_is_an_error(name: str, number: int) -> None:
    with pytest.raises(LaketopError, match=f"no figure number {number + 1} for step '{name}'"):
        demo._recorded(FIGURES, name, number)


def test_a_champion_below_what_is_promised_or_without_all_its_months_is_an_error() -> None:
    demo.require_promised(9, 0.68)
    for months, mean in ((9, 0.679), (8, 0.75), (0, None)):
        with pytest.raises(LaketopError, match=r"0\.68 is promised"):
            demo.require_promised(months, mean)


def test_tests_that_are_skipped_have_shown_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "import pytest\ndef test_one(): pytest.skip('no')"
    (tmp_path / "test_it.py").write_text(body, encoding="utf-8")
    monkeypatch.setattr(demo, "PROJECT", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    with pytest.raises(LaketopError, match=r"the tests in \. ended with"):
        demo.pytest(4, "unit", ".")


def test_a_command_that_fails_is_named_with_its_code() -> None:
    with pytest.raises(LaketopError, match=r"`laketop fly` ended with 2"):
        demo.laketop("fly")


def test_code_that_no_commit_holds_is_recorded_as_uncommitted(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "train.py").write_text("1", encoding="utf-8")
    assert demo.code(tmp_path) == {"git_commit": "uncommitted"}
    git("add", ".")
    git("commit", "-m", "train")
    assert demo.code(tmp_path) == {}
    (tmp_path / "train.py").write_text("2", encoding="utf-8")
    assert demo.code(tmp_path) == {"git_commit": "uncommitted"}


def test_the_environment_of_the_demo_itself_brings_no_shell_a_laketop(tmp_path: Path) -> None:
    own = str(Path(sys.executable).parent)
    assert not demo.is_at_hand(os.pathsep.join([own, str(tmp_path)]))
    (tmp_path / "laketop").touch(mode=0o755)
    assert demo.is_at_hand(os.pathsep.join([own, str(tmp_path)]))
