# ruff: noqa: S608  the names are the tests' own
"""Random grants against a small model of Unity Catalog's rules, action by action."""

from __future__ import annotations

import functools
import io
import uuid
from collections.abc import Callable, Iterator, Mapping

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import StatementState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from tests.engines import RUNTIME
from tests.integration.engine.bearers import bearing, principal

from laketop.workspace.daemon import Contact

EVE = "eve@laketop.local"
PRINCIPALS = (EVE, "outer", "account users", "mallory@laketop.local")
"""The second is a group that eve is in by way of another; the last one is somebody else."""
MEANT = {EVE, "outer", "account users"}

GRANTS = (
    *(("CATALOG", p) for p in ("USE CATALOG", "USE SCHEMA", "SELECT", "ALL PRIVILEGES", "MANAGE")),
    *(("SCHEMA", p) for p in ("USE SCHEMA", "SELECT", "MODIFY", "EXECUTE", "READ VOLUME")),
    *(("TABLE", p) for p in ("SELECT", "MODIFY", "MANAGE", "ALL PRIVILEGES")),
    *(("VIEW", p) for p in ("SELECT",)),
    *(("FUNCTION", p) for p in ("EXECUTE",)),
    *(("VOLUME", p) for p in ("READ VOLUME", "WRITE VOLUME")),
)
ACTIONS = {
    "EXPLAIN SELECT * FROM {}.t": ("TABLE", ("SELECT",)),
    "EXPLAIN INSERT INTO {}.t VALUES (2)": ("TABLE", ("MODIFY", "SELECT")),
    "EXPLAIN DELETE FROM {}.t": ("TABLE", ("MODIFY", "SELECT")),
    "EXPLAIN INSERT INTO {}.t REPLACE USING (a) SELECT 2 AS a": ("TABLE", ("MODIFY", "SELECT")),
    "SELECT version FROM (DESCRIBE HISTORY {}.t)": ("TABLE", ("SELECT",)),
    "SELECT numFiles FROM (DESCRIBE DETAIL {}.t)": ("TABLE", ("SELECT",)),
    "ALTER TABLE {}.t SET TBLPROPERTIES ('x' = 'y')": ("TABLE", ("MODIFY", "SELECT")),
    "GRANT SELECT ON TABLE {}.t TO `nobody@laketop.local`": ("TABLE", ("MANAGE",)),
    "SELECT * FROM {}.v": ("VIEW", ("SELECT",)),
    "SELECT {}.f(1)": ("FUNCTION", ("EXECUTE",)),
    "SELECT * FROM read_files('/Volumes/{path}/files/in', format => 'json')": (
        "VOLUME",
        ("READ VOLUME",),
    ),
    "INSERT OVERWRITE DIRECTORY '/Volumes/{path}/files/out' USING json SELECT 1 AS a": (
        "VOLUME",
        ("WRITE VOLUME",),
    ),
    "SELECT * FROM json.`/Volumes/{path}/files/in`": ("VOLUME", ("READ VOLUME",)),
}
"""Each action, the type of the object it is on, and the privileges that it needs there."""

if RUNTIME == "17.3-LTS":  # which refuses it, whoever asks
    del ACTIONS["EXPLAIN INSERT INTO {}.t REPLACE USING (a) SELECT 2 AS a"]

FILES: Mapping[str, tuple[Callable[[WorkspaceClient, str], object], str]] = {
    "list": (lambda ws, volume: list(ws.files.list_directory_contents(volume)), "READ VOLUME"),
    "upload": (
        lambda ws, volume: ws.files.upload(f"{volume}/up.txt", io.BytesIO(b"x"), overwrite=True),
        "WRITE VOLUME",
    ),
}
"""What is done to a volume by the files' API, and the privilege that it needs."""

Given = frozenset[tuple[str, str, str]]
Way = Callable[[str], object]


def holds(granted: Given, type_: str, privilege: str) -> bool:
    """Say whether one object grants it to eve: by name, as ALL, through a group."""
    accepted = {privilege} if privilege == "MANAGE" else {privilege, "ALL PRIVILEGES"}
    return any(g[0] == type_ and g[1] in accepted and g[2] in MEANT for g in granted)


def missing(granted: Given, type_: str, privileges: tuple[str, ...]) -> str | None:
    """Return the first privilege that the rules miss, from the catalog down, or None."""
    if not holds(granted, "CATALOG", "USE CATALOG"):
        return "USE CATALOG"
    if not any(holds(granted, level, "USE SCHEMA") for level in ("SCHEMA", "CATALOG")):
        return "USE SCHEMA"
    for privilege in privileges:
        if not any(holds(granted, level, privilege) for level in (type_, "SCHEMA", "CATALOG")):
            return privilege
    return None


@pytest.fixture(scope="module")
def token(workspace: Contact) -> Iterator[str]:
    with principal(workspace, EVE, "within", "outer") as token:
        yield token


@pytest.fixture(scope="module")
def eve(workspace: Contact, token: str) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=token)


@pytest.fixture(scope="module")
def ways(eve: WorkspaceClient, token: str, laketop_engine: str) -> Iterator[dict[str, Way]]:
    """Give eve's ways to the engine: each runs a statement, or raises what it ends in."""

    warehouse = next(iter(eve.warehouses.list())).id or ""

    def statement(text: str) -> None:
        done = eve.statement_execution.execute_statement(text, warehouse, wait_timeout="50s")
        assert done.status is not None
        if done.status.state is not StatementState.SUCCEEDED:
            raise ValueError(str(done.status.error and done.status.error.message))

    with bearing(token, laketop_engine) as session:
        yield {"Connect": lambda text: session.sql(text).collect(), "REST": statement}


@pytest.fixture(scope="module")
def box(spark: SparkSession) -> Iterator[str]:
    catalog = f"matrix_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE CATALOG {catalog}",
        f"CREATE SCHEMA {catalog}.s",
        f"CREATE TABLE {catalog}.s.t AS SELECT 1 AS a",
        f"CREATE VIEW {catalog}.s.v AS SELECT a FROM {catalog}.s.t",
        f"CREATE FUNCTION {catalog}.s.f(x INT) RETURNS INT RETURN x + 1",
        f"CREATE VOLUME {catalog}.s.files",
    ):
        spark.sql(statement)
    spark.range(1).write.json(f"/Volumes/{catalog}/s/files/in")
    yield f"{catalog}.s"
    spark.sql(f"DROP CATALOG {catalog} CASCADE")


def object_(box: str, type_: str) -> str:
    names = {"TABLE": "t", "VIEW": "v", "FUNCTION": "f", "VOLUME": "files"}
    if type_ == "CATALOG":
        return box.split(".", maxsplit=1)[0]
    return box if type_ == "SCHEMA" else f"{box}.{names[type_]}"


def put(spark: SparkSession, box: str, granted: Given, verb: str) -> None:
    word = "TO" if verb == "GRANT" else "FROM"
    for type_, privilege, who in sorted(granted):
        spark.sql(f"{verb} {privilege} ON {type_} {object_(box, type_)} {word} `{who}`")


GIVEN = st.frozensets(
    st.tuples(st.sampled_from(GRANTS), st.sampled_from(PRINCIPALS)).map(
        lambda pair: (*pair[0], pair[1])
    ),
    min_size=1,
    max_size=9,
)


@settings(
    max_examples=settings().max_examples // 20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(granted=GIVEN, paved=st.booleans(), way=st.sampled_from(("Connect", "REST")))
def test_each_action_is_allowed_or_told_what_it_lacks(
    spark: SparkSession,
    ways: dict[str, Way],
    eve: WorkspaceClient,
    box: str,
    *,
    granted: Given,
    paved: bool,
    way: str,
) -> None:
    paving = {("CATALOG", "USE CATALOG", EVE), ("SCHEMA", "USE SCHEMA", EVE)} if paved else set()
    granted = granted | paving
    path = box.replace(".", "/")
    put(spark, box, granted, "GRANT")
    try:
        for action, (type_, privileges) in ACTIONS.items():
            told = error_of(ways[way], action.format(box, path=path))
            judge(action, granted, missing(granted, type_, privileges), told)
        for action, (act, privilege) in FILES.items():
            told = error_of(functools.partial(act, eve), f"/Volumes/{path}/files")
            judge(action, granted, missing(granted, "VOLUME", (privilege,)), told)
    finally:
        put(spark, box, granted, "REVOKE")


def error_of(act: Way, what: str) -> str | None:
    """Return the text of the error that an act ends in, None where it ends in none."""
    try:
        act(what)
    except Exception as error:  # noqa: BLE001 - its text is what is looked at
        return str(error)
    return None


def judge(action: str, granted: Given, lacks: str | None, told: str | None) -> None:
    """Compare what was told with what the rules say is lacking."""
    if lacks is None:
        assert told is None, (action, granted, told)
    else:
        assert told is not None, (action, granted, lacks)
        assert f"does not have {lacks} on" in told, (action, granted, lacks, told)
