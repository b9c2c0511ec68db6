"""A copy of the reference project, with a workspace of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from laketop.settings import Settings
from laketop.workspace import daemon

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
LEFT_OUT = shutil.ignore_patterns(".laketop", "dist", "build", "__pycache__", ".pytest_cache")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("reference") / "flights"
    shutil.copytree(FLIGHTS, root, ignore=LEFT_OUT)
    yield root
    daemon.stop(Settings.read(root))


@pytest.fixture(scope="session")
def client(project: Path) -> WorkspaceClient:
    contact = daemon.start(Settings.read(project))
    return WorkspaceClient(host=contact.url, token=contact.token)
