"""Catalogs."""

from __future__ import annotations

from laketop.workspace.deployment.kind import Named


class Catalogs(Named):
    """A catalog; its schema `default` comes and goes with it."""

    path = "catalogs"
    fields = ("name", "comment", "properties", "storage_root")
    changeable = ("comment", "properties")
    immutable = frozenset({"name", "storage_root", "connection_name", "share_name"})
    holds_data = True
