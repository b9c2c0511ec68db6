"""The engine and the workspace keep grants in the same files: neither undoes the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from pyspark.sql import SparkSession

EACH = 30


def test_grants_of_sql_and_of_rest_at_the_same_time_are_all_kept(
    spark: SparkSession, schema: str
) -> None:
    table = f"{schema}.t"
    spark.sql(f"CREATE TABLE {table} (a INT)")
    client = WorkspaceClient()

    def by_sql(first: int) -> None:
        for number in range(first, EACH, 2):
            spark.sql(f"GRANT SELECT ON TABLE {table} TO `sql{number}@laketop.local`")

    def by_rest(first: int) -> None:
        for number in range(first, EACH, 2):
            change = PermissionsChange(
                principal=f"rest{number}@laketop.local", add=[Privilege.SELECT]
            )
            client.grants.update("table", table, changes=[change])

    with ThreadPoolExecutor() as pool:
        done = [pool.submit(way, first) for way in (by_sql, by_rest) for first in (0, 1)]
        for each in done:
            each.result()
    kept = {row[0] for row in spark.sql(f"SHOW GRANTS ON TABLE {table}").collect()}
    assert kept == {f"{way}{n}@laketop.local" for way in ("sql", "rest") for n in range(EACH)}


def test_a_model_is_granted_in_sql_too(spark: SparkSession, schema: str) -> None:
    client = WorkspaceClient()
    catalog, name = schema.split(".")
    client.registered_models.create(catalog_name=catalog, schema_name=name, name="m")
    spark.sql(f"GRANT EXECUTE ON FUNCTION {schema}.m TO `bob@laketop.local`")
    (held,) = client.grants.get("function", f"{schema}.m").privilege_assignments or []
    assert (held.principal, held.privileges) == ("bob@laketop.local", [Privilege.EXECUTE])
    client.registered_models.delete(f"{schema}.m")
