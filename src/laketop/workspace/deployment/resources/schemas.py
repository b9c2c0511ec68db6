"""Schemas."""

from __future__ import annotations

from laketop.workspace.deployment.kind import Named


class Schemas(Named):
    """A schema; one that holds tables, functions, models or volumes is kept without a purge."""

    path = "schemas"
    levels = ("catalog_name", "name")
    fields = ("catalog_name", "name", "comment", "properties", "storage_root")
    changeable = ("comment", "properties")
    immutable = frozenset({"catalog_name", "name", "storage_root"})
    holds_data = True
