"""Libraries of clusters, kept as they were sent; tasks install what they need themselves."""

from __future__ import annotations

import json
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue

from laketop.workspace.service import Service, route

_KINDS = ("jar", "egg", "whl", "pypi", "maven", "cran", "requirements")
_WHY = "laketop installs libraries into the environments of tasks, not onto clusters."


class Libraries(Service):
    """Libraries of clusters, as state: each is SKIPPED, with the reason.

    Source: databricks-sdk, `compute.LibrariesAPI`.
    """

    @property
    def _libraries(self) -> Any:
        return self.table("libraries")

    @route("POST /api/2.0/libraries/install")
    def install(self, cluster_id: str, libraries: list[dict[str, Any]]) -> None:
        """Keep libraries of a cluster."""
        self._require(cluster_id)
        _check(libraries)
        held = self._libraries.get(cluster_id, [])
        known = {_key(one) for one in held}
        self._libraries[cluster_id] = [*held, *(x for x in libraries if _key(x) not in known)]

    @route("POST /api/2.0/libraries/uninstall")
    def uninstall(self, cluster_id: str, libraries: list[dict[str, Any]]) -> None:
        """Forget libraries of a cluster; fine if it has none of them."""
        self._require(cluster_id)
        _check(libraries)
        gone = {_key(one) for one in libraries}
        held = self._libraries.get(cluster_id, [])
        self._libraries[cluster_id] = [one for one in held if _key(one) not in gone]

    @route("GET /api/2.0/libraries/cluster-status")
    def cluster_status(self, cluster_id: str) -> dict[str, Any]:
        """Return how the libraries of a cluster stand."""
        self.workspace.clusters.get(cluster_id)
        return self._status(cluster_id)

    @route("GET /api/2.0/libraries/all-cluster-statuses")
    def all_cluster_statuses(self) -> dict[str, Any]:
        """Return how the libraries of the clusters stand that the caller may attach to."""
        allows = self.workspace.permissions.allows
        names = [one["cluster_id"] for one in self.workspace.clusters.all()]
        seen = [name for name in names if allows("clusters", name, "CAN_ATTACH_TO")]
        return {"statuses": [self._status(name) for name in seen]}

    def _status(self, cluster_id: str) -> dict[str, Any]:
        statuses = [
            {
                "library": one,
                "status": "SKIPPED",
                "messages": [_WHY],
                "is_library_for_all_clusters": False,
            }
            for one in self._libraries.get(cluster_id, [])
        ]
        return {"cluster_id": cluster_id, "library_statuses": statuses}

    def _require(self, cluster_id: str) -> None:
        self.workspace.clusters.existing(cluster_id)
        self.workspace.permissions.require("clusters", cluster_id, "CAN_MANAGE")


def _check(libraries: list[dict[str, Any]]) -> None:
    for one in libraries:
        if len([kind for kind in _KINDS if one.get(kind)]) != 1 or len(one) != 1:
            raise InvalidParameterValue(f"A library is one of {', '.join(_KINDS)}.")


def _key(library: dict[str, Any]) -> str:
    return json.dumps(library, sort_keys=True)
