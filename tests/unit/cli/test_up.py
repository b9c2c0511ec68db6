from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from laketop.cli.main import main
from laketop.errors import LaketopError
from laketop.workspace import daemon


class Interrupted(daemon.Contact):
    """A workspace whose engine is waited for until Ctrl-C."""

    def wait_for_engine(self, show: Callable[[str], object] = lambda _: None) -> None:
        show("starting Spark")
        raise KeyboardInterrupt


class Failing(daemon.Contact):
    """A workspace whose engine does not come up."""

    def wait_for_engine(self, show: Callable[[str], object] = lambda _: None) -> None:
        show("starting Spark")
        raise LaketopError("no Java 17 or 21 was found")


@pytest.mark.parametrize(
    "command",
    [
        ("up",),
        ("sql", "select 1"),
        ("clock", "run"),
        ("rollback", "a.b.c"),
        ("ml", "reproduce", "a.b.c", "1"),
    ],
)
@pytest.mark.parametrize("kind", [Interrupted, Failing])
@pytest.mark.parametrize("is_ours", [False, True])
def test_a_workspace_without_an_engine_ends_if_this_command_started_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_ours: bool,
    kind: type[daemon.Contact],
    command: tuple[str, ...],
) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: here}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    contact = kind("http://127.0.0.1:1", "t", "", 3, "0")
    stopped: list[Path] = []
    monkeypatch.setattr(daemon, "started", lambda _: (contact, is_ours))
    monkeypatch.setattr(daemon, "find_first", lambda _: contact)
    monkeypatch.setattr(daemon, "stop", lambda settings: stopped.append(settings.root))
    assert main(command) == 1
    assert stopped == ([tmp_path] if is_ours else [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resorces: {}\n", ("the bundle has no name", "`laketop validate`")),
        ("bundle: {name: here}\nresorces: {}\n", ("resorces", "`laketop validate`")),
        ("bundle: {name: here}\n", ()),
        ("bundle: {name: here}\ntargets: {a: {}, b: {}}\n", ()),
    ],
)
def test_what_is_wrong_with_the_bundle_is_said_and_the_workspace_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    said: tuple[str, ...],
) -> None:
    (tmp_path / "databricks.yml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    contact = daemon.Contact("http://127.0.0.1:1", "t", "", 3, "0")
    monkeypatch.setattr(daemon, "started", lambda _: (contact, True))
    assert main(["up", "--no-wait"]) == 0
    told = capsys.readouterr()
    assert all(part in told.err + told.out for part in said)
    assert bool(said) == ("validate" in told.err + told.out)


@pytest.mark.parametrize("command", ["plan", "deploy", "summary", "destroy"])
@pytest.mark.parametrize("text", ["bundle: {name: [", "bundle: {}\n"])
def test_nothing_is_started_for_a_bundle_that_cannot_be_deployed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    text: str,
) -> None:
    (tmp_path / "databricks.yml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 1  # a start would not end in milliseconds, and leave a folder
    assert not (tmp_path / ".laketop").exists()
    assert "starting" not in capsys.readouterr().err
