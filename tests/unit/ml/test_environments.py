"""Which file and which Python make the environment of a model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from laketop.ml import environments
from laketop.ml.environments import (
    StepFailed,
    built,
    python_of,
    ran,
    requirements_of,
    resolver_environment,
    within,
)
from laketop.ml.locks import LOCK_FILE

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_a_lock_goes_before_the_requirements_and_one_of_them_is_needed(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"has no requirements\.txt"):
        requirements_of(tmp_path)
    (tmp_path / "requirements.txt").touch()
    assert requirements_of(tmp_path).name == "requirements.txt"
    (tmp_path / LOCK_FILE).touch()
    assert requirements_of(tmp_path).name == LOCK_FILE


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("python: 3.12.4\nbuild_dependencies:\n- pip==24.0\n", "3.12"),
        ("build_dependencies:\n- pip\npython: '3.10'\n", "3.10"),
        ("dependencies:\n- -r requirements.txt\n", HERE),
        (None, HERE),
    ],
)
def test_the_python_is_the_one_that_mlflow_wrote_down(
    tmp_path: Path, told: str | None, found: str
) -> None:
    if told is not None:
        (tmp_path / "python_env.yaml").write_text(told, encoding="utf-8")
    assert python_of(tmp_path) == found


def test_a_python_that_is_not_here_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    place = tmp_path / "environment"
    with pytest.raises(StepFailed, match=r"cannot be built without Python 3\.1: "):
        built(place, tmp_path / "requirements.txt", offline=True, step=within(60), version="3.1")
    assert not place.exists()


def test_all_steps_together_take_no_longer_than_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, lock = tmp_path / "uv", tmp_path / LOCK_FILE
    program = "#!/bin/sh\nsleep 0.8\ncase $* in *--offline*) exit 1; esac\n"
    slow.write_text(program, encoding="utf-8")
    slow.chmod(0o755)
    lock.write_text("six==1.17.0 --hash=sha256:aa\n", encoding="utf-8")
    monkeypatch.setattr(environments, "uv_program", lambda: str(slow))
    with pytest.raises(subprocess.TimeoutExpired, match=r"after 2 seconds"):
        built(tmp_path / "environment", lock, offline=False, step=within(2))


def test_what_a_command_says_in_many_lines_is_told_by_its_end() -> None:
    code = "import sys; print(*range(20), sep='\\n', file=sys.stderr); sys.exit(3)"
    with pytest.raises(StepFailed, match=r"^it failed: 17 18 19$"):
        ran([sys.executable, "-c", code], "it failed", 60)
    with pytest.raises(StepFailed, match=r"^it failed: exit code 3$"):
        ran([sys.executable, "-c", "raise SystemExit(3)"], "it failed", 60)


def test_the_resolver_sees_no_secret_and_the_index_of_pip() -> None:
    given = {
        "DATABRICKS_TOKEN": "x",
        "SPARK_REMOTE": "sc://x",
        "PIP_INDEX_URL": "http://i",
        "A": "b",
    }
    assert resolver_environment(given) == {
        "PIP_INDEX_URL": "http://i",
        "UV_DEFAULT_INDEX": "http://i",
        "UV_SYSTEM_CERTS": "1",
        "A": "b",
    }
    given["UV_INDEX_URL"] = "http://own"
    assert "UV_DEFAULT_INDEX" not in resolver_environment(given)


def test_a_command_runs_without_the_tokens_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-secret")
    monkeypatch.setenv("PIP_INDEX_URL", "http://i")
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    told = ran([sys.executable, "-c", "import os; print(sorted(os.environ.items()))"], "", 60)
    assert "dapi-secret" not in told
    assert "('UV_DEFAULT_INDEX', 'http://i')" in told
