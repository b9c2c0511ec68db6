"""The pytest plugin: hands out Spark, a throwaway schema, and the workspace of the project.

```python
def test_features_are_known_before_departure(spark, schema):
    spark.sql(f"CREATE TABLE {schema}.flights AS SELECT …")


def test_the_job_trains_and_registers(ws, schema):
    job = next(ws.jobs.list(name="mlops"))
    ws.jobs.run_now(job.job_id, job_parameters={"schema": schema}).result()
```

The engine is started once and kept warm; every test has a schema of its own.

`make_catalog`, `make_schema`, `make_table`, `make_volume`, `make_notebook`, `make_directory`,
`make_job`, `make_secret_scope`, `make_user`, `make_group`, `make_experiment` and `make_query` make
what they are called, with a name that nothing else has unless one is given, and remove it after
the test, the last first. They are called as those of databricks-labs-pytester are.

```python
def test_a_reader_sees_the_table_alone(make_user, make_table):
    table, reader = make_table(ctas="SELECT 1 AS n"), make_user()
```
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import pytest

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.catalog import CatalogInfo, SchemaInfo, TableInfo, VolumeInfo
    from databricks.sdk.service.iam import Group, User
    from databricks.sdk.service.jobs import Job, Task
    from databricks.sdk.service.ml import CreateExperimentResponse
    from databricks.sdk.service.sql import Query
    from databricks.sdk.service.workspace import Language
    from pyspark.sql import SparkSession

    from laketop.workspace.daemon import Contact

P = ParamSpec("P")
Made = TypeVar("Made")


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


# --- what is made for one test ---


def _makes(
    create: Callable[P, Made], remove: Callable[[Made], object]
) -> Iterator[Callable[P, Made]]:
    """Yield `create`, and remove what it has made: the last first, fine if a test did already."""
    from databricks.sdk.errors import NotFound

    def end(made: Made) -> None:
        with contextlib.suppress(NotFound):
            remove(made)

    with contextlib.ExitStack() as stack:

        def make(*arguments: P.args, **options: P.kwargs) -> Made:
            made = create(*arguments, **options)
            stack.callback(end, made)
            return made

        yield make


@pytest.fixture(scope="session")
def laketop_client(workspace: Contact) -> WorkspaceClient:
    """Return a client of the workspace, to which nothing is deployed; no engine needs to run."""
    from databricks.sdk import WorkspaceClient

    return WorkspaceClient(host=workspace.url, token=workspace.token)


@pytest.fixture
def make_random() -> Callable[[int], str]:
    """Return what makes a text of so many letters and digits that nothing else has."""

    def make(length: int = 16) -> str:
        return f"m{secrets.token_hex(length)}"[:length]

    return make


@pytest.fixture
def make_catalog(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., CatalogInfo]]:
    """Return what makes a catalog."""

    def create(*, name: str | None = None) -> CatalogInfo:
        return laketop_client.catalogs.create(name or make_random(12))

    yield from _makes(
        create, lambda made: laketop_client.catalogs.delete(made.name or "", force=True)
    )


@pytest.fixture
def make_schema(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., SchemaInfo]]:
    """Return what makes a schema."""

    def create(*, catalog_name: str = "main", name: str | None = None) -> SchemaInfo:
        return laketop_client.schemas.create(name or make_random(12), catalog_name)

    yield from _makes(
        create, lambda made: laketop_client.schemas.delete(made.full_name or "", force=True)
    )


@pytest.fixture
def make_table(
    laketop_client: WorkspaceClient,
    spark: SparkSession,
    make_schema: Callable[..., SchemaInfo],
    make_random: Callable[[int], str],
) -> Iterator[Callable[..., TableInfo]]:
    """Return what makes a Delta table: of a query, `ctas`, or of columns, pairs of name and type.

    Without a schema it is in one of its own.
    """

    def create(
        *,
        catalog_name: str = "main",
        schema_name: str | None = None,
        name: str | None = None,
        ctas: str | None = None,
        columns: Sequence[tuple[str, str]] = (("id", "INT"), ("value", "STRING")),
    ) -> TableInfo:
        schema_name = schema_name or make_schema(catalog_name=catalog_name).name
        full_name = f"{catalog_name}.{schema_name}.{name or make_random(12)}"
        told = ", ".join(f"{column} {type_}" for column, type_ in columns)
        spark.sql(f"CREATE TABLE {full_name} " + (f"AS {ctas}" if ctas else f"({told})"))
        return laketop_client.tables.get(full_name)

    yield from _makes(create, lambda made: laketop_client.tables.delete(made.full_name or ""))


@pytest.fixture
def make_volume(
    laketop_client: WorkspaceClient,
    make_schema: Callable[..., SchemaInfo],
    make_random: Callable[[int], str],
) -> Iterator[Callable[..., VolumeInfo]]:
    """Return what makes a managed volume; without a schema it is in one of its own."""
    from databricks.sdk.service.catalog import VolumeType

    def create(
        *, catalog_name: str = "main", schema_name: str | None = None, name: str | None = None
    ) -> VolumeInfo:
        schema_name = schema_name or make_schema(catalog_name=catalog_name).name or ""
        return laketop_client.volumes.create(
            catalog_name, schema_name, name or make_random(12), VolumeType.MANAGED
        )

    yield from _makes(create, lambda made: laketop_client.volumes.delete(made.full_name or ""))


@pytest.fixture
def make_directory(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., str]]:
    """Return what makes a folder of the workspace and returns its path."""

    def create(*, path: str | None = None) -> str:
        path = path or f"/Shared/{make_random(12)}"
        laketop_client.workspace.mkdirs(path)
        return path

    yield from _makes(create, lambda made: laketop_client.workspace.delete(made, recursive=True))


@pytest.fixture
def make_notebook(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., str]]:
    """Return what makes a notebook of source text and returns its path."""
    from databricks.sdk.service.workspace import ImportFormat
    from databricks.sdk.service.workspace import Language as Known

    def create(
        *,
        path: str | None = None,
        content: str = "print(1)",
        language: Language = Known.PYTHON,
    ) -> str:
        path = path or f"/Shared/{make_random(12)}"
        laketop_client.workspace.import_(
            path,
            content=base64.b64encode(content.encode()).decode(),
            language=language,
            format=ImportFormat.SOURCE,
        )
        return path

    yield from _makes(create, laketop_client.workspace.delete)


@pytest.fixture
def make_job(
    laketop_client: WorkspaceClient,
    make_notebook: Callable[..., str],
    make_random: Callable[[int], str],
) -> Iterator[Callable[..., Job]]:
    """Return what makes a job: of tasks, or of one notebook, which is made where none is named."""
    from databricks.sdk.service.jobs import NotebookTask
    from databricks.sdk.service.jobs import Task as OneTask

    def create(
        *, name: str | None = None, path: str | None = None, tasks: Sequence[Task] | None = None
    ) -> Job:
        if tasks is None:
            notebook = NotebookTask(notebook_path=path or make_notebook())
            tasks = [OneTask(task_key="notebook", notebook_task=notebook)]
        made = laketop_client.jobs.create(name=name or make_random(12), tasks=[*tasks])
        return laketop_client.jobs.get(made.job_id or 0)

    yield from _makes(create, lambda made: laketop_client.jobs.delete(made.job_id or 0))


@pytest.fixture
def make_secret_scope(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., str]]:
    """Return what makes a scope of secrets and returns its name."""

    def create(*, name: str | None = None) -> str:
        name = name or make_random(12)
        laketop_client.secrets.create_scope(name)
        return name

    yield from _makes(create, laketop_client.secrets.delete_scope)


@pytest.fixture
def make_user(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., User]]:
    """Return what makes a user who is no admin."""

    def create(*, user_name: str | None = None) -> User:
        name = user_name or f"{make_random(12)}@example.com"
        return laketop_client.users_v2.create(user_name=name, display_name=name)

    yield from _makes(create, lambda made: laketop_client.users_v2.delete(made.id or ""))


@pytest.fixture
def make_group(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., Group]]:
    """Return what makes a group of members, who are named by their ids."""
    from databricks.sdk.service.iam import ComplexValue

    def create(*, display_name: str | None = None, members: Sequence[str] = ()) -> Group:
        return laketop_client.groups_v2.create(
            display_name=display_name or make_random(12),
            members=[ComplexValue(value=one) for one in members],
        )

    yield from _makes(create, lambda made: laketop_client.groups_v2.delete(made.id or ""))


@pytest.fixture
def make_experiment(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., CreateExperimentResponse]]:
    """Return what makes an experiment of MLflow."""

    def create(*, path: str | None = None) -> CreateExperimentResponse:
        return laketop_client.experiments.create_experiment(path or f"/Shared/{make_random(12)}")

    yield from _makes(
        create,
        lambda made: laketop_client.experiments.delete_experiment(made.experiment_id or ""),
    )


@pytest.fixture
def make_query(
    laketop_client: WorkspaceClient, make_random: Callable[[int], str]
) -> Iterator[Callable[..., Query]]:
    """Return what makes a saved query."""
    from databricks.sdk.service.sql import CreateQueryRequestQuery

    def create(*, name: str | None = None, sql_query: str = "SELECT 1") -> Query:
        query = CreateQueryRequestQuery(display_name=name or make_random(12), query_text=sql_query)
        return laketop_client.queries.create(query=query)

    yield from _makes(create, lambda made: laketop_client.queries.delete(made.id or ""))
