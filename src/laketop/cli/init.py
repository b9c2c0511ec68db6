"""`laketop init`: write a small bundle to start from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_BUNDLE = """\
bundle:
  name: {name}

include:
  - resources/*.yml

targets:
  # Yours alone: names get a prefix, schedules are paused.
  dev:
    mode: development
    default: true

  prod:
    mode: production
    workspace:
      root_path: /Workspace/Users/${{workspace.current_user.userName}}/.bundle/{name}/prod
"""
_JOB = """\
resources:
  jobs:
    {name}:
      name: {name}
      parameters:
        - name: rows
          default: "10"
      tasks:
        - task_key: hello
          notebook_task:
            notebook_path: ../src/hello.py
"""
_NOTEBOOK = """\
# Databricks notebook source
dbutils.widgets.text("rows", "10")
rows = int(dbutils.widgets.get("rows"))

# COMMAND ----------

squares = spark.range(rows).selectExpr("id", "id * id AS square")
display(squares)

# COMMAND ----------

dbutils.notebook.exit(str(squares.count()))
"""
_IGNORED = ".databricks/\n.laketop/\n__pycache__/\n"


def register(commands: Any) -> None:
    """Add the command to the parser."""
    text = "write a small bundle to start from"
    parser = commands.add_parser("init", help=text, description=text + ", in a folder of its own.")
    parser.add_argument("folder", metavar="FOLDER", help="the folder; its name is the bundle's")
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files; nothing that is there is written over."""
    from laketop.cli import _console

    files = write(Path(args.folder))
    if args.json:
        _console.emit({"files": [str(file) for file in files]})
        return 0
    for file in files:
        _console.tell(str(file))
    folder, name = Path(args.folder), name_of(Path(args.folder))
    _console.say(f"next: `cd {folder}`, then `laketop run {name}`")
    return 0


def name_of(folder: Path) -> str:
    """Return the name of a bundle in `folder`. Errors: ConfigError for one that cannot be."""
    import re

    from laketop.errors import ConfigError

    name = folder.absolute().name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,99}", name):
        raise ConfigError(
            f"{name!r} cannot be the name of a bundle",
            hint="begin with a letter, go on with letters, digits, _ and -",
        )
    return name


def write(folder: Path) -> list[Path]:
    """Write the bundle into `folder`, and return its files.

    Errors: ConfigError where one of them is there already, or the folder's name is no bundle's.
    """
    from laketop.errors import ConfigError

    name = name_of(folder)
    texts = {
        folder / "databricks.yml": _BUNDLE.format(name=name),
        folder / "resources" / f"{name}.job.yml": _JOB.format(name=name),
        folder / "src" / "hello.py": _NOTEBOOK,
        folder / ".gitignore": _IGNORED,
    }
    for file in texts:
        if file.exists():
            raise ConfigError(f"{str(file)!r} is there already", hint="name an empty folder")
    try:
        for file, text in texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{str(folder)!r} cannot be written: {error.strerror}") from error
    return list(texts)
