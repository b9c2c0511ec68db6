"""Catalogs of the databases of an instance."""

from __future__ import annotations

from laketop.workspace.deployment.kind import Unchangeable


class DatabaseCatalogs(Unchangeable):
    """The catalog of a database, which stays when it goes.

    Source: databricks-sdk, `database.DatabaseAPI`.
    """

    path = "/api/2.0/database/catalogs"
    immutable = frozenset({"name", "database_instance_name", "database_name"})
