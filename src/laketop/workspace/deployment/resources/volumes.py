"""Volumes."""

from __future__ import annotations

from laketop.workspace.deployment.api import told_at
from laketop.workspace.deployment.kind import Kept, Named


class Volumes(Named):
    """A volume; one that holds files is kept without a purge."""

    path = "volumes"
    levels = ("catalog_name", "schema_name", "name")
    fields = (*levels, "volume_type", "comment")
    immutable = frozenset({*levels, "volume_type", "storage_location"})
    holds_data = True

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it. Errors: Kept for one that holds files, without `purge`."""
        if not purge and self._holds_files(id_):
            raise Kept(
                f"volume {id_!r} holds files", hint="--purge deletes it with all that it holds"
            )
        super().delete(id_, purge=False)

    def _holds_files(self, id_: str) -> bool:
        path = f"/api/2.0/fs/directories/Volumes/{id_.replace('.', '/')}"
        return bool((told_at(self.api, path) or {}).get("contents"))
