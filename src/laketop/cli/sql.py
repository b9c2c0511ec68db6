"""`laketop sql`: run SQL on the engine and print the rows."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from laketop.errors import LaketopError

_PLAN = re.compile(r";\n(?='?[A-Z]\w*( |$))", re.MULTILINE)
"""Where Spark's message goes over to the plan of the query, whose columns have numbers."""


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run SQL on the engine and print the rows"
    parser = commands.add_parser(
        "sql",
        help=text,
        description=text + '; for instance: laketop sql "show tables in dev.flights"',
    )
    parser.add_argument("statement", help="one SQL statement")
    parser.add_argument("--limit", type=int, default=1000, help="rows to print (default 1000)")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start what is needed, run the statement, print its rows."""
    from laketop.cli import _console
    from laketop.workspace import daemon

    with _console.Progress() as progress:
        contact = daemon.ready(_project.settings(args), progress.show)
    columns, rows = ask(contact.spark_remote, args.statement, args.limit + 1)
    if len(rows) > args.limit:
        rows = rows[: args.limit]
        _console.say(f"there are more rows than {args.limit}; --limit N prints N of them")
    if args.json:
        _console.emit([dict(zip(columns, map(_plain, row), strict=True)) for row in rows])
    elif columns:
        _console.table(columns, rows)
    return 0


def _plain(value: Any) -> Any:
    """Return a value of a row as JSON has it: structs as objects, binary in base64, NaN as text."""
    import base64
    import datetime as dt
    import math

    if hasattr(value, "asDict"):
        return {name: _plain(inner) for name, inner in value.asDict().items()}
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def ask(remote: str, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and the first `limit` rows of a statement.

    Errors: LaketopError with Spark's own sentence.
    """
    import logging

    from pyspark.errors import PySparkException

    from laketop.engine.connect import RemoteEngine

    # pyspark logs every error of a query as a page of JSON; the sentence is enough here.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    session = RemoteEngine(remote).session()
    try:
        frame = session.sql(statement)
        return frame.columns, [tuple(row) for row in frame.limit(limit).collect()]
    except PySparkException as error:
        raise failure_of(str(error)) from error
    finally:
        session.stop()


def failure_of(told: str) -> LaketopError:
    """Return an error with what Spark has told, without its plans and the frames of its JVM."""
    from laketop.cli._runs import without_jvm
    from laketop.errors import LaketopError
    from laketop.runner import full_disk

    sentence, *written = told.split("\n\nJVM stacktrace", maxsplit=1)[0].split("\n== SQL")
    sentence = _PLAN.split(sentence)[0]
    if full_disk.is_told(sentence, told):
        full = "a disk was full while the statement ran"
        return LaketopError(full, hint="make room on it and ask again")
    return LaketopError(without_jvm("\n== SQL".join([sentence, *written]).splitlines()))
