"""Which layout a state folder has: how its catalog, databases and files are arranged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from laketop import durable
from laketop._version import __version__
from laketop.errors import LaketopError

Upgrade = Callable[[Path], None]

FILE = "layout.json"

UPGRADES: tuple[Upgrade, ...] = (lambda _state: None,)
"""What makes of a folder of layout 0, 1, 2 … one of the next layout.

Layout 0 is that of folders which do not say their layout; it is arranged as layout 1.
"""


def claim(state: Path, *, upgrades: tuple[Upgrade, ...] = UPGRADES) -> int:
    """Bring a state folder that nobody else uses to this laketop's layout, and return its number.

    Each step is written down once it is done, so that one that was killed is done again.

    Errors: LaketopError for the folder of a newer laketop, which is left as it is, and for a
    layout that cannot be read.
    """
    found, writer = _read(state / FILE)
    if found > len(upgrades):
        raise LaketopError(
            f"the state folder {str(state)!r} has layout {found}, written by laketop {writer};"
            f" this is laketop {__version__}, which knows layouts up to {len(upgrades)}",
            hint=f"install laketop {writer} or later, or move the folder away to start anew",
        )
    for number, upgrade in enumerate(upgrades[found:], found + 1):
        upgrade(state)
        durable.write_json(state / FILE, {"layout": number, "written_by": __version__})
    return len(upgrades)


def _read(file: Path) -> tuple[int, str]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return int(told["layout"]), str(told["written_by"])
    except FileNotFoundError:
        return 0, ""
    except (ValueError, KeyError, TypeError) as error:
        raise LaketopError(
            f"the layout of the state folder cannot be read from {str(file)!r}: {error}",
            hint="restore the file, or move the state folder away to start anew",
        ) from error
