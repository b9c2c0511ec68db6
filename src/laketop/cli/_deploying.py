"""What the commands that deploy share: the bundle, the workspace it goes to, and the questions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from laketop.cli import _project

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.bundle import Bundle
    from laketop.cli._console import Progress
    from laketop.workspace.deployment import Options, Site


def add_options(parser: argparse.ArgumentParser, *, of_action: bool = False) -> None:
    """Add the options of every command about a deployment, or of one of its actions."""
    _project.add_options(parser, of_action=of_action)
    _project.add_bundle_options(parser)
    parser.add_argument(
        "--remote",
        action="store_true",
        help="act on the target's own workspace, not on the local one; you are signed in there"
        " as databricks-sdk finds it: environment, profile, browser",
    )


def add_changing_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the commands that change a workspace."""
    add_lock_option(parser)
    parser.add_argument("--auto-approve", action="store_true", help="agree to all that is asked")
    parser.add_argument(
        "--purge",
        action="store_true",
        help="delete also what holds data: schemas with tables, volumes with files, models",
    )


def add_lock_option(parser: argparse.ArgumentParser) -> None:
    """Add the option of the commands that take the target's lock."""
    parser.add_argument(
        "--force-lock", action="store_true", help="take the lock of another deployment over"
    )


def add_select_option(parser: argparse.ArgumentParser) -> None:
    """Add the option of the commands that can be about a part of the bundle."""
    parser.add_argument(
        "--select",
        metavar="KEYS",
        type=lambda text: text.split(","),
        action="extend",
        default=[],
        help="these resources alone, by commas, and what they refer to; nothing is deleted",
    )


@contextmanager
def site(args: argparse.Namespace) -> Iterator[Opened]:
    """Yield the bundle and the workspace that `args` name; the local one is started.

    Errors: ConfigError for a bundle with errors; LaketopError for a workspace that cannot be
    reached.
    """
    from laketop.cli import _console

    with _console.Progress() as progress:
        yield _remote(args, progress) if args.remote else _local(args, progress)


class Opened:
    """A bundle, how to read it again, and where it goes."""

    def __init__(self, load: Callable[[], Bundle], place: Site, progress: Progress) -> None:
        self.load = load
        self.bundle = _checked(load())
        self.site = place
        self.progress = progress

    def options(self, args: argparse.Namespace) -> Options:
        """Return how to go about what could hurt, as `args` say."""
        from laketop.workspace.deployment import Options

        confirm: Any = None
        if args.auto_approve:
            confirm = _agreed
        elif sys.stdin.isatty() and sys.stderr.isatty():
            confirm = self._asked
        select = tuple(getattr(args, "select", ()))
        return Options(args.force_lock, args.purge, confirm, select)

    def _asked(self, sentences: Sequence[str]) -> bool:

        self.progress.pause()
        for sentence in sentences:
            print(sentence, file=sys.stderr)
        print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _agreed(_sentences: Sequence[str]) -> bool:
    return True


def _checked(bundle: Bundle) -> Bundle:
    from laketop.cli import validate
    from laketop.errors import ConfigError

    if validate.report(bundle, sys.stderr):
        raise ConfigError(f"the bundle {bundle.name!r} has errors", hint="they are told above")
    return bundle


def _local(args: argparse.Namespace, progress: Progress) -> Opened:
    from laketop.cli import validate
    from laketop.workspace import daemon
    from laketop.workspace.deployment import Site, local_finder

    settings = _project.settings(args)
    if daemon.find(settings) is None:
        declared = validate.load(args, find=lambda _kind, _name: None)
        if declared.errors:  # which are said before anything is started
            _checked(declared)
        progress.show("starting the workspace")
    contact = daemon.start(settings)
    place = Site.local(settings, contact, progress.note)
    find = local_finder(contact)
    return Opened(lambda: validate.load(args, find=find), place, progress)


def _remote(args: argparse.Namespace, progress: Progress) -> Opened:
    from laketop import bundle
    from laketop.cli import validate
    from laketop.errors import ConfigError
    from laketop.workspace import daemon
    from laketop.workspace.deployment import Site, finder

    if args.workspace:
        raise ConfigError(
            f"--workspace {args.workspace} names a workspace of this laptop, --remote another's",
            hint="give one of the two",
        )
    settings = _project.settings(args)
    daemon.prepare(settings)  # what was built is remembered there
    declared = validate.load(args, find=lambda _kind, _name: None)
    progress.show(f"signing in to {declared.workspace.declared_host or 'the workspace'}")
    client = _client(declared)
    user = _user(client)
    place = Site.remote(settings, client, progress.note)

    def load() -> Bundle:
        return bundle.load(
            settings.root,
            target=args.target,
            variables=validate.given(args.var),
            environment=settings.environment,
            user=user,
            source_linked=False,
            force=args.force,
            host=str(client.config.host),
            find=finder(place.api),
        )

    return Opened(load, place, progress)


def _client(declared: Bundle) -> WorkspaceClient:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config

    from laketop.errors import LaketopError

    host, profile = declared.workspace.declared_host, declared.workspace.profile
    try:
        return WorkspaceClient(config=Config(host=host or None, profile=profile or None))
    except ValueError as error:
        raise LaketopError(
            f"target {declared.target!r} cannot be reached: {error}",
            hint="name its workspace.host or workspace.profile, and sign in as for databricks-sdk",
        ) from error


def _user(client: WorkspaceClient) -> str:
    from databricks.sdk.errors.base import DatabricksError

    from laketop.errors import LaketopError

    try:
        return str(client.current_user.me().user_name)
    except (DatabricksError, ValueError, OSError) as error:
        raise LaketopError(
            f"the workspace at {client.config.host!r} does not say who you are: {error}",
            hint="check the host and how you are signed in",
        ) from error


def place_of(opened: Opened) -> str:
    """Return what a workspace is called in messages."""
    from laketop.settings import FIRST_WORKSPACE

    if not opened.site.is_local:
        return opened.site.url
    is_first = opened.site.workspace == FIRST_WORKSPACE
    return "the local workspace" + ("" if is_first else f" {opened.site.workspace!r}")
