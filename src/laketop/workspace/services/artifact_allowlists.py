"""Which libraries and init scripts shared clusters may use: kept, for there are none."""

from __future__ import annotations

from typing import Any

from databricks.sdk.service.catalog import ArtifactAllowlistInfo, ArtifactType

from laketop.workspace.kept import Record, fields_of
from laketop.workspace.service import Service, route


class ArtifactAllowlists(Service):
    """A list for each type of artifact. Source: databricks-sdk, `catalog.ArtifactAllowlistsAPI`."""

    shared = True

    @property
    def _lists(self) -> Any:
        return self.table("lists")

    @route("GET /api/2.1/unity-catalog/artifact-allowlists/{artifact_type}")
    def get(self, artifact_type: ArtifactType) -> Record:
        """Return the list of a type of artifact, which is empty from the start."""
        self.workspace.require_admin()
        empty = {"metastore_id": self.workspace.metastore_id}
        found: Record = self._lists.get(artifact_type.value, empty)
        return found

    @route("PUT /api/2.1/unity-catalog/artifact-allowlists/{artifact_type}")
    def update(
        self, artifact_type: ArtifactType, artifact_matchers: list[dict[str, Any]]
    ) -> Record:
        """Replace the list of a type of artifact."""
        self.workspace.require_admin()
        made = fields_of(ArtifactAllowlistInfo, {"artifact_matchers": artifact_matchers})
        made |= {"created_by": self.workspace.user, "created_at": self.workspace.now_ms()}
        self._lists[artifact_type.value] = {**made, "metastore_id": self.workspace.metastore_id}
        return self.get(artifact_type)
