"""Chaos: the same seed does the same, and what it does stays within what retries can bear."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from laketop.runner import chaos
from laketop.runner.chaos import Fate, chaotic, fate
from laketop.runner.context import ChildRun, Outcome, TaskContext
from laketop.runner.execute import Execution, JobCall, Site
from laketop.runner.pool import Pool
from laketop.runner.run import JobRun, RunRequest
from laketop.runner.tasks import task_types


class Waits:
    """A task that ends when it is told to, or after a while, and counts how often it ran."""

    def __init__(self) -> None:
        self.places: list[Path] = []

    def run(self, task: Mapping[str, Any], context: TaskContext) -> Outcome:
        """Wait for the end."""
        assert task is context.task
        self.places.append(context.directory)
        stopped = context.cancelled.wait(0.005)
        return Outcome("CANCELED" if stopped else "SUCCESS")


def _no_job(call: JobCall) -> ChildRun:
    raise AssertionError(call)


def _site(folder: Path, task: Waits) -> Site:
    return Site(
        runs=folder,
        environment=lambda _: {},
        python=lambda _: Path(sys.executable),
        resolve=Path,
        run_job=_no_job,
        now_ms=itertools.count(1_000).__next__,
        pool=Pool(4),
        types={**task_types(), "function": task},
    )


def _run(folder: Path, seed: int, *, retries: int, tasks: int = 6) -> tuple[JobRun, Waits]:
    return _run_of([_task(f"t{n}", retries) for n in range(tasks)], folder, seed)


def _task(key: str, retries: int) -> dict[str, Any]:
    return {"task_key": key, "function_task": {}, "max_retries": retries}


def _loop(retries: int) -> dict[str, Any]:
    loop = {"inputs": "[1, 2, 3, 4]", "concurrency": 2, "task": _task("each", retries)}
    return {"task_key": "loop", "for_each_task": loop}


def _run_of(tasks: list[dict[str, Any]], folder: Path, seed: int) -> tuple[JobRun, Waits]:
    ids = itertools.count(10)
    run = JobRun({"tasks": tasks}, RunRequest(job_id=1, run_id=2, created_ms=0), ids.__next__)
    task = Waits()
    execution = Execution(run, chaotic(_site(folder, task), seed, folder / "2"), lambda _: None)
    execution.start()
    assert execution.wait(20)
    return run, task


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "_STEP_SECONDS", 0.002)


def _words(run: JobRun) -> list[tuple[str, int, str]]:
    return [
        (task["task_key"], task["attempt_number"], task["state"]["result_state"])
        for task in run.snapshot()["tasks"]
    ]


def _notes(folder: Path) -> list[str]:
    return sorted((folder / "2" / chaos.NOTES_FILE).read_text().splitlines())


def test_a_seed_does_the_same_again_and_another_something_else(tmp_path: Path) -> None:
    first, _ = _run(tmp_path / "a", 7, retries=2, tasks=3)
    again, _ = _run(tmp_path / "b", 7, retries=2, tasks=3)
    other, _ = _run(tmp_path / "c", 8, retries=2, tasks=3)
    assert _words(first) == _words(again)
    assert _notes(tmp_path / "a") == _notes(tmp_path / "b")
    assert _notes(tmp_path / "a") != _notes(tmp_path / "c")
    assert other.is_final


@pytest.mark.parametrize("seed", range(5))
def test_two_retries_cope_with_any_seed(tmp_path: Path, seed: int) -> None:
    run, task = _run(tmp_path, seed, retries=2)
    assert run.result == "SUCCESS"
    failed = [word for word in _words(run) if word[2] == "FAILED"]
    assert len(task.places) >= 6 + len(failed)


def test_without_retries_what_crashed_has_failed(tmp_path: Path) -> None:
    seed = next(s for s in range(100) if fate(s, "t0", "t0", 0).crash_seconds is not None)
    run, _ = _run(tmp_path, seed, retries=0, tasks=1)
    assert run.result == "FAILED"
    assert "it crashes after" in "".join(_notes(tmp_path))


def test_what_is_delivered_twice_runs_twice_in_folders_of_its_own(tmp_path: Path) -> None:
    wanted = Fate(is_twice=True)
    seed = next(s for s in range(1000) if fate(s, "t0", "t0", 0) == wanted)
    run, task = _run(tmp_path, seed, retries=0, tasks=1)
    assert run.result == "SUCCESS"
    assert len(set(task.places)) == 2


def test_each_iteration_has_a_fate_of_its_own_and_retries_cope(tmp_path: Path) -> None:
    fails = [fate(7, "each", str(number), 0).crash_seconds is not None for number in range(4)]
    assert set(fails) == {True, False}
    run, _ = _run_of([_loop(2)], tmp_path / "a", 7)
    again, _ = _run_of([_loop(2)], tmp_path / "b", 7)
    assert run.result == again.result == "SUCCESS"
    assert _notes(tmp_path / "a") == _notes(tmp_path / "b")
    noted = [json.loads(note) for note in _notes(tmp_path / "a")]
    crashed = {n["place"] for n in noted if n["attempt"] == 0 and "crashes" in n["did"]}
    assert crashed == {str(number) for number, one in enumerate(fails) if one}


def test_without_retries_an_iteration_that_crashed_fails_its_task(tmp_path: Path) -> None:
    run, task = _run_of([_loop(0)], tmp_path, 7)
    assert run.result == "FAILED"
    assert len({place.name for place in task.places}) >= 4  # the others finish


def test_a_task_that_waits_is_late_at_most() -> None:
    fates = [fate(seed, "t", "t", 0, waits=True) for seed in range(200)]
    assert any(one.late_seconds for one in fates)
    assert all(one == Fate(late_seconds=one.late_seconds) for one in fates)


def test_every_fault_happens_for_some_seed_and_none_after_two_failures() -> None:
    told = {word[:8] for seed in range(200) for word in fate(seed, "t", "t", 1).told()}
    assert told == {"it start", "it is de", "it crash", "its answ"}
    late = [fate(seed, "t", "t", chaos.MOST_FAILURES) for seed in range(200)]
    assert not any(one.is_lost or one.crash_seconds is not None for one in late)
