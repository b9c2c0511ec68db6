"""Principals that are no admins, sessions for whoever bears a token, and what those are told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.iam import ComplexValue
from pyspark.sql import SparkSession

from laketop.workspace.daemon import Contact

BOB = "bob@laketop.local"


@contextlib.contextmanager
def bearing(token: str, engine: str) -> Iterator[SparkSession]:
    """Hand out a session of its own, at the address of `engine`, with another token."""
    address = engine.partition(";token=")[0]
    session = SparkSession.builder.remote(f"{address};token={token}").create()
    try:
        yield session
    finally:
        session.stop()


@contextlib.contextmanager
def principal(workspace: Contact, name: str, *groups: str) -> Iterator[str]:
    """Make a principal that is in the first of the groups, which is in the next; hand out a token.

    The workspace has to know them: it writes down anew whom the engine lets in.
    """
    client = WorkspaceClient(host=workspace.url, token=workspace.token)
    made = client.service_principals_v2.create(application_id=name)
    member, around = made.id, []
    for group in groups:
        members = [ComplexValue(value=member)]
        member = client.groups_v2.create(display_name=group, members=members).id
        around.append(member or "")
    yield client.token_management.create_obo_token(name).token_value or ""
    for group in reversed(around):
        client.groups_v2.delete(group)
    client.service_principals_v2.delete(made.id or "")


def rows(session: SparkSession, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows that a statement answers."""
    return [tuple(row) for row in session.sql(statement).collect()]


def denial(session: SparkSession, statement: str) -> str:
    """Return the text of the error that a statement must end in."""
    with pytest.raises(Exception, match=r"\[[A-Z_.]+\]") as caught:
        session.sql(statement).collect()
    return str(caught.value)


def grant(spark: SparkSession, box: str, *grants: str, to: str = BOB) -> None:
    """Grant the way to what is in the schema `box`, and each of the privileges."""
    catalog = box.split(".", maxsplit=1)[0]
    spark.sql(f"GRANT USE CATALOG ON CATALOG {catalog} TO `{to}`")
    spark.sql(f"GRANT USE SCHEMA ON SCHEMA {box} TO `{to}`")
    for each in grants:
        spark.sql(f"GRANT {each} TO `{to}`")
