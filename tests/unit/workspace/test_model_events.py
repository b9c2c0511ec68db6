"""What model triggers see in the registry's file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from laketop.workspace import model_events

# The columns that are read, as MLflow's own tables and those beside them have them.
TABLES = """
CREATE TABLE registered_models (name TEXT PRIMARY KEY, creation_time INTEGER);
CREATE TABLE model_versions (name TEXT, version INTEGER, status TEXT, creation_time INTEGER);
CREATE TABLE registered_model_aliases (name TEXT, alias TEXT, version INTEGER);
CREATE TABLE laketop_registered_models (name TEXT PRIMARY KEY, owner TEXT);
INSERT INTO registered_models VALUES ('c.s.b', 1), ('c.s.a', 2), ('c.s2.a', 3);
INSERT INTO model_versions VALUES
  ('c.s.a', 1, 'READY', 4), ('c.s.a', 2, 'PENDING_REGISTRATION', 5), ('c.s2.a', 1, 'READY', 6);
INSERT INTO registered_model_aliases VALUES ('c.s.a', 'champion', 1), ('c.s.a', 'other', 1);
INSERT INTO laketop_registered_models VALUES ('c.s.a', 'ann'), ('c.s.gone', 'bea');
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as registry:
        registry.executescript(TABLES)
    return file


def told(*asked: Any) -> list[Any]:
    return [json.loads(update) for update in model_events.seen(*asked)]


def test_models_of_the_scope_are_seen_in_the_order_in_which_they_came(database: Path) -> None:
    of_schema = told(database, "c.s", "MODEL_CREATED")
    assert of_schema == [
        {"full_name": "c.s.b"},
        {"full_name": "c.s.a"},
    ]
    assert told(database, "c.s2.a", "MODEL_CREATED") == [{"full_name": "c.s2.a"}]
    assert len(told(database, "", "MODEL_CREATED")) == 3


def test_a_version_is_seen_once_it_is_ready(database: Path) -> None:
    ready = told(database, "c.s", "MODEL_VERSION_READY")
    assert ready == [{"full_name": "c.s.a", "version": 1}]


def test_only_the_aliases_that_were_asked_for_are_seen(database: Path) -> None:
    champion = {"full_name": "c.s.a", "version": 1, "alias_name": "champion"}
    assert told(database, "", "MODEL_ALIAS_SET", ["champion", "never"]) == [champion]


def test_a_model_has_its_owner_and_one_that_is_gone_has_none(database: Path) -> None:
    assert model_events.owner(database, "c.s.a") == "ann"
    assert model_events.owner(database, "c.s.gone") is None


def test_where_nobody_has_made_a_model_there_is_none(tmp_path: Path) -> None:
    assert told(tmp_path / "mlflow.db", "", "MODEL_CREATED") == []
    assert model_events.owner(tmp_path / "mlflow.db", "c.s.a") is None
