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


@pytest.mark.parametrize("ran", [False, True])
def test_ctrl_c_ends_the_workspace_unless_it_ran_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ran: bool
) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: here}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    contact = Interrupted("http://127.0.0.1:1", "t", "", 3, "0")
    stopped: list[Path] = []
    monkeypatch.setattr(daemon, "find_first", lambda _: contact if ran else None)
    monkeypatch.setattr(daemon, "start", lambda _: contact)
    monkeypatch.setattr(daemon, "stop", lambda settings: stopped.append(settings.root))
    assert main(["up"]) == 1
    assert stopped == ([] if ran else [tmp_path])
