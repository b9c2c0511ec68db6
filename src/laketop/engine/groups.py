"""Who is in which group, as the engine reads it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from laketop import durable
from laketop.errors import ConfigError

FILE = "_groups.json"


def write_groups(root: Path, groups: Mapping[str, Collection[str]]) -> None:
    """Tell the engine of the catalogs in `root` who is in which group: users and groups by name.

    What a group is granted, its members have, also those of groups within it. Nothing is written
    where the engine knows already.
    Errors: ConfigError for a name of several lines, which no group or user has.
    """
    for name in (*groups, *(member for members in groups.values() for member in members)):
        if len(name.splitlines()) != 1:
            raise ConfigError(f"{name!r} cannot be the name of a group or of its member")
    write_changed(root / FILE, {name: "\n".join(sorted(all_)) for name, all_ in groups.items()})


def write_changed(file: Path, content: Mapping[str, object]) -> None:
    """Write `content` to `file` as JSON unless that is what it says."""
    try:
        if json.loads(file.read_text(encoding="utf-8")) == content:
            return
    except (OSError, ValueError):
        pass
    durable.write_json(file, content)
