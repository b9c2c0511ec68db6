"""The project that a command acts on: its folder, its settings, its workspace."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from laketop.settings import Settings


_LAST_PORT = 65535


def add_options(
    parser: argparse.ArgumentParser,
    *,
    json: bool = True,
    of_action: bool = False,
    in_workspace: bool = True,
) -> None:
    """Add the options that every command about a project takes, or about one of its workspaces.

    The parser `of_action` leaves alone what was given before the action.
    """
    unset: dict[str, Any] = {"default": argparse.SUPPRESS} if of_action else {}
    parser.add_argument(
        "--project",
        metavar="FOLDER",
        help="a folder of the project (default: DATABRICKS_BUNDLE_ROOT, else here; the"
        " databricks.yml may be further up)",
        **unset,
    )
    if in_workspace:
        parser.add_argument(
            "--workspace",
            metavar="NAME",
            help="a workspace of the project (default: LAKETOP_WORKSPACE, else the one in use;"
            " see `laketop workspace`)",
            **unset,
        )
    if json:
        text = "answer in JSON, for programs"
        parser.add_argument("--json", action="store_true", help=text, **unset)


def add_bundle_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the settings of the bundle."""
    parser.add_argument("-t", "--target", metavar="TARGET", help="the target of the bundle")
    _add_pairs(parser, "--var", "the value of a variable of the bundle; may be repeated")
    parser.add_argument(
        "--force", action="store_true", help="also from another Git branch than the target's"
    )


def add_params(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--params`, the job parameters of a run; `text` is its help."""
    _add_pairs(parser, "--params", text)


def _add_pairs(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    parser.add_argument(
        name, metavar="NAME=VALUE", type=pair, action="append", default=[], help=text
    )


def root(args: argparse.Namespace) -> Path:
    """Return the bundle's folder: by `--project`, DATABRICKS_BUNDLE_ROOT, or upward from here.

    Errors: ConfigError where no databricks.yml is found.
    """
    from pathlib import Path

    from laketop.bundle import find_root, named_root
    from laketop.settings import bundle_root

    named = bundle_root() if args.project is None else None
    return find_root(Path(args.project or ".")) if named is None else named_root(named)


def settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the project that `args` names.

    Errors: ConfigError where no databricks.yml is found.
    """
    import dataclasses

    from laketop.settings import Settings

    found = Settings.read(root(args))
    asked = getattr(args, "workspace", None)  # not every command is about one of them
    return dataclasses.replace(found, workspace=asked) if asked else found


def pair(text: str) -> tuple[str, str]:
    """Return the two sides of `NAME=VALUE`; for the parser, which reports what is none."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def port(text: str) -> int:
    """Return a port number, 0 for a free one; for the parser, which reports what is none."""
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {_LAST_PORT}")
    return int(text)
