"""The pytest plugin: hands out Spark, a throwaway schema, and the workspace of the project.

```python
def test_features_are_known_before_departure(spark, schema):
    spark.sql(f"CREATE TABLE {schema}.flights AS SELECT …")


def test_the_job_trains_and_registers(ws, schema):
    job = next(ws.jobs.list(name="mlops"))
    ws.jobs.run_now(job.job_id, job_parameters={"schema": schema}).result()
```

The engine is started once and kept warm; every test has a schema of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

    from laketop.workspace.daemon import Contact


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("laketop", "the local Databricks workspace")
    group.addoption("--project", help="the folder of databricks.yml (default: found upward)")
    group.addoption("--target", help="the target of the bundle that `ws` deploys")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Let tests import what exists only on Databricks, their conftest.py included."""
    from laketop import shims

    shims.install()


@pytest.fixture(scope="session")
def laketop_project(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the project's databricks.yml."""
    from laketop.bundle import find_root

    option = request.config.getoption("--project")
    return find_root(Path(option) if option else request.config.invocation_params.dir)


@pytest.fixture(scope="session")
def workspace(laketop_project: Path) -> Iterator[Contact]:
    """Return how to reach the project's workspace; it is left as it was found."""
    from laketop.settings import Settings
    from laketop.workspace import daemon

    settings = Settings.read(laketop_project)
    ran = daemon.locked(settings)
    contact = daemon.start(settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in contact.environment().items():
            patch.setenv(name, value)
        yield contact
    if not ran:
        daemon.stop(settings)


@pytest.fixture(scope="session")
def laketop_engine(workspace: Contact) -> str:
    """Return the Spark Connect address of the engine, once it answers."""
    from laketop.errors import LaketopError

    try:
        workspace.wait_for_engine()
    except LaketopError as error:
        pytest.fail(str(error), pytrace=False)
    return workspace.spark_remote


@pytest.fixture(scope="session")
def spark(laketop_engine: str) -> Iterator[SparkSession]:
    """Return a session of the warm engine."""
    from laketop.engine.connect import RemoteEngine

    session = RemoteEngine(laketop_engine).session()
    yield session
    session.stop()


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    """Return the full name of an empty schema, `main.test_…`, gone after the test."""
    name = f"main.test_{secrets.token_hex(4)}"
    spark.sql(f"CREATE SCHEMA {name}")
    yield name
    spark.sql(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(scope="session")
def ws(
    request: pytest.FixtureRequest,
    laketop_project: Path,
    laketop_engine: str,  # noqa: ARG001 - jobs need it
    workspace: Contact,
) -> WorkspaceClient:
    """Return a client of the workspace, to which the bundle is deployed."""
    from databricks.sdk import WorkspaceClient

    from laketop import bundle
    from laketop.settings import Settings
    from laketop.workspace import deployment

    settings = Settings.read(laketop_project)
    target: Any = request.config.getoption("--target")

    def load() -> bundle.Bundle:
        return bundle.load(
            laketop_project,
            target=target,
            environment=settings.environment,
            user=settings.user,
            find=deployment.local_finder(workspace),
        )

    deployment.deploy(load, settings, workspace, print)
    return WorkspaceClient(host=workspace.url, token=workspace.token)
