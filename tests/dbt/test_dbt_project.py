"""A dbt project run whole, by the command line and by the SDK, by dbt-databricks as published.

It comes from the package index, so that these tests have a session of their own: `nox -s dbt`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.cli.conftest import run_laketop, states_of

from laketop.settings import Settings
from laketop.workspace import daemon

GOOD = ("TERMINATED", "SUCCESS")
PROJECT = Path(__file__).parents[2] / "fixtures" / "projects" / "dbt_sql"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("dbt") / "dbt_sql"
    shutil.copytree(PROJECT, root)
    yield root
    daemon.stop(Settings.read(root))


def _rows(project: Path, query: str) -> list[dict[str, object]]:
    said = run_laketop(project, "sql", query, "--json")
    assert said.code == 0, said.err
    rows: list[dict[str, object]] = json.loads(said.out)
    return rows


def _orders(project: Path) -> int:
    (row,) = _rows(project, "SELECT count(*) AS n FROM main.dbt_sql.orders")
    return int(str(row["n"]))


def test_seeds_models_and_tests_run_by_cli_and_again_by_sdk_with_the_same_states(
    project: Path,
) -> None:
    said = run_laketop(project, "run", "dbt_sql_job", "--json")
    assert said.code == 0, said.err
    by_cli = json.loads(said.out)
    assert states_of(by_cli) == {"": GOOD, "dbt": GOOD}
    assert _orders(project) == 10

    contact = daemon.find(Settings.read(project))
    assert contact is not None
    client = WorkspaceClient(host=contact.url, token=contact.token)
    by_sdk = client.jobs.run_now(by_cli["job_id"]).result()
    assert states_of(by_sdk.as_dict()) == states_of(by_cli)
    assert _orders(project) == 10  # this run is incremental, and finds the same
    rows = _rows(project, "SELECT * FROM main.dbt_sql.orders_by_region ORDER BY name")
    assert [row["name"] for row in rows] == ["North", "South"]
    (table,) = _rows(
        project,
        "SELECT comment FROM main.information_schema.tables"
        " WHERE table_schema = 'dbt_sql' AND table_name = 'orders'",
    )
    assert table["comment"] == "Orders, one row each."
