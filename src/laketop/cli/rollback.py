"""`laketop rollback`: make the previous version of a model the champion again."""

from __future__ import annotations

import argparse
from typing import Any

from laketop.cli import _project


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "make the previous version of a model the champion again"
    parser = commands.add_parser("rollback", help=text, description=text + ".")
    parser.add_argument("model", metavar="MODEL", help="catalog.schema.model")
    parser.add_argument("--reason", default="", help="what is written down with it")
    _project.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Move the aliases, and write the decision to `promotions`."""
    import os

    from laketop.cli import _console
    from laketop.errors import LaketopError
    from laketop.workspace import daemon

    if args.model.count(".") != 2:
        raise LaketopError(
            f"{args.model!r} is no model of Unity Catalog", hint="name it as catalog.schema.model"
        )
    settings = _project.settings(args)
    with _console.Progress() as progress:
        contact = daemon.ready(settings, progress.show)
    os.environ.update(contact.environment())  # by which MLflow's client finds the workspace
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    from laketop.engine.connect import RemoteEngine
    from laketop.ml import roll_back

    client = MlflowClient("databricks", "databricks-uc")
    session = RemoteEngine(contact.spark_remote).session()
    schema = args.model.rpartition(".")[0]
    try:
        client.get_registered_model(args.model)
        told = roll_back(
            session, client, schema, model=args.model, by=settings.user, reason=args.reason
        )
    except MlflowException as error:
        raise LaketopError(error.message) from error
    finally:
        session.stop()
    if args.json:
        _console.emit({"model": args.model, "champion": told.version, "was": told.previous})
    else:
        _console.say(
            f"champion of {args.model} is version {told.version} again, it was {told.previous}"
        )
    return 0
