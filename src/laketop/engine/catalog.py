"""Creates catalogs and schemas where the engine looks for them: the file system is the catalog."""

from __future__ import annotations

from pathlib import Path

from laketop import durable
from laketop.errors import ConfigError

_FORBIDDEN = set("./\\ \t\n\r\0`")


def create_schema(root: Path, catalog: str, schema: str, *, owner: str) -> bool:
    """Make the schema and its catalog exist below `root`, and return whether one was made.

    Errors: ConfigError for a name that cannot be a catalog's or a schema's.
    """
    made = create_catalog(root, catalog, owner=owner)
    folder = root / _key(catalog) / _key(schema)
    if not (folder / "_schema.json").exists():
        durable.write_json(folder / "_schema.json", {"owner": owner})
        made = True
    return made


def create_catalog(root: Path, catalog: str, *, owner: str) -> bool:
    """Make the catalog and its schema `default` exist below `root`; return whether it was made.

    Errors: ConfigError for a name that cannot be a catalog's.
    """
    folder = root / _key(catalog)
    if (folder / "_catalog.json").exists():
        return False
    durable.write_json(folder / "default" / "_schema.json", {"owner": owner})
    durable.write_json(folder / "_catalog.json", {"comment": "", "owner": owner})
    return True


def _key(name: str) -> str:
    key = name.lower()
    if not key or key.startswith("_") or _FORBIDDEN & set(key):
        raise ConfigError(
            f"{name!r} cannot be the name of a catalog or schema",
            hint="use letters, digits, _ and -, and do not begin with _",
        )
    return key
