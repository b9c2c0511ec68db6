"""What model triggers look at: models, versions and aliases, read without loading MLflow.

Source: Databricks' page on model update triggers, whose conditions and fields of an update these
are.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

_ROWS: Final = {
    "MODEL_CREATED": "SELECT name, NULL, NULL FROM registered_models ORDER BY creation_time, name",
    "MODEL_VERSION_READY": "SELECT name, version, NULL FROM model_versions WHERE status = 'READY'"
    " ORDER BY creation_time, name, version",
    "MODEL_ALIAS_SET": "SELECT name, version, alias FROM registered_model_aliases"
    " ORDER BY name, alias",
}
CONDITIONS: Final = tuple(_ROWS)


def seen(database: Path, scope: str, condition: str, aliases: Sequence[str] = ()) -> dict[str, int]:
    """Return the updates of `condition` that hold in the registry's file, each with a 0.

    `scope` is a model, a schema or, empty, all. Shapes: an update is a JSON object of full_name,
    version and alias_name, as far as it has them. An alias that is set anew to the version that it
    has is no update. Without a registry there is none.
    """
    if not database.exists():
        return {}
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as registry:
        rows = registry.execute(_ROWS[condition]).fetchall()
    return {
        _written(name, version, alias): 0
        for name, version, alias in rows
        if _is_in(name, scope) and (alias is None or alias in aliases)
    }


def owner(database: Path, model: str) -> str | None:
    """Return who owns a model, None for one that is not there."""
    if not database.exists():
        return None
    asked = "SELECT owner FROM laketop_registered_models JOIN registered_models USING (name)"
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as registry:
        row = registry.execute(f"{asked} WHERE name = ?", (model,)).fetchone()
    return None if row is None else str(row[0])


def _is_in(name: str, scope: str) -> bool:
    return not scope or name == scope or name.startswith(f"{scope}.")


def _written(name: str, version: int | None, alias: str | None) -> str:
    told = {"full_name": name, "version": version, "alias_name": alias}
    return json.dumps({key: value for key, value in told.items() if value is not None})
