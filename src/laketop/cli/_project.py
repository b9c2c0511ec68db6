"""The project that a command acts on: its folder, its settings, its workspace."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from laketop.errors import LaketopError

if TYPE_CHECKING:
    from laketop.settings import Settings


def add_options(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    """Add the options that every command about a project takes."""
    parser.add_argument(
        "--project",
        metavar="FOLDER",
        default=".",
        help="a folder of the project (default: here; the databricks.yml may be further up)",
    )
    if json:
        parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")


def add_bundle_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the settings of the bundle."""
    parser.add_argument("-t", "--target", metavar="TARGET", help="the target of the bundle")
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable of the bundle; may be repeated",
    )


def settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the project that `args` names.

    Errors: ConfigError where no databricks.yml is found.
    """
    from pathlib import Path

    from laketop.bundle import find_root
    from laketop.settings import Settings

    return Settings.read(find_root(Path(args.project)))


def pairs(texts: list[str], option: str) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a mapping.

    Errors: LaketopError for a text without `=`.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise LaketopError(
                f"{option} {text!r} is not of the form NAME=VALUE",
                hint=f"write {option} {name or 'name'}=value",
            )
        found[name] = value
    return found
