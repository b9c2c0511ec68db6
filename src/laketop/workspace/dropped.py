"""Managed Delta tables that were dropped over REST, kept for the engine's UNDROP TABLE.

Source: `Dropped.java` of the engine, which keeps those that statements drop, in the same files.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from laketop import durable
from laketop.workspace import lake
from laketop.workspace.lake import Lake
from laketop.workspace.privileges import Privileges

_TABLE = "_table.json"


def keep(catalogs: Lake, names: list[str], owner: str) -> None:
    """Drop the table whose folder this is by a rename, with what UNDROP gives it back."""
    object_ = ".".join(names)
    away = catalogs.root / ".dropped" / str(uuid.uuid4())
    entry = {
        "name": object_,
        "owner": owner,
        "deleted_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "grants": json.dumps(Privileges(catalogs).on("TABLE", object_)),
    }
    for kind in ("tags", "policies"):
        beside = lake.read(catalogs.entry(kind, names[0], names[1], names[2]))
        if beside:
            entry[kind] = json.dumps(beside)
    catalogs.keep(away / _TABLE, entry)
    schema = catalogs.folder(*names[:2])
    catalogs.rename(schema / names[2], away / "files")
    durable.flush_folder(schema)


def forget(catalogs: Lake, object_: str) -> None:
    """Delete the dropped tables of a schema or catalog that is gone."""
    place = catalogs.root / ".dropped"
    for folder in place.iterdir() if place.is_dir() else ():
        if lake.read(folder / _TABLE).get("name", "").startswith(f"{object_}."):
            catalogs.discard(folder)
