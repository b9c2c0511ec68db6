"""What services of Unity Catalog share: the folders of the catalogs, and the caller's rights."""

from __future__ import annotations

from laketop.workspace.lake import Lake
from laketop.workspace.securables import Securables
from laketop.workspace.service import Service


class UnityService(Service):
    """A service over what the catalogs hold."""

    @property
    def _lake(self) -> Lake:
        return Lake(self.workspace.metastore / "catalog")

    @property
    def _rights(self) -> Securables:
        return Securables(self.workspace)
