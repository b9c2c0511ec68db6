"""Tables that are synced into a database: on the local workspace objects that nothing fills."""

from __future__ import annotations

from laketop.workspace.deployment.kind import Unchangeable


class SyncedDatabaseTables(Unchangeable):
    """A synced table; the table of the database stays when it goes.

    Source: databricks-sdk, `database.DatabaseAPI`.
    """

    path = "/api/2.0/database/synced_tables"
    immutable = frozenset({"name", "database_instance_name", "logical_database_name", "spec"})
