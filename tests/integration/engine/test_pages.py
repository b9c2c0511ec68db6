"""Pages whose rows the engine reads: previews, charts of monitors, verdicts of gates."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from tests.integration.workspace.ui.conftest import HOSTILE, Seen, seen

from laketop.ml.evaluation import EVALUATIONS
from laketop.ml.monitoring import refresh
from laketop.ml.promotion_log import COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from laketop.workspace.daemon import Contact

Look = Callable[[str], Seen]


@pytest.fixture(scope="module")
def look(workspace: Contact) -> Iterator[Look]:
    """Return a function that looks at a path of the project's workspace as its admin."""
    with _looking(workspace) as looked:
        yield looked


@contextlib.contextmanager
def _looking(workspace: Contact) -> Iterator[Look]:
    with requests.Session() as session:
        session.trust_env = False
        link = workspace.request("POST", "/api/laketop/1/page/link", {})["url"]
        assert session.get(link, timeout=60).status_code == 200

        def looked(path: str) -> Seen:
            answer = session.get(f"{workspace.url}{path}", timeout=120)
            assert answer.status_code == 200, answer.text[:2000]
            return seen(answer)

        yield looked


def _page(schema: str, name: str) -> str:
    return f"/explore/data/{schema.replace('.', '/')}/{name}"


def test_a_preview_shows_the_rows_as_text(look: Look, spark: SparkSession, schema: str) -> None:
    spark.createDataFrame([(1, HOSTILE), (2, None)], "id int, note string").writeTo(
        f"{schema}.notes"
    ).create()
    page = look(f"{_page(schema, 'notes')}?tab=rows")
    assert HOSTILE in page.text
    assert "null" in page.text
    assert page.html.count("<tr>") == 3


def test_a_preview_ends_after_a_hundred_rows(look: Look, spark: SparkSession, schema: str) -> None:
    spark.range(500).writeTo(f"{schema}.many").create()
    page = look(f"{_page(schema, 'many')}?tab=rows")
    assert page.html.count("<tr>") == 101
    assert "the first 100 rows" in page.text


def test_columns_and_history_are_those_that_spark_wrote(
    look: Look, spark: SparkSession, schema: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (a BIGINT COMMENT 'first', b MAP<STRING, INT>)")
    spark.sql(f"INSERT INTO {schema}.t SELECT 1, map('x', 2)").collect()
    columns = look(_page(schema, "t"))
    assert "bigint" in columns.text
    assert "map<string,int>" in columns.text
    assert "first" in columns.text
    history = look(f"{_page(schema, 't')}?tab=history")
    assert "write" in history.text
    assert "numOutputRows 1" in " ".join(history.text.split())


def test_a_view_has_columns_and_rows(look: Look, spark: SparkSession, schema: str) -> None:
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT 41 + 1 AS answer")
    assert "answer" in look(_page(schema, "v")).text
    assert "42" in look(f"{_page(schema, 'v')}?tab=rows").text


def test_a_statement_that_fails_is_told_in_its_place(
    look: Look, spark: SparkSession, schema: str
) -> None:
    spark.sql(f"CREATE TABLE {schema}.gone (a INT)")
    spark.sql(f"CREATE VIEW {schema}.broken AS TABLE {schema}.gone")
    spark.sql(f"DROP TABLE {schema}.gone")
    page = look(f"{_page(schema, 'broken')}?tab=rows")
    assert "TABLE_OR_VIEW_NOT_FOUND" in page.text
    assert "JVM stacktrace" not in page.text


def test_rows_are_read_with_the_rights_of_who_looks(
    workspace: Contact, laketop_engine: str, schema: str, spark: SparkSession
) -> None:
    spark.range(3).writeTo(f"{schema}.numbers").create()
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    robot = client.service_principals_v2.create(display_name="who looks")
    name = robot.application_id or ""
    token = client.token_management.create_obo_token(name).token_value or ""
    may = [Privilege.BROWSE, Privilege.USE_CATALOG]
    client.grants.update("catalog", "main", changes=[PermissionsChange(add=may, principal=name)])
    try:
        with _looking(dataclasses.replace(workspace, token=token)) as look:
            path = f"{_page(schema, 'numbers')}?tab=rows"
            assert "does not have" in look(path).text
            use = PermissionsChange(add=[Privilege.USE_SCHEMA, Privilege.SELECT], principal=name)
            client.grants.update("schema", schema, changes=[use])
            assert look(path).html.count("<tr>") == 4
    finally:
        gone = PermissionsChange(remove=may, principal=name)
        client.grants.update("catalog", "main", changes=[gone])
        client.service_principals_v2.delete(robot.id or "")


def test_a_monitor_is_drawn_over_its_windows(look: Look, spark: SparkSession, schema: str) -> None:
    rows = [
        (
            dt.datetime(2013, month, 1 + n % 28, 12, tzinfo=dt.UTC),
            float(n * month % 7),
            (n % 10) / 10,
            n % 2,
        )
        for month in (1, 2, 3)
        for n in range(40)
    ]
    df = spark.createDataFrame(rows, "at timestamp, wind double, score double, late int")
    df.writeTo(f"{schema}.scores").create()
    refresh(
        spark,
        df=df,
        table=f"{schema}.scores",
        timestamp_col="at",
        prediction_col="score",
        label_col="late",
        baseline=df,
    )
    assert f"/monitors/{schema.replace('.', '/')}/scores" in look("/monitors").links
    page = look(f"/monitors/{schema.replace('.', '/')}/scores")
    assert page.html.count("<figure") >= 6
    for title in ("ROC AUC", "Mean prediction and label", "Population stability index"):
        assert title in page.text
    assert "wind, 2013-02-01" in page.text


def test_a_version_shows_what_the_gates_said_and_a_model_what_was_decided(
    look: Look, workspace: Contact, spark: SparkSession, schema: str
) -> None:
    model, catalog_schema = f"{schema}.delay", schema.replace(".", "/")
    registry = "/api/2.0/mlflow/unity-catalog"
    workspace.request("POST", f"{registry}/registered-models/create", {"name": model})
    at = dt.datetime(2013, 5, 1, tzinfo=dt.UTC)
    told: list[tuple[Any, ...]] = [
        (
            *(at, model, "1", None, "May", 9),
            "quality",
            True,
            False,
            0.7,
            0.6,
            HOSTILE,
            *("", *[None] * 4),
        ),
        (
            *(at, model, "1", None, "May", 4),
            "quality",
            True,
            False,
            0.65,
            None,
            None,
            "",
            "LGA",
            "auc",
            0.6,
            0.7,
        ),
    ]
    spark.createDataFrame(told, EVALUATIONS).writeTo(f"{schema}.model_evaluations").create()
    made = (at, model, "1", None, "promoted", "ann", HOSTILE, "", 1, "p", at)
    spark.createDataFrame([made], COLUMNS).writeTo(f"{schema}.promotions").create()
    decided = look(f"/explore/data/models/{catalog_schema}/delay")
    assert "promoted" in decided.text
    assert HOSTILE in decided.text
    source = {"name": model, "source": "dbfs:/databricks/mlflow-tracking/1/r/artifacts/model"}
    workspace.request("POST", f"{registry}/model-versions/create", source)
    page = look(f"/explore/data/models/{catalog_schema}/delay/version/1")
    assert "passed" in page.text
    assert HOSTILE in page.text
    assert "LGA" in page.text
    assert "0.65" in page.text
