"""The engine and the workspace keep grants and tags in one file: neither undoes the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import EntityTagAssignment, PermissionsChange, Privilege
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


def test_tags_of_sql_and_of_rest_at_the_same_time_are_all_kept(
    spark: SparkSession, schema: str
) -> None:
    client = WorkspaceClient()

    def by_sql() -> None:
        for number in range(EACH):
            spark.sql(f"ALTER SCHEMA {schema} SET TAGS ('sql{number}' = 'x')")

    def by_rest() -> None:
        for number in range(EACH):
            tag = EntityTagAssignment(schema, f"rest{number}", "schemas", tag_value="x")
            client.entity_tag_assignments.create(tag)

    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(by_sql), pool.submit(by_rest)]:
            each.result()
    kept = {one.tag_key for one in client.entity_tag_assignments.list("schemas", schema)}
    assert kept == {f"{way}{n}" for way in ("sql", "rest") for n in range(EACH)}


def test_a_model_is_granted_in_sql_too(spark: SparkSession, schema: str) -> None:
    client = WorkspaceClient()
    catalog, name = schema.split(".")
    client.registered_models.create(catalog_name=catalog, schema_name=name, name="m")
    spark.sql(f"GRANT EXECUTE ON FUNCTION {schema}.m TO `bob@laketop.local`")
    (held,) = client.grants.get("function", f"{schema}.m").privilege_assignments or []
    assert (held.principal, held.privileges) == ("bob@laketop.local", [Privilege.EXECUTE])
    client.registered_models.delete(f"{schema}.m")
