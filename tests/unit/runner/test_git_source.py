from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from laketop.runner.context import TaskContext
from laketop.runner.git_source import is_of_git, located, with_repository, with_settings

GIT = {"git_url": "https://example.org/a.git", "git_branch": "main"}


@pytest.mark.parametrize(
    ("git", "path", "source", "expected"),
    [
        (GIT, "a/b", None, True),
        (GIT, "a/b", "WORKSPACE", False),
        (GIT, "/Workspace/a", None, False),
        (GIT, "dbfs:/a.py", None, False),
        (None, "a/b", None, False),
        (None, "a/b", "GIT", True),
    ],
)
def test_the_task_decides_where_its_file_is_and_else_the_job(
    git: Any, path: str, source: str | None, expected: bool
) -> None:
    assert is_of_git(git, path, source) is expected


@pytest.mark.parametrize(
    "settings",
    [
        {"notebook_task": {"notebook_path": "a"}},
        {"spark_python_task": {"python_file": "a.py"}},
        {"sql_task": {"file": {"path": "a.sql"}, "warehouse_id": "w"}},
        {"dbt_task": {"project_directory": "a", "commands": ["dbt run"]}},
        {"dbt_task": {"commands": ["dbt run"]}},
    ],
)
def test_a_task_with_a_file_of_git_is_given_the_repository(settings: Any) -> None:
    assert with_repository(settings, GIT) == {**settings, "git_source": GIT}
    assert with_repository(settings, None) == settings


@pytest.mark.parametrize(
    "settings",
    [
        {"python_wheel_task": {"package_name": "a", "entry_point": "b"}},
        {"sql_task": {"query": {"query_id": "q"}, "warehouse_id": "w"}},
        {"notebook_task": {"notebook_path": "a", "source": "WORKSPACE"}},
    ],
)
def test_other_tasks_are_left_alone(settings: Any) -> None:
    assert with_repository(settings, GIT) == settings


def test_only_fetching_is_shown_the_credential_beside_the_settings_of_the_user(
    tmp_path: Path,
) -> None:
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\n(echo "step $*"; env) >>{tmp_path}/seen\n')
    git.chmod(0o755)
    directory = tmp_path / "run" / "1"
    directory.mkdir(parents=True)
    own = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "own"}
    context = TaskContext(
        run_id=1,
        job_id=3,
        task_run_id=2,
        task_key="it",
        attempt=0,
        task={"task_key": "it", "git_source": GIT},
        job_parameters={},
        task_values={},
        directory=directory,
        environment={"PATH": f"{git.parent}:{os.environ['PATH']}", **own},
        python=Path(sys.executable),
        resolve=Path,
        cancelled=threading.Event(),
        run_job=lambda _job, _parameters, _of_tasks: pytest.fail("no job is run"),
        git=lambda _provider, url: {f"http.{url}.extraHeader": "t0ken"},
    )
    located("a", None, context)
    steps = {
        step.split(maxsplit=1)[0]: step
        for step in (tmp_path / "seen").read_text().split("step ")
        if step
    }
    assert [step for step, seen in steps.items() if "t0ken" in seen] == ["fetch"]
    shown = f"http.{GIT['git_url']}.extraHeader"
    sent = with_settings(own, {shown: "t0ken"})
    assert all(f"{name}={value}\n" in steps["fetch"] for name, value in sent.items())
    assert sent == {
        **own,
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_1": shown,
        "GIT_CONFIG_VALUE_1": "t0ken",
    }
