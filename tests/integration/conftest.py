"""A copy of the project `thread`, its workspace and its engine, shared by the integration tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.engines import SHORT_LIVED
from tests.integration.witnesses import Witnesses

from laketop.settings import SERVERLESS, Settings
from laketop.workspace import daemon

THREAD = Path(__file__).parents[2] / "fixtures" / "projects" / "thread"
EXPERIMENT = "MLFLOW_EXPERIMENT_ID"
FOUR_LINES = """\
bundle: {name: thread}
targets:
  dev:
    default: true
"""


def pytest_configure(config: pytest.Config) -> None:
    """Let a file hold what clients were answered, where one is named."""
    if config.getoption("--witnesses"):
        config.pluginmanager.register(Witnesses(Path(config.getoption("--witnesses"))))


@pytest.fixture(scope="module", autouse=True)
def mlflow_as_it_was() -> Iterator[None]:
    """Forget the experiment that a module has set: MLflow keeps it for the whole process."""
    before = os.environ.get(EXPERIMENT)
    yield
    if before is None:
        os.environ.pop(EXPERIMENT, None)
    else:
        os.environ[EXPERIMENT] = before
    fluent: Any = sys.modules.get("mlflow.tracking.fluent")
    if fluent is not None:
        fluent._active_experiment_id = None


@pytest.fixture(scope="session")
def laketop_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("project") / "thread"
    shutil.copytree(THREAD, root, ignore=shutil.ignore_patterns(".laketop"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKETOP_DBU_PRICES", f"{SERVERLESS}=0.5")
        yield root
        daemon.stop(Settings.read(root))  # a command has started it, or started it anew


@pytest.fixture(scope="session")
def spark_remote(laketop_engine: str) -> str:
    return laketop_engine


@pytest.fixture(scope="session")
def task_environment(workspace: daemon.Contact, spark_remote: str) -> Mapping[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return {**own, **workspace.environment(), "SPARK_REMOTE": spark_remote}


@pytest.fixture
def settings_of_a_new_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    for name, value in SHORT_LIVED.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "databricks.yml").write_text(FOUR_LINES, encoding="utf-8")
    settings = Settings.read(tmp_path)
    yield settings
    daemon.stop(settings)
