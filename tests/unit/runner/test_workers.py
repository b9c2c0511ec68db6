from __future__ import annotations

import subprocess
from pathlib import Path

from laketop.runner.workers import workers_python


def test_the_program_is_this_interpreter_with_the_folders_in_front(tmp_path: Path) -> None:
    folder = tmp_path / "a $b"
    folder.mkdir()
    (folder / "laketop_of_the_task.py").write_text("answer = 42\n")
    program = workers_python([folder], tmp_path / "cache")
    code = "import laketop_of_the_task, sys; print(laketop_of_the_task.answer, sys.argv[1])"
    told = subprocess.run(
        [program, "-c", code, "x y"],
        env={"PYTHONPATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "42 x y\n"


def test_the_same_folders_have_the_same_program(tmp_path: Path) -> None:
    first = workers_python([tmp_path], tmp_path / "cache")
    assert workers_python([tmp_path], tmp_path / "cache") == first
    assert workers_python([tmp_path / "b"], tmp_path / "cache") != first
    assert workers_python([tmp_path], tmp_path / "cache", state="other") != first
    assert [path.name for path in (tmp_path / "cache" / "workers").iterdir()].count(first.name) == 1
