"""Registered models of Unity Catalog."""

from __future__ import annotations

from laketop.workspace.deployment.api import told_at
from laketop.workspace.deployment.kind import Kept, Named


class RegisteredModels(Named):
    """A registered model; one with versions is kept without a purge."""

    path = "models"
    levels = ("catalog_name", "schema_name", "name")
    fields = (*levels, "comment")
    immutable = frozenset({*levels, "storage_location"})
    holds_data = True

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it. Errors: Kept for one that has versions, without `purge`."""
        if not purge and self._has_versions(id_):
            raise Kept(f"model {id_!r} has versions", hint="--purge deletes it with all of them")
        super().delete(id_, purge=False)

    def _has_versions(self, id_: str) -> bool:
        told = told_at(self.api, f"/api/2.1/unity-catalog/models/{id_}/versions") or {}
        return bool(told.get("model_versions"))
