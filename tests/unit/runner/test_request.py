"""The request of a task survives being written and read."""

from __future__ import annotations

from pathlib import Path

from laketop.runner.paths import Places
from laketop.runner.request import Request


def test_a_request_is_read_as_it_was_written(tmp_path: Path) -> None:
    request = Request(
        kind="notebook",
        path="/Users/me/nb",
        file=tmp_path / "nb.py",
        directory=tmp_path,
        places=Places.of_state(tmp_path),
        job_id=1,
        run_id=2,
        task_run_id=3,
        task_key="a",
        parameters={"a": "ä"},
        arguments=("--x", ""),
        task_values={"first": {"rows": [1, None]}},
        wheels=(tmp_path / "w",),
        requirements=("pandas",),
        callers=("/Users/me/outer",),
    )
    request.write(tmp_path / "request.json")

    assert Request.read(tmp_path / "request.json") == request
