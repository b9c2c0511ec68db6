"""Tasks in a process of their own: notebooks, scripts and wheels, and how they end."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.integration.runner.conftest import Run, run_task

import laketop
from laketop.errors import ConfigError
from laketop.runner.context import Outcome, TaskType
from laketop.runner.host import entry_point
from laketop.runner.tasks.notebook import NotebookTask
from laketop.runner.tasks.python_wheel import PythonWheelTask
from laketop.runner.tasks.python_wheel import _arguments as wheel_arguments
from laketop.runner.tasks.spark_python import SparkPythonTask
from laketop.runner.wheels import unpack

NOTEBOOKS = Path(laketop.__file__).parents[2] / "fixtures" / "notebooks"
HEADER = "# Databricks notebook source\n"
SPLIT = "\n# COMMAND ----------\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    directory = tmp_path / ".laketop" / "runs" / "1" / "2"
    directory.mkdir(parents=True)

    def run(kind: TaskType, task: dict[str, Any], **job_parameters: str) -> tuple[Outcome, str]:
        return run_task(
            kind,
            task,
            directory,
            job_parameters=job_parameters,
            task_values={"first": {"rows": 3}},
            environment={"PATH": os.environ["PATH"], "UV_NO_INDEX": "1"},
        )

    return run


@pytest.fixture
def run_notebook(run: Run) -> Run:
    def run_notebook(notebook: Path, **job_parameters: str) -> tuple[Outcome, str]:
        settings = {"notebook_path": str(notebook), "base_parameters": {"name": "base"}}
        return run(NotebookTask(), {"notebook_task": settings}, **job_parameters)

    return run_notebook


@pytest.fixture
def run_cells(run_notebook: Run, tmp_path: Path) -> Run:
    def run_cells(*cells: str) -> tuple[Outcome, str]:
        (tmp_path / "it.py").write_text(HEADER + SPLIT.join(cells), encoding="utf-8")
        return run_notebook(tmp_path / "it")

    return run_cells


def test_an_everyday_notebook_runs_without_spark(run_notebook: Run) -> None:
    outcome, log = run_notebook(NOTEBOOKS / "everyday", name="laketop")

    assert outcome == Outcome(
        "SUCCESS", exit_value="42", values={"answer": {"value": 42}}, exit_code=0
    )
    lines = [line for line in log.splitlines() if not line.startswith(("CPU", "Wall"))]
    assert lines == [
        "cwd notebooks",
        "hello laketop",
        "42",
        "included: dark blue laketop",
        "from a shell: 42",
        "[1, 2]",
        "bold text",
        "from a shell cell",
        "already installed: ipython>=8",
        "upstream: 3",
        "pyspark loaded: False",
    ]


def test_a_jupyter_notebook_runs(run_notebook: Run) -> None:
    outcome, log = run_notebook(NOTEBOOKS / "jupyter.ipynb")

    assert (outcome.result_state, outcome.exit_value, log) == ("SUCCESS", "20", "21\n")


def test_a_failing_cell_fails_the_task_with_the_users_frames(run_notebook: Run) -> None:
    outcome, log = run_notebook(NOTEBOOKS / "failing")

    assert (outcome.result_state, outcome.exit_code) == ("FAILED", 1)
    assert outcome.error == "ValueError: greeting failed"
    trace = outcome.error_trace or ""
    assert f'File "{NOTEBOOKS}/failing, cell 2", line 2, in <module>\n    outer()' in trace
    assert f'File "{NOTEBOOKS}/failing, cell 1", line 5, in outer' in trace
    assert "in fail" in trace
    assert "IPython" not in trace
    assert str(Path(laketop.__file__).parent) not in trace
    assert log.startswith("about to fail\nTraceback")
    assert "too many" not in log


def test_a_notebook_runs_another_with_its_own_state(run_notebook: Run) -> None:
    outcome, log = run_notebook(NOTEBOOKS / "caller")

    assert "child got 41\nanswer: 42 1\n" in log
    assert outcome.result_state == "FAILED"
    assert outcome.error == (
        "laketop.runner.dbutils.notebook.WorkflowException: "
        "notebook 'child' failed: ValueError: -1 is negative"
    )


def test_names_go_with_a_restart_and_later_cells_stay(run_cells: Run) -> None:
    outcome, log = run_cells(
        "x = 1\ndbutils.library.restartPython()\nprint('never')",
        "print('x' in globals(), dbutils.widgets.getAll())\nprint(spark.__class__)",
    )

    assert log.startswith("False {'name': 'base'}\n")
    assert "SPARK_REMOTE is not set" in (outcome.error or "")


def test_a_cell_of_fs_takes_its_words_as_what_they_stand_for(
    run_cells: Run, tmp_path: Path
) -> None:
    place = f"file:{tmp_path}/made"
    outcome, log = run_cells(
        f"%fs\nmkdirs {place}",
        f"%fs put '{place}/a b.txt' 123 true",
        f"%fs head '{place}/a b.txt' 2",
        f"%fs ls {place} # one file",
        f"%fs cp {place} {place}-too true",
        f"import os; print(os.listdir('{tmp_path}/made-too'))",
        f"%fs rm {place} false",
    )
    assert "\n12\n" in log
    assert "name='a b.txt', size=3" in log
    assert "['a b.txt']" in log
    assert outcome.result_state == "FAILED"  # what is not empty goes with `true` alone
    assert (tmp_path / "made" / "a b.txt").read_text() == "123"


def test_a_cell_of_fs_that_is_no_command_is_named(run_cells: Run) -> None:
    outcome, _ = run_cells("%fs format /")
    assert "%fs has no command 'format'" in (outcome.error or "")


def test_a_strict_cell_of_the_shell_fails_the_task_and_another_does_not(run_cells: Run) -> None:
    outcome, log = run_cells(
        "%sh\nfalse\necho went on",
        "%sh -e\necho strict\n(exit 3)\necho 'a line too many'",
        "print('a cell too many')",
    )
    assert log.startswith("went on\nstrict\n")
    assert "too many" not in log
    assert outcome.result_state == "FAILED"
    assert "%sh -e ended with exit code 3" in (outcome.error or "")


def test_what_cannot_be_done_is_named_and_can_be_caught(run_cells: Run) -> None:
    lines = (
        "%pip install no-such-package-here",
        "%run ./nowhere",
        "%run ./it",
        "%nosuchmagic",
        "%time 1 / 0",
    )
    attempts = (f"try:\n    {line}\nexcept Exception as e:\n    print(e)" for line in lines)
    outcome, log = run_cells("\n".join(attempts), "# MAGIC %scala\n# MAGIC val x = 1", "print(1)")

    for said in ("no-such-package-here cannot be installed", "no notebook named", "zero"):
        assert said in log
    assert " -> " in log
    assert "`%nosuchmagic` not found" in log
    assert outcome.error == (
        "a cell in scala is not supported\nhint: cells in Python and SQL are run"
    )


@pytest.mark.parametrize(
    ("cell", "error", "exit_code"),
    [
        ("x = (", "SyntaxError", 1),
        ("%time raise SystemExit(3)", "SystemExit: the code exited with 3", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9", -9),
    ],
)
def test_a_cell_that_cannot_go_on_ends_the_task(
    run_cells: Run, cell: str, error: str, exit_code: int
) -> None:
    outcome, log = run_cells(cell, "print('a cell too many')")

    assert (outcome.result_state, outcome.exit_code) == ("FAILED", exit_code)
    assert error in (outcome.error or "")
    assert "too many" not in log


def test_a_script_gets_its_arguments_and_its_exit_code_counts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import pickle, sys\n"
        "from pyspark.dbutils import DBUtils\n"
        "class Mine: pass\n"
        "assert isinstance(pickle.loads(pickle.dumps(Mine())), Mine)\n"
        "from dbruntime import UserNamespaceInitializer\n"
        "names = UserNamespaceInitializer.getOrCreate().get_namespace_globals()\n"
        "assert DBUtils(None) is names['dbutils']\n"
        "print(sys.argv[1:], __name__)\n"
        "sys.exit(3)\n",
        encoding="utf-8",
    )
    settings = {"python_file": str(tmp_path / "script.py"), "parameters": ["a", "b c"]}
    outcome, log = run(SparkPythonTask(), {"spark_python_task": settings}, pushed="never")

    assert log.startswith("['a', 'b c'] __main__\n")
    assert outcome == Outcome(
        "FAILED", error="SystemExit: the code exited with 3", error_trace=None, exit_code=3
    )


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    wheel = tmp_path / "parcel-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "parcel/__init__.py",
            "import sys\nfrom importlib.metadata import version\n"
            "def run(): print(version('parcel'), sys.argv[1:])\n"
            "def fail(): raise KeyError('parcel')\n",
        )
        info = "parcel-1.2.dist-info"
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: parcel\nVersion: 1.2\nRequires-Dist: pytest\n",
        )
        archive.writestr(f"{info}/entry_points.txt", "[any.group]\nmain = parcel:run\n")
    return wheel


def test_a_wheel_is_called_with_named_and_job_parameters(run: Run, wheel: Path) -> None:
    named = {"a": "1", "b": "1"}
    settings = {"package_name": "parcel", "entry_point": "main", "named_parameters": named}
    task = {"python_wheel_task": settings, "libraries": [{"whl": str(wheel)}]}
    outcome, log = run(PythonWheelTask(), task, b="2", c="2")

    assert outcome == Outcome("SUCCESS", exit_code=0)
    assert log == "1.2 ['--a=1', '--b=2', '--c=2']\n"


def test_an_entry_point_is_found_by_metadata_else_by_name(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(unpack(wheel, tmp_path / "cache"))

    assert entry_point("parcel", "main") is entry_point("parcel", "run")
    with pytest.raises(ConfigError, match="package 'parcel' has no entry point 'nope'"):
        entry_point("parcel", "nope")
    with pytest.raises(ConfigError, match="there is no package 'other'"):
        entry_point("other", "main")


def test_listed_parameters_of_a_wheel_take_no_job_parameters() -> None:
    assert wheel_arguments({"parameters": ["x"]}, {"b": "2"}) == ("x",)
    with pytest.raises(ConfigError, match="not both"):
        wheel_arguments({"parameters": ["x"], "named_parameters": {"a": "1"}}, {})


def test_what_the_environment_lacks_is_named(run: Run, wheel: Path) -> None:
    task = {
        "python_wheel_task": {"package_name": "parcel", "entry_point": "main"},
        "environment_key": "e",
        "environments": [
            {
                "environment_key": "e",
                "spec": {"dependencies": [str(wheel), "pytest", "no-such-package-here"]},
            }
        ],
    }
    with pytest.raises(ConfigError, match="no-such-package-here cannot be installed"):
        run(PythonWheelTask(), task)
