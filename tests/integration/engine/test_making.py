"""What the plugin makes for one test, and removes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import SchemaInfo
from databricks.sdk.service.jobs import RunResultState
from databricks.sdk.service.ml import Experiment

Make = Callable[..., Any]


@pytest.fixture
def afterwards() -> Iterator[list[Callable[[], object]]]:
    """Hold what is asked for once everything else of the test has been removed."""
    calls: list[Callable[[], object]] = []
    yield calls
    assert calls
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_tables_and_volumes_are_made_where_they_are_wanted_and_gone_afterwards(
    *,
    afterwards: list[Callable[[], object]],
    laketop_client: WorkspaceClient,
    make_catalog: Make,
    make_schema: Make,
    make_table: Make,
    make_volume: Make,
) -> None:
    catalog = make_catalog()
    schema: SchemaInfo = make_schema(catalog_name=catalog.name)
    table = make_table(catalog_name=catalog.name, schema_name=schema.name, ctas="SELECT 1 AS n")
    other = make_table(columns=[("a", "DATE")])
    volume = make_volume(name="files")
    assert table.full_name == f"{catalog.name}.{schema.name}.{table.name}"
    assert [(one.name, one.type_text) for one in table.columns] == [("n", "int")]
    assert [(one.name, one.type_text) for one in other.columns] == [("a", "date")]
    assert volume.name == "files"
    afterwards += [
        lambda: laketop_client.tables.get(table.full_name),
        lambda: laketop_client.tables.get(other.full_name),
        lambda: laketop_client.schemas.get(f"main.{other.schema_name}"),
        lambda: laketop_client.volumes.read(volume.full_name),
        lambda: laketop_client.catalogs.get(catalog.name),
    ]


def test_what_needs_no_engine_is_made_and_gone_afterwards(
    *,
    afterwards: list[Callable[[], object]],
    laketop_client: WorkspaceClient,
    make_user: Make,
    make_group: Make,
    make_secret_scope: Make,
    make_directory: Make,
    make_query: Make,
) -> None:
    user = make_user()
    group = make_group(members=[user.id])
    scope, folder, query = make_secret_scope(), make_directory(), make_query(sql_query="SELECT 2")
    assert [one.value for one in laketop_client.groups_v2.get(group.id).members or []] == [user.id]
    assert list(laketop_client.secrets.list_secrets(scope)) == []
    assert laketop_client.workspace.get_status(folder).path == folder
    assert laketop_client.queries.get(query.id).query_text == "SELECT 2"
    afterwards += [
        lambda: laketop_client.users_v2.get(user.id),
        lambda: laketop_client.groups_v2.get(group.id),
        lambda: list(laketop_client.secrets.list_secrets(scope)),
        lambda: laketop_client.workspace.get_status(folder),
        lambda: laketop_client.queries.get(query.id),
    ]


def test_a_job_runs_the_notebook_that_is_made_for_it(
    afterwards: list[Callable[[], object]],
    laketop_client: WorkspaceClient,
    make_notebook: Make,
    make_job: Make,
) -> None:
    path = make_notebook(content="dbutils.notebook.exit('made')")
    job = make_job(path=path)
    run = laketop_client.jobs.run_now(job.job_id).result()
    assert run.state is not None
    assert run.state.result_state is RunResultState.SUCCESS
    laketop_client.workspace.delete(path)  # a test may clean up itself
    afterwards += [
        lambda: laketop_client.jobs.get(job.job_id),
        lambda: laketop_client.workspace.get_status(path),
    ]


def test_an_experiment_is_deleted_afterwards(
    request: pytest.FixtureRequest, laketop_client: WorkspaceClient
) -> None:
    made = request.getfixturevalue("make_experiment")()
    found = laketop_client.experiments.get_experiment(made.experiment_id).experiment
    assert isinstance(found, Experiment)
    assert found.lifecycle_stage == "active"
