"""MLflow's database: one SQLite file, in which what was acknowledged is there to stay.

Imports MLflow: load late.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import mlflow.store.db.utils as mlflow_db
import sqlalchemy as sa

from laketop import durable

_opening = threading.Lock()
_engines: dict[str, sa.Engine] = {}


def address(database: Path) -> str:
    """Return the URI by which MLflow's stores open the file `database`."""
    return f"sqlite:///{database}"


def make(database: Path) -> None:
    """Make the file with all of MLflow's tables, unless it is there.

    It comes whole or not at all: a process killed meanwhile leaves a draft, which the next one
    throws away.
    """
    if database.exists():
        return
    draft = database.with_name(f"{database.name}.draft")
    for leftover in database.parent.glob(f"{draft.name}*"):
        leftover.unlink()
    engine = _engine(draft, "PRAGMA synchronous=OFF")
    _call(mlflow_db._initialize_tables, engine)  # noqa: SLF001 - what MLflow's own stores call
    engine.dispose()
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    durable.move(draft, database)


class Durable:
    """Gives a store of MLflow's an engine that flushes each commit to a write-ahead log."""

    @classmethod
    def _get_or_create_engine(cls, db_uri: str) -> sa.Engine:
        with _opening:
            if db_uri not in _engines:
                _engines[db_uri] = _engine(
                    Path(db_uri.removeprefix("sqlite:///")),
                    "PRAGMA journal_mode=WAL",
                    "PRAGMA synchronous=FULL",
                )
            return _engines[db_uri]


def close(database: Path) -> None:
    """Close the connections to `database`."""
    with _opening:
        engine = _engines.pop(address(database), None)
    if engine is not None:
        engine.dispose()


def _engine(file: Path, *pragmas: str) -> sa.Engine:
    engine: sa.Engine = _call(mlflow_db.create_sqlalchemy_engine, address(file))

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(pragma)

    return engine


def _call(function: Any, *arguments: Any) -> Any:
    return function(*arguments)
