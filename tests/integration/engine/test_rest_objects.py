# ruff: noqa: S608  the names are the tests' own
"""Functions, tables and volumes that are made over REST, used in SQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import (
    ColumnTypeName,
    CreateFunction,
    CreateFunctionParameterStyle,
    CreateFunctionRoutineBody,
    CreateFunctionSecurityType,
    CreateFunctionSqlDataAccess,
    DataSourceFormat,
    FunctionParameterInfo,
    FunctionParameterInfos,
    TableType,
    VolumeType,
)
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession

COLUMNS = FunctionParameterInfos([FunctionParameterInfo("i", "int", ColumnTypeName.INT, 0)])
INPUT = FunctionParameterInfos(
    [
        FunctionParameterInfo("n", "int", ColumnTypeName.INT, 0, comment="it's\none"),
        FunctionParameterInfo("by", "int", ColumnTypeName.INT, 1, parameter_default="(1 + 1)"),
    ]
)


def function(schema: str, name: str, body: str, language: str | None = None) -> CreateFunction:
    catalog, _, inner = schema.partition(".")
    is_table = body.startswith("SELECT")
    return CreateFunction(
        name=name,
        catalog_name=catalog,
        schema_name=inner,
        input_params=INPUT,
        data_type=ColumnTypeName.TABLE_TYPE if is_table else ColumnTypeName.INT,
        full_data_type="TABLE" if is_table else "int",
        return_params=COLUMNS if is_table else None,
        routine_body=CreateFunctionRoutineBody("EXTERNAL" if language else "SQL"),
        external_language=language,
        routine_definition=body,
        parameter_style=CreateFunctionParameterStyle.S,
        is_deterministic=True,
        sql_data_access=CreateFunctionSqlDataAccess("NO_SQL" if language else "CONTAINS_SQL"),
        is_null_call=False,
        security_type=CreateFunctionSecurityType.DEFINER,
        specific_name=name,
        comment="made over REST",
    )


def test_functions_are_called(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    make = laketop_client.functions.create
    make(function(schema, "times", "n * by"))
    make(function(schema, "upto", "SELECT id AS i FROM range(10) WHERE id < n * by"))
    make(function(schema, "snake", "return n * by", "PYTHON"))
    asked = f"{schema}.times(3), {schema}.times(3, 5), {schema}.snake(2)"
    assert [tuple(row) for row in spark.sql(f"SELECT {asked}").collect()] == [(6, 15, 4)]
    assert spark.sql(f"SELECT count(*) AS n FROM {schema}.upto(2)").first() == (4,)
    told = [row[0] for row in spark.sql(f"DESCRIBE FUNCTION EXTENDED {schema}.times").collect()]
    assert "Input:         n INT" in told
    assert "               by INT DEFAULT (1 + 1)" in told
    assert "Comment:       made over REST" in told


def test_a_name_of_a_prompt_or_a_registered_model_is_refused(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    """Rights on one of them are asked as on a function."""
    catalog, _, inner = schema.partition(".")
    prompts = "/api/2.0/mlflow/unity-catalog/prompts"
    laketop_client.api_client.do("POST", prompts, body={"name": f"{schema}.p"})
    laketop_client.registered_models.create(catalog_name=catalog, schema_name=inner, name="m")
    for name, kind in (("p", "prompt"), ("m", "registered model")):
        for create in ("CREATE", "CREATE OR REPLACE"):
            with pytest.raises(AnalysisException, match=f"that of a {kind}: functions"):
                spark.sql(f"{create} FUNCTION {schema}.{name}() RETURNS INT RETURN 1")
    laketop_client.registered_models.delete(f"{schema}.m")
    spark.sql(f"CREATE FUNCTION {schema}.m() RETURNS INT RETURN 1")
    assert spark.sql(f"SELECT {schema}.m() AS n").first() == (1,)


def test_a_body_that_is_no_sql_is_told_by_its_call_alone(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    laketop_client.functions.create(function(schema, "wrong", "n ** ("))
    laketop_client.functions.create(function(schema, "right", "n"))
    with pytest.raises(PySparkException, match="PARSE_SYNTAX_ERROR"):
        spark.sql(f"SELECT {schema}.wrong(1)").collect()
    listed = spark.sql(
        "SELECT routine_name FROM main.information_schema.routines"
        f" WHERE routine_schema = '{schema.removeprefix('main.')}'"
    )
    assert [row[0] for row in listed.collect()] == ["right"]


def test_what_sql_says_of_a_function_is_told_over_rest(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    spark.sql(
        f"CREATE FUNCTION {schema}.told(`a b` DECIMAL(5, 2) DEFAULT 1.5 COMMENT 'it\\'s')"
        " RETURNS TABLE (i INT COMMENT 'x', s STRUCT<a: INT>) COMMENT 'RETURN' RETURN"
        " SELECT 1, named_struct('a', 1)"
    )
    told = laketop_client.functions.get(f"{schema}.told")
    (one,) = (told.input_params or INPUT).parameters or []
    assert (one.name, one.type_text, one.parameter_default, one.comment) == (
        *("a b", "decimal(5,2)", "1.5", "it's"),
    )
    columns = (told.return_params or INPUT).parameters or []
    assert [(one.name, one.type_text, one.comment) for one in columns] == [
        ("i", "int", "x"),
        ("s", "struct<a:int>", None),
    ]
    assert (told.comment, told.routine_definition) == (
        *("RETURN", "SELECT 1, named_struct('a', 1)"),
    )


def test_sql_tells_the_metastore_by_the_id_that_rest_tells(
    laketop_client: WorkspaceClient, spark: SparkSession
) -> None:
    (told,) = spark.sql("SELECT current_metastore()").collect()
    assert told[0] == laketop_client.metastores.summary().global_metastore_id


def test_an_external_table_is_read_and_written_by_its_name(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str, tmp_path: Path
) -> None:
    place = (tmp_path / "t").as_uri()
    spark.sql(f"CREATE TABLE delta.`{place}` (a INT)")
    catalog, _, inner = schema.partition(".")
    kind, format_ = TableType.EXTERNAL, DataSourceFormat.DELTA
    laketop_client.tables.create("outside", catalog, inner, kind, format_, place)
    spark.sql(f"INSERT INTO {schema}.outside VALUES (1)")
    assert spark.sql(f"SELECT a FROM delta.`{place}`").first() == (1,)
    spark.sql(f"CREATE TABLE {schema}.same LOCATION '{place}'")
    for name in ("outside", "same"):
        info = laketop_client.tables.get(f"{schema}.{name}")
        assert (info.table_type, [one.name for one in info.columns or []]) == (kind, ["a"])
        assert not info.properties or set(info.properties) <= {"delta.minReaderVersion"}
    spark.sql(f"DROP TABLE {schema}.outside")
    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.table(f"{schema}.outside").collect()
    assert spark.table(f"{schema}.same").count() == 1


def test_an_external_volume_holds_what_spark_writes_to_it(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str, tmp_path: Path
) -> None:
    catalog, _, inner = schema.partition(".")
    kind, place = VolumeType.EXTERNAL, tmp_path / "files"
    laketop_client.volumes.create(catalog, inner, "v", kind, storage_location=str(place))
    folder = f"/Volumes/{catalog}/{inner}/v/out"
    spark.range(3).write.json(folder)
    assert spark.read.json(str(place / "out")).count() == 3
    spark.sql(f"DROP VOLUME {schema}.v")
    assert (place / "out" / "_SUCCESS").exists()
    spark.sql(f"CREATE EXTERNAL VOLUME {schema}.w LOCATION '{place.as_uri()}'")
    assert laketop_client.volumes.read(f"{schema}.w").volume_type is kind
    assert spark.read.json(folder.replace("/v/", "/w/")).count() == 3


def test_an_external_volume_is_overwritten_where_it_lies(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    place, root = tmp_path / "a b", f"/Volumes/{schema.replace('.', '/')}/v"
    spark.sql(f"CREATE EXTERNAL VOLUME {schema}.v LOCATION 'file:{place}'")
    for number in (3, 2):
        spark.range(number).write.mode("overwrite").parquet(root)
    assert spark.read.parquet(str(place)).count() == 2
    spark.sql(f"DROP VOLUME {schema}.v")
    spark.sql(f"CREATE EXTERNAL VOLUME {schema}.w LOCATION '{place}'")
    assert spark.read.parquet(f"{root[:-1]}w").count() == 2


@pytest.mark.parametrize(
    ("location", "why"),
    [
        *(("", "not an absolute path"), ("file:a", "not an absolute path")),
        *(("file://host/a", "not an absolute path"), ("/dev/null", "can be no folder")),
        *(("/proc/none", "can be no folder"), ("/Volumes", "another volume")),
        ("dbfs:/Volumes/main", "another volume"),
    ],
)
def test_a_location_that_cannot_be_is_refused_in_a_sentence(
    spark: SparkSession, schema: str, location: str, why: str
) -> None:
    with pytest.raises(AnalysisException, match=f"INVALID_PARAMETER_VALUE.*{why}"):
        spark.sql(f"CREATE EXTERNAL VOLUME {schema}.refused LOCATION '{location}'")


def test_a_percent_sign_stands_for_itself_over_rest_and_in_sql(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str, tmp_path: Path
) -> None:
    catalog, _, inner = schema.partition(".")
    kind, place = VolumeType.EXTERNAL, f"file:{tmp_path}/a%20b"
    laketop_client.volumes.create(catalog, inner, "v", kind, storage_location=place)
    assert (tmp_path / "a%20b").is_dir()
    laketop_client.volumes.delete(f"{schema}.v")
    spark.sql(f"CREATE EXTERNAL VOLUME {schema}.w LOCATION '{place}'")
    assert [one.name for one in tmp_path.iterdir()] == ["a%20b"]


def test_a_type_that_the_engine_cannot_read_hides_no_other_function(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    odd = function(schema, "odd", "1")
    text = "string collate nowhere"
    odd.input_params = FunctionParameterInfos(
        [FunctionParameterInfo("s", text, ColumnTypeName.STRING, 0)]
    )
    laketop_client.functions.create(odd)
    laketop_client.functions.create(function(schema, "right", "n"))
    listed = spark.sql(
        "SELECT DISTINCT specific_name FROM main.information_schema.parameters"
        f" WHERE specific_schema = '{schema.removeprefix('main.')}'"
    )
    assert [row[0] for row in listed.collect()] == ["right"]


def test_a_managed_volume_of_sql_takes_no_link_that_was_left_behind(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    told = {row[0]: row[1] for row in spark.sql(f"DESCRIBE SCHEMA {schema}").collect()}
    files = Path(told["Location"].removeprefix("file:")) / "_files"
    files.mkdir(exist_ok=True)
    (files / "v").symlink_to(tmp_path)
    spark.sql(f"CREATE VOLUME {schema}.v")
    spark.range(1).write.json(f"/Volumes/{schema.replace('.', '/')}/v/out")
    assert not (tmp_path / "out").exists()


def test_a_schema_with_prompts_is_dropped_by_cascade_alone(
    spark: SparkSession, laketop_client: WorkspaceClient, schema: str
) -> None:
    prompts = "/api/2.0/mlflow/unity-catalog/prompts"
    laketop_client.api_client.do("POST", prompts, body={"name": f"{schema}.greeting"})
    assert spark.sql(f"SHOW TABLES IN {schema}").collect() == []
    with pytest.raises(PySparkException, match="SCHEMA_NOT_EMPTY"):
        spark.sql(f"DROP SCHEMA {schema}")
    with pytest.raises(PySparkException, match="_prompts"):
        spark.sql(f"CREATE TABLE {schema}._prompts (i INT)")
    spark.sql(f"DROP SCHEMA {schema} CASCADE")
    spark.sql(f"CREATE SCHEMA {schema}")
    with pytest.raises(NotFound):
        laketop_client.api_client.do("GET", f"{prompts}/{schema}.greeting")
