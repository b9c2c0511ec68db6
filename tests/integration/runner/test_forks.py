"""Tasks that are forked: as fresh as those of a new interpreter, and as well guarded."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.integration.processes import is_running, parent_of, processes_of
from tests.integration.runner.conftest import Run, run_task

from laketop.runner.context import Outcome
from laketop.runner.forks import ForkServers
from laketop.runner.process import Order
from laketop.runner.tasks.notebook import NotebookTask
from laketop.runner.tasks.spark_python import SparkPythonTask

PATIENCE_SECONDS = 120.0


class Counting(ForkServers):
    """Counts the tasks that were forked."""

    def __init__(self) -> None:
        super().__init__()
        self.forked = 0

    def __call__(self, order: Order, files: tuple[int, int, int]) -> bool:
        forked = super().__call__(order, files)
        self.forked += forked
        return forked


@pytest.fixture(scope="module")
def forks() -> Iterator[Counting]:
    made = Counting()
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, forks: Counting) -> Run:
    numbers = iter(range(2, 1000))

    def run(
        code: str,
        *,
        cancelled: threading.Event | None = None,
        environment: Mapping[str, str] | None = None,
        notebook: bool = False,
    ) -> tuple[Outcome, str]:
        number = next(numbers)
        directory = tmp_path / ".laketop" / "runs" / "1" / str(number)
        directory.mkdir(parents=True)
        file = tmp_path / "it.py"
        file.write_text("# Databricks notebook source\n" * notebook + code, encoding="utf-8")
        script = {"spark_python_task": {"python_file": str(file)}}
        return run_task(
            NotebookTask() if notebook else SparkPythonTask(),
            {"notebook_task": {"notebook_path": str(file)}} if notebook else script,
            directory,
            environment=environment or {"PATH": os.environ["PATH"]},
            cancelled=cancelled or threading.Event(),
            fork=forks,
        )

    return run


@pytest.fixture
def run_forked(run: Run, forks: Counting) -> Run:
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = forks.forked
    while forks.forked == before:
        assert time.monotonic() < deadline, "no task was ever forked"
        run("pass")
    return run


def test_a_forked_task_has_its_imports_done_and_its_own_place(run_forked: Run) -> None:
    outcome, log = run_forked(
        "import os, sys\n"
        "print({'pandas', 'pyspark', 'mlflow'} <= set(sys.modules))\n"
        "print(sys.argv[0] == __file__, os.getcwd() == os.path.dirname(__file__))\n"
        "print(sys.path[0] == os.path.dirname(__file__), __name__)\n"
        "print(os.environ['PATH'] != '', os.getpgid(0) == os.getpid())\n"
        "print(sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))\n"
    )

    assert outcome == Outcome("SUCCESS", exit_code=0)
    # the folder of file descriptors, being listed, is the fourth
    assert log.splitlines() == [
        "True",
        "True True",
        "True __main__",
        "True True",
        "['0', '1', '2'] 4",
    ]


def test_forked_tasks_draw_other_random_numbers(run_forked: Run) -> None:
    code = "import random, numpy, uuid; print(random.random(), numpy.random.rand(), uuid.uuid4())"

    first, second = (run_forked(code)[1].split() for _ in range(2))

    assert len(first) == len(second) == 3
    assert not set(first) & set(second)


def test_signals_act_as_in_a_new_interpreter(run_forked: Run) -> None:
    code = (
        "import signal\n"
        "print([signal.getsignal(n) is signal.SIG_DFL for n in (15, 1, 17)])\n"
        "print(signal.getsignal(2) is signal.default_int_handler)\n"
        "print(signal.getsignal(13) is signal.SIG_IGN)\n"
    )

    assert run_forked(code)[1].splitlines() == ["[True, True, True]", "True", "True"]


def test_exit_codes_and_errors_come_back_from_a_fork(run_forked: Run) -> None:
    assert run_forked("raise SystemExit(3)")[0].exit_code == 3
    failed, log = run_forked("def f():\n    raise ValueError('no')\nf()")
    assert (failed.result_state, failed.error) == ("FAILED", "ValueError: no")
    assert log.startswith("Traceback")
    assert "forkserver" not in log
    killed = run_forked("import os; os.kill(os.getpid(), 9)")[0]
    assert killed.error == "the process was killed by signal 9"


@pytest.mark.parametrize("notebook", [False, True])
def test_plain_file_calls_reach_a_volume(
    run_forked: Run, tmp_path: Path, *, notebook: bool
) -> None:
    schema = tmp_path / ".laketop" / "catalog" / "main" / "s"
    (schema / "_volumes").mkdir(parents=True)
    (schema / "_volumes" / "v.json").write_text("{}", encoding="utf-8")
    (schema / "_files" / "v").mkdir(parents=True)
    code = "with open('/Volumes/main/s/v/a.txt', 'w') as file:\n    file.write('x')\n"

    outcome, _ = run_forked(code, notebook=notebook)

    assert outcome.error is None
    assert (schema / "_files" / "v" / "a.txt").read_text(encoding="utf-8") == "x"


def test_functions_to_be_called_at_exit_are_called(run_forked: Run) -> None:
    assert run_forked("import atexit; atexit.register(print, 'bye')")[1] == "bye\n"


def test_a_module_of_the_project_wins_over_one_that_is_imported(
    run_forked: Run, tmp_path: Path
) -> None:
    (tmp_path / "pandas.py").write_text("OURS = True\n", encoding="utf-8")

    outcome, log = run_forked("import pandas; print(pandas.OURS)")

    assert (outcome.result_state, log) == ("SUCCESS", "True\n")


def test_a_forked_task_is_stopped_with_all_that_it_has_started(
    run_forked: Run, tmp_path: Path
) -> None:
    cancelled = threading.Event()
    started = tmp_path / "started"
    code = (
        "import os, pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"draft = pathlib.Path({str(tmp_path / 'draft')!r})\n"
        "draft.write_text(f'{os.getpid()} {child.pid}')\n"
        f"draft.rename({str(started)!r})\n"
        "time.sleep(600)\n"
    )

    def cancel() -> None:
        while not started.exists():
            time.sleep(0.02)
        cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    outcome, _ = run_forked(code, cancelled=cancelled)

    assert outcome.result_state == "CANCELED"
    assert [is_running(int(pid)) for pid in started.read_text().split()] == [False, False]


def test_a_task_with_another_environment_is_not_forked_from_this_one(
    run_forked: Run, forks: Counting
) -> None:
    before = forks.forked
    environment = {"PATH": os.environ["PATH"], "COLOUR": "blue"}

    outcome, log = run_forked("import os; print(os.environ['COLOUR'])", environment=environment)

    assert (outcome.result_state, log, forks.forked) == ("SUCCESS", "blue\n", before)


def test_tasks_that_call_the_engine_each_under_their_own_name_are_forked_from_one_server(
    run: Run, run_forked: Run, forks: Counting
) -> None:
    before = forks.forked
    code = "import os; print(os.environ.get('SPARK_REMOTE', 'none'))"
    remotes = [f"sc://127.0.0.1:1/;x-laketop-caller=JOB:1:2:{task}" for task in (3, 4)]

    logs = [
        run(code, environment={"PATH": os.environ["PATH"], "SPARK_REMOTE": remote})[1]
        for remote in remotes
    ]

    assert logs == [f"{remote}\n" for remote in remotes]
    assert run(code)[1] == "none\n"
    assert forks.forked == before + 3


def test_a_server_that_was_killed_is_replaced(
    run_forked: Run, forks: Counting, request: pytest.FixtureRequest
) -> None:
    for server in servers_here():
        os.kill(server, signal.SIGKILL)

    assert run_forked("pass")[0].result_state == "SUCCESS"
    again: Run = request.getfixturevalue("run")
    before = forks.forked
    deadline = time.monotonic() + PATIENCE_SECONDS
    while forks.forked == before and time.monotonic() < deadline:
        assert again("pass")[0].result_state == "SUCCESS"
    assert forks.forked > before


def test_closing_leaves_no_server() -> None:
    others = servers_here()
    forks = ForkServers()
    order = Order((sys.executable, "x"), Path.cwd(), {"PATH": os.environ["PATH"]}, 1, 1000)
    with Path(os.devnull).open("rb") as nothing:
        assert forks(order, (nothing.fileno(), nothing.fileno(), nothing.fileno())) is False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (started := servers_here() - others) and time.monotonic() < deadline:
        time.sleep(0.01)  # a program has no command line for a moment after it has been started

    forks.close()

    assert started
    assert not any(is_running(server) for server in started)


def servers_here() -> set[int]:
    """Return the fork servers that this process has started."""
    servers = processes_of("laketop.runner.forkserver")
    return {pid for pid in servers if parent_of(pid) == os.getpid()}
