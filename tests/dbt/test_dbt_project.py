"""A dbt project run whole by the command line, by dbt-databricks as it is published.

It comes from the package index, so that these tests have a session of their own: `nox -s dbt`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.conftest import run_laketop

from laketop.settings import Settings
from laketop.workspace import daemon

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


def test_seeds_models_and_tests_run_and_run_again(project: Path) -> None:
    for orders in (10, 10):  # the second run is incremental, and finds the same
        said = run_laketop(project, "run", "dbt_sql_job", "--json")
        assert said.code == 0, said.err
        (task,) = json.loads(said.out)["tasks"]
        assert task["state"]["result_state"] == "SUCCESS"
        (row,) = _rows(project, "SELECT count(*) AS n FROM main.dbt_sql.orders")
        assert int(str(row["n"])) == orders
    rows = _rows(project, "SELECT * FROM main.dbt_sql.orders_by_region ORDER BY name")
    assert [row["name"] for row in rows] == ["North", "South"]
    (table,) = _rows(
        project,
        "SELECT comment FROM main.information_schema.tables"
        " WHERE table_schema = 'dbt_sql' AND table_name = 'orders'",
    )
    assert table["comment"] == "Orders, one row each."
