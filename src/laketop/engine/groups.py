"""Who is in which group, as the engine reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from laketop import durable
from laketop.errors import ConfigError


def write_groups(root: Path, groups: Mapping[str, Collection[str]]) -> None:
    """Tell the engine of the catalogs in `root` who is in which group: users and groups by name.

    What a group is granted, its members have, also those of groups within it.
    Errors: ConfigError for a name with a comma, which no group or user has.
    """
    for name in (*groups, *(member for members in groups.values() for member in members)):
        if "," in name:
            raise ConfigError(f"{name!r} cannot be the name of a group or of its member")
    content = {name: ",".join(members) for name, members in groups.items()}
    durable.write_json(root / "_groups.json", content)
