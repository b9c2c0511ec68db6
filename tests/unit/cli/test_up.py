from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from laketop.cli.main import main
from laketop.workspace import daemon


class Interrupted(daemon.Contact):
    """A workspace whose engine is waited for until Ctrl-C."""

    def wait_for_engine(self, show: Callable[[str], object] = lambda _: None) -> None:
        show("starting Spark")
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_ours", [False, True])
def test_ctrl_c_ends_the_workspace_if_this_command_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: here}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    contact = Interrupted("http://127.0.0.1:1", "t", "", 3, "0")
    stopped: list[Path] = []
    monkeypatch.setattr(daemon, "started", lambda _: (contact, is_ours))
    monkeypatch.setattr(daemon, "stop", lambda settings: stopped.append(settings.root))
    assert main(["up"]) == 1
    assert stopped == ([tmp_path] if is_ours else [])
