"""Which workspaces a project has, and which of them commands act on; read from the disk alone."""

from __future__ import annotations

from pathlib import Path

from laketop import durable
from laketop.errors import NotFound
from laketop.settings import FIRST_WORKSPACE, Settings, workspace_folder

_TOKEN = "token"  # noqa: S105 - the name of a file


def names(settings: Settings) -> list[str]:
    """Return the names of the project's workspaces, the first one first, the others sorted."""
    found = workspace_folder(settings.state, "any").parent.glob(f"*/{_TOKEN}")
    return [FIRST_WORKSPACE, *sorted(file.parent.name for file in found)]


def chosen(settings: Settings) -> str:
    """Return the workspace that commands act on: the one asked for, else the one in use.

    Errors: NotFound for one that the project has not.
    """
    return _checked(settings, settings.workspace or in_use(settings))


def in_use(settings: Settings) -> str:
    """Return the workspace that commands act on unless they are told another."""
    try:
        return _file(settings).read_text(encoding="utf-8").strip() or FIRST_WORKSPACE
    except FileNotFoundError:
        return FIRST_WORKSPACE


def use(settings: Settings, name: str) -> None:
    """Let commands act on a workspace from now on. Errors: NotFound."""
    _checked(settings, name)
    durable.write(_file(settings), f"{name}\n".encode())


def token(settings: Settings, name: str) -> str:
    """Return the token by which commands act on a workspace. Errors: NotFound."""
    file = workspace_folder(settings.state, _checked(settings, name)) / _TOKEN
    return file.read_text(encoding="ascii").strip()


def _checked(settings: Settings, name: str) -> str:
    if name not in names(settings):
        raise NotFound(
            "workspace",
            name,
            hint=f"the project has {', '.join(names(settings))}; `laketop workspace create NAME`"
            " makes one, `laketop workspace use NAME` chooses",
        )
    return name


def _file(settings: Settings) -> Path:
    return settings.state / "in-use"
