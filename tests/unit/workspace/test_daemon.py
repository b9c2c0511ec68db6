from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace import daemon

DEAF = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.write(lock, str(os.getpid()).encode())
os.write(int(sys.argv[2]), b"held\\n")
time.sleep(600)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings.read(tmp_path, {"HOME": str(tmp_path)})
    daemon.prepare(found)
    return found


def test_a_held_folder_is_locked_and_names_its_holder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "_LOOK_SECONDS", 0.01)
    assert not daemon.locked(settings)
    with daemon.hold(settings):
        assert daemon.locked(settings)
        holder = rf"running already, as process {os.getpid()}"
        with pytest.raises(LaketopError, match=holder), daemon.hold(settings):
            pass
    assert not daemon.locked(settings)


def test_what_an_earlier_workspace_said_of_itself_is_not_believed(settings: Settings) -> None:
    daemon.kept(settings).write_text("{}", encoding="utf-8")
    assert daemon.find(settings) is None
    with daemon.hold(settings):
        assert daemon.find(settings) is None
        assert not daemon.kept(settings).exists()


def test_what_is_starting_and_does_not_heed_a_signal_is_killed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "_STOP_SECONDS", 0.1)
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as pipe:
        command = [sys.executable, "-c", DEAF, str(settings.state / "lock"), str(writer)]
        process = subprocess.Popen(command, pass_fds=(writer,), start_new_session=True)
        os.close(writer)
        try:
            assert pipe.readline() == "held\n"
            daemon._abandon(settings, process, pipe)
            assert process.returncode == -signal.SIGKILL
            assert not daemon.locked(settings)
        finally:
            process.kill()
            process.wait()


def test_a_folder_that_cannot_be_made_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LaketopError, match=r"file/\.laketop' cannot be written"):
        daemon.prepare(Settings.read(tmp_path / "file", {}))


def test_the_environment_of_clients_names_both_dialects_of_mlflow() -> None:
    contact = daemon.Contact(
        "http://127.0.0.1:1", "t", "sc://localhost:2/;token=t", 3, "0", "python"
    )
    assert contact.environment() == {
        "DATABRICKS_HOST": "http://127.0.0.1:1",
        "DATABRICKS_TOKEN": "t",
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "SPARK_REMOTE": "sc://localhost:2/;token=t",
    }


def test_a_workspace_that_does_not_answer_is_an_error_with_a_hint() -> None:
    contact = daemon.Contact("http://127.0.0.1:9", "t", "", 0, "0", "python")
    with pytest.raises(LaketopError, match="does not answer") as caught:
        contact.request("GET", "/")
    assert caught.value.hint is not None


def test_what_an_older_version_wrote_is_read_as_far_as_it_goes(settings: Settings) -> None:
    told = {"url": "http://127.0.0.1:1", "token": "t", "spark_remote": "", "pid": 3}
    with daemon.hold(settings):
        daemon.kept(settings).write_text(
            json.dumps({**told, "version": "0.0.1", "more": 1}), encoding="utf-8"
        )
        found = daemon.find(settings)
    assert found is not None
    assert daemon._is_other(found)
