"""Runs followed, logged, canceled and repaired from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.integration.cli.conftest import Laketop, run_laketop


def test_a_failed_run_is_repaired_under_its_own_id(laketop: Laketop) -> None:
    failed = json.loads(laketop("run", "fails", "--json").out)
    keys = [task["task_key"] for task in failed["tasks"]]
    assert sorted(keys) == ["after", "exits"]
    run_id = str(failed["run_id"])
    said = laketop("repair", run_id, "--json")
    assert said.code == 1
    again = json.loads(said.out)
    assert again["run_id"] == failed["run_id"]
    keys = [task["task_key"] for task in again["tasks"]]
    assert sorted(keys) == ["after", "after", "exits", "exits"]
    assert "task exits failed" in said.err
    assert laketop("repair", run_id, "--tasks", "after", "--no-wait").code == 0
    assert laketop("cancel", run_id).code == 0


def test_repair_of_what_has_not_failed_is_one_error(laketop: Laketop) -> None:
    done = json.loads(laketop("run", "chain", "--task", "first", "--json").out)
    assert [task["task_key"] for task in done["tasks"]] == ["first"]
    said = laketop("repair", str(done["run_id"]))
    assert said.code == 1
    assert said.err.count("error:") == 1
    assert "no task of the run has failed" in said.err


def keys(run: str) -> list[str]:
    return sorted(task["task_key"] for task in json.loads(run)["tasks"])


def test_only_runs_tasks_with_what_they_need_or_what_needs_them(laketop: Laketop) -> None:
    assert keys(laketop("run", "asks", "--only", "+two", "--json").out) == ["one", "two"]
    assert keys(laketop("run", "asks", "--only", "two+", "--json").out) == ["three", "two"]
    assert keys(laketop("run", "asks", "--only", "two", "--task", "one", "--json").out) == [
        *("one", "two")
    ]
    said = laketop("run", "asks", "--only", "four")
    assert said.code == 1
    assert "'four'" in said.err


def test_a_variable_of_the_bundle_is_set_for_a_run(laketop: Laketop) -> None:
    for options, answer in (((), "true"), (("--var", "word=bye"), "false")):
        run = json.loads(laketop("run", "asks", "--task", "one", "--json", *options).out)
        (task,) = run["tasks"]
        assert task["condition_task"]["outcome"] == answer
    assert "did you mean 'word'" in laketop("run", "asks", "--var", "wrod=bye").err


def test_a_repair_runs_what_comes_after_too_where_that_is_wanted(laketop: Laketop) -> None:
    run_id = str(json.loads(laketop("run", "asks", "--json").out)["run_id"])
    alone = laketop("repair", run_id, "--tasks", "two", "--json").out
    assert keys(alone) == ["one", "three", "two", "two"]
    more = laketop("repair", run_id, "--tasks", "two", "--dependents", "--json").out
    assert keys(more) == ["one", "three", "three", "two", "two", "two"]


def test_a_backfill_that_is_not_waited_for_tells_the_ids_of_its_runs(laketop: Laketop) -> None:
    assert laketop("deploy").code == 0
    span = ("--from", "2013-01-01", "--to", "2013-01-03", "--every", "1d")
    made = laketop("backfill", "asks", *span, "--no-wait").out.split()
    assert len(made) == 3
    for run_id in made:
        assert laketop("logs", run_id, "--follow").code == 0


def test_logs_are_those_of_the_tasks_each_line_with_its_task(laketop: Laketop) -> None:
    run_id = laketop("run", "chain", "--no-wait").out.strip()
    followed = laketop("logs", run_id, "--follow").out
    assert "second | second was told ['hello']" in followed
    assert laketop("logs", "last", "--task", "second").out == "second was told ['hello']\n"
    assert "second was told" in json.loads(laketop("logs", run_id, "--json").out)["second"]
    said = laketop("logs", run_id, "--task", "third")
    assert (said.code, said.out) == (1, "")
    assert "has no task 'third'" in said.err


def test_why_a_task_failed_is_told_where_no_process_began_and_where_another_job_did(
    laketop: Laketop,
) -> None:
    said = laketop("run", "calls")
    assert said.code == 1
    assert "task other failed: run " in said.err
    assert "task other > larger failed: " in said.err
    why = said.err.partition("task other > larger failed: ")[2].splitlines()[0]
    assert "'hello'" in why
    child = said.err.partition("task other failed: run ")[2].split()[0]
    logged = laketop("logs", child)
    assert (logged.code, logged.out) == (0, "")
    assert f"task larger failed: {why}" in logged.err


def test_a_run_that_goes_on_is_canceled(laketop: Laketop) -> None:
    run_id = json.loads(laketop("run", "sleeps", "--no-wait", "--json").out)["run_id"]
    said = laketop("cancel", str(run_id), "--json")
    assert said.code == 0
    assert json.loads(said.out)["state"]["result_state"] == "CANCELED"
    assert "had ended already" in laketop("cancel", str(run_id)).err


def test_restart_cancels_the_run_that_is_active_and_makes_another(laketop: Laketop) -> None:
    first = laketop("run", "sleeps", "--no-wait").out.strip()
    said = laketop("run", "sleeps", "--restart", "--no-wait")
    assert said.code == 0, said.err
    assert f"run {first} is canceled" in said.err
    second = said.out.strip()
    runs = {
        run["run_id"]: run["state"] for run in json.loads(laketop("status", "--json").out)["runs"]
    }
    assert runs[int(first)]["result_state"] == "CANCELED"
    assert runs[int(second)]["life_cycle_state"] not in {"TERMINATED", "QUEUED"}
    assert laketop("cancel", second).code == 0
    again = laketop("run", "chain", "--task", "first", "--restart")
    assert again.code == 0
    assert "canceled" not in again.err


def test_what_is_no_run_is_one_error(laketop: Laketop) -> None:
    laketop("run", "chain", "--task", "first")
    for command in ("logs", "cancel", "repair"):
        assert "does not exist" in laketop(command, "99999999").err
        said = laketop(command, "chain")
        assert said.code == 1
        assert "'chain' is no id of a run" in said.err


def test_without_a_workspace_there_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text("bundle: {name: none}\n", encoding="utf-8")
    said = run_laketop(tmp_path, "logs", "last")
    assert said.code == 1
    assert "no workspace is running" in said.err


def test_watch_runs_again_when_a_file_changes(thread: Path) -> None:
    file = thread / "src" / "first.py"
    before = file.read_text()
    command = [sys.executable, "-m", "laketop.cli", "run", "chain", "--task", "first", "--watch"]
    with subprocess.Popen(
        command, cwd=thread, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as watching:
        assert watching.stderr is not None
        try:
            until(watching.stderr, "waiting for a file")
            file.write_text("# Databricks notebook source\nraise ValueError('changed')\n")
            told = until(watching.stderr, "waiting for a file")
        finally:
            file.write_text(before)
            os.killpg(watching.pid, signal.SIGINT)
        assert "task first failed: ValueError: changed" in told
    assert watching.returncode in {0, 1}


def until(stream: Iterable[str], text: str) -> str:
    """Return what the stream says, up to the line with `text`."""
    told = []
    for line in stream:
        told.append(line)
        if text in line:
            return "".join(told)
    raise AssertionError("".join(told))
