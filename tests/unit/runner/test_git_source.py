from __future__ import annotations

from typing import Any

import pytest

from laketop.runner.git_source import is_of_git, with_repository

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
