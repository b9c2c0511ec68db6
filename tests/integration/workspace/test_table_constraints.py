"""Primary and foreign keys, through the official client, in the files that the engine reads."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
)
from databricks.sdk.service.catalog import (
    ForeignKeyConstraint,
    NamedTableConstraint,
    PrimaryKeyConstraint,
    TableConstraint,
)
from tests.integration.workspace.test_tables import write_table

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace

PRIMARY = TableConstraint(
    primary_key_constraint=PrimaryKeyConstraint("pk", ["n"], timeseries_columns=["n"])
)


@pytest.fixture
def schema(client: WorkspaceClient, workspace: Workspace) -> str:
    name = f"s{secrets.token_hex(4)}"
    client.schemas.create(name, "main")
    for table in ("t", "u"):
        write_table(workspace.state / "catalog" / "main" / name / table)
    return f"main.{name}"


def foreign(schema: str, name: str = "fk", to: str = "n") -> TableConstraint:
    key = ForeignKeyConstraint(name, ["n"], f"{schema}.t", [to], rely=True)
    return TableConstraint(foreign_key_constraint=key)


def test_keys_are_made_shown_and_dropped(
    client: WorkspaceClient, workspace: Workspace, schema: str
) -> None:
    api = client.table_constraints
    made = api.create(f"{schema}.t", PRIMARY).primary_key_constraint
    assert made is not None
    assert (made.name, made.child_columns, made.timeseries_columns) == ("pk", ["n"], ["n"])
    link = api.create(f"{schema}.u", foreign(schema)).foreign_key_constraint
    assert link is not None
    assert (link.parent_table, link.parent_columns, link.rely) == (f"{schema}.t", ["n"], True)
    folder = workspace.state / "catalog" / schema.replace(".", "/") / "_constraints"
    assert json.loads((folder / "t.json").read_text()) == {
        "pk": "CONSTRAINT pk PRIMARY KEY (n TIMESERIES) NOT ENFORCED UNVALIDATED NORELY"
    }
    shown = client.tables.get(f"{schema}.u").table_constraints or []
    assert [one.foreign_key_constraint for one in shown] == [link]
    with pytest.raises(BadRequest, match="referred to by 'fk'"):
        api.delete(f"{schema}.t", "pk", cascade=False)
    api.delete(f"{schema}.t", "pk", cascade=True)
    assert not client.tables.get(f"{schema}.u").table_constraints
    with pytest.raises(NotFound, match="Constraint 'pk' does not exist"):
        api.delete(f"{schema}.t", "pk", cascade=False)


def test_what_cannot_be_a_key_is_refused(client: WorkspaceClient, schema: str) -> None:
    def primary(*columns: str, name: str = "k") -> TableConstraint:
        return TableConstraint(primary_key_constraint=PrimaryKeyConstraint(name, list(columns)))

    def refused(kind: type[Exception], said: str, constraint: TableConstraint) -> None:
        with pytest.raises(kind, match=said):
            client.table_constraints.create(f"{schema}.t", constraint)

    refused(NotFound, "Column 'nothing'", primary("nothing"))
    refused(BadRequest, "'day' of a primary key is not NOT NULL", primary("day"))
    refused(InvalidParameterValue, "each once", primary("n", "N"))
    refused(InvalidParameterValue, "no name of a constraint", primary("n", name="a b"))
    refused(BadRequest, "not the primary key", foreign(schema))
    refused(NotImplemented, "laketop keeps", TableConstraint())
    named = TableConstraint(named_table_constraint=NamedTableConstraint("c"))
    refused(NotImplemented, "laketop keeps", named)
    client.table_constraints.create(f"{schema}.t", PRIMARY)
    refused(BadRequest, "has the primary key 'pk' already", primary("n"))
    refused(BadRequest, "Constraint 'pk' already exists", primary("n", name="pk"))
    with pytest.raises(NotFound):
        client.table_constraints.create(f"{schema}.nothing", PRIMARY)


def test_keys_are_made_by_who_may_manage_the_table(ann: WorkspaceClient, schema: str) -> None:
    with pytest.raises(PermissionDenied):
        ann.table_constraints.create(f"{schema}.t", PRIMARY)
    with pytest.raises(PermissionDenied):
        ann.table_constraints.delete(f"{schema}.t", "pk", cascade=False)
