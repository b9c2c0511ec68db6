"""Clusters: names for the one warm engine, with a state that start and delete change."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.service import Fields, Service, route

list_of = list
"""The type, which in the class is a method's name."""

_OLDER = ("2.0",)
_MOST_LISTED = 100
_MOST_PINNED = 100
_SET_BY_US = (
    *("cluster_id", "state", "state_message", "start_time", "terminated_time", "creator_user_name"),
    *("cluster_source", "pinned_by_user_name", "default_tags", "driver", "executors"),
    *("cluster_cores", "cluster_memory_mb", "last_state_loss_time", "clone_from"),
)
_NODE = "local"
_LTS = {"16.4.x-scala2.12": "16.4 LTS", "16.4.x-cpu-ml-scala2.12": "16.4 LTS ML"}
"""Keys and names that clients look for. Source: databricks-sdk, `select_spark_version`."""


class Clusters(Service):
    """All-purpose clusters; every one of them is the engine of this laptop.

    A cluster keeps what was sent, so that it reads back the same, and its state: RUNNING from the
    moment it is made or started, TERMINATED once it is deleted. Number and type of nodes change
    nothing. Source: databricks-sdk, `compute.ClustersAPI`.
    """

    @property
    def _clusters(self) -> Any:
        return self.table("clusters")

    @route("POST /api/2.1/clusters/create", also=_OLDER)
    def create(self, fields: Fields) -> dict[str, Any]:
        """Make a cluster, which runs at once."""
        self._check(fields)
        now = self.workspace.now_ms()
        cluster_id = f"{now // 1000 % 10_000:04d}-{now % 1_000_000:06d}-{secrets.token_hex(4)}"
        kept = {
            **_own(fields),
            "cluster_id": cluster_id,
            "cluster_name": fields.get("cluster_name") or "",
            "creator_user_name": self.workspace.user,
            "cluster_source": "API",
            "state": "RUNNING",
            "state_message": "",
            "start_time": now,
        }
        self._clusters[cluster_id] = kept
        self._tell(cluster_id, "CREATING", "RUNNING")
        return {"cluster_id": cluster_id}

    @route("GET /api/2.1/clusters/get", also=_OLDER)
    def get(self, cluster_id: str) -> dict[str, Any]:
        """Return a cluster."""
        return _shown(self._allowed(cluster_id, "CAN_ATTACH_TO"))

    @route("GET /api/2.1/clusters/list", also=_OLDER)
    def list(self, page_size: int = 0, page_token: str | None = None) -> dict[str, Any]:
        """Return the clusters that the caller may attach to, by pages."""
        size = page_size or _MOST_LISTED
        if not 0 < size <= _MOST_LISTED:
            raise InvalidParameterValue(f"page_size is not from 1 to {_MOST_LISTED}.")
        allows = self.workspace.permissions.allows
        after = page_token or ""
        names = [
            name
            for name in self._clusters
            if name > after and allows("clusters", name, "CAN_ATTACH_TO")
        ]
        more = {"next_page_token": names[size - 1]} if len(names) > size else {}
        return {"clusters": [_shown(self._clusters[name]) for name in names[:size]], **more}

    @route("POST /api/2.1/clusters/start", also=_OLDER)
    def start_cluster(self, cluster_id: str) -> None:
        """Let a cluster run that does not."""
        kept = self._allowed(cluster_id, "CAN_RESTART")
        if kept["state"] != "TERMINATED":
            raise InvalidParameterValue(f"Cluster {cluster_id} is in unexpected state Running.")
        self._become(kept, "RUNNING", start_time=self.workspace.now_ms(), terminated_time=None)
        self._tell(cluster_id, "STARTING", "RUNNING")

    @route("POST /api/2.1/clusters/restart", also=_OLDER)
    def restart(self, cluster_id: str) -> None:
        """End what runs in the contexts of a cluster, and let it run on."""
        kept = self._running(cluster_id, "CAN_RESTART")
        self.workspace.command_execution.forget(cluster_id)
        self._become(kept, "RUNNING", start_time=self.workspace.now_ms())
        self._tell(cluster_id, "RESTARTING", "RUNNING")

    @route("POST /api/2.1/clusters/delete", also=_OLDER)
    def delete(self, cluster_id: str) -> None:
        """Terminate a cluster and end its contexts; it can be started again."""
        kept = self._allowed(cluster_id, "CAN_RESTART")
        self.workspace.command_execution.forget(cluster_id)
        if kept["state"] != "TERMINATED":
            self._become(kept, "TERMINATED", terminated_time=self.workspace.now_ms())
            self._tell(cluster_id, "TERMINATING")

    @route("POST /api/2.1/clusters/permanent-delete", also=_OLDER)
    def permanent_delete(self, cluster_id: str) -> None:
        """Forget a cluster."""
        self._allowed(cluster_id, "CAN_MANAGE")
        self.workspace.command_execution.forget(cluster_id)
        del self._clusters[cluster_id]
        self.table("events").pop(cluster_id, None)
        self.workspace.permissions.forget("clusters", cluster_id)

    @route("POST /api/2.1/clusters/edit", also=_OLDER)
    def edit(self, cluster_id: str, fields: Fields) -> None:
        """Replace what was sent of a cluster."""
        kept = self._allowed(cluster_id, "CAN_MANAGE")
        self._check(fields)
        own = {name: kept[name] for name in _SET_BY_US if name in kept}
        named = {"cluster_name": fields.get("cluster_name") or ""}
        self._clusters[cluster_id] = {**_own(fields), **named, **own}
        self._tell(cluster_id, "EDITED")

    @route("POST /api/2.1/clusters/update", also=_OLDER)
    def update(
        self, cluster_id: str, update_mask: str, cluster: dict[str, Any] | None = None
    ) -> None:
        """Change the fields of a cluster that the mask names."""
        kept = self._allowed(cluster_id, "CAN_MANAGE")
        sent = cluster or {}
        names = [name for name in update_mask.split(",") if name]
        wrong = [name for name in names if name in _SET_BY_US or "." in name]
        if wrong or not names:
            raise InvalidParameterValue(f"The field {', '.join(wrong)!r} cannot be updated.")
        changed = {**kept, **{name: sent[name] for name in names if name in sent}}
        changed = {k: v for k, v in changed.items() if k not in names or k in sent}
        self._check(changed)
        self._clusters[cluster_id] = changed
        self._tell(cluster_id, "EDITED")

    @route("POST /api/2.1/clusters/resize", also=_OLDER)
    def resize(
        self,
        cluster_id: str,
        num_workers: int | None = None,
        autoscale: dict[str, Any] | None = None,
    ) -> None:
        """Keep another number of workers of a running cluster."""
        kept = self._running(cluster_id, "CAN_MANAGE")
        if (num_workers is None) == (autoscale is None):
            raise InvalidParameterValue("Exactly one of num_workers and autoscale must be given.")
        size = {"num_workers": num_workers, "autoscale": autoscale}
        changed = {**kept, **size}
        self._clusters[cluster_id] = {k: v for k, v in changed.items() if v is not None}
        self._tell(cluster_id, "RESIZING")

    @route("POST /api/2.1/clusters/pin", also=_OLDER)
    def pin(self, cluster_id: str) -> None:
        """Pin a cluster; at most a hundred are."""
        self.workspace.require_admin()
        kept = self.existing(cluster_id)
        pinned = [c for c in self._clusters.values() if "pinned_by_user_name" in c]
        if len(pinned) >= _MOST_PINNED and kept not in pinned:
            raise InvalidParameterValue(f"{_MOST_PINNED} clusters are pinned already.")
        self._clusters[cluster_id] = {**kept, "pinned_by_user_name": self.workspace.user}
        self._tell(cluster_id, "PINNED")

    @route("POST /api/2.1/clusters/unpin", also=_OLDER)
    def unpin(self, cluster_id: str) -> None:
        """Unpin a cluster."""
        self.workspace.require_admin()
        kept = {k: v for k, v in self.existing(cluster_id).items() if k != "pinned_by_user_name"}
        self._clusters[cluster_id] = kept
        self._tell(cluster_id, "UNPINNED")

    @route("POST /api/2.1/clusters/change-owner")
    def change_owner(self, cluster_id: str, owner_username: str) -> None:
        """Give a terminated cluster to another user."""
        self.workspace.require_admin()
        kept = self.existing(cluster_id)
        if kept["state"] != "TERMINATED":
            raise InvalidParameterValue(f"Cluster {cluster_id} must be terminated.")
        if self.workspace.principals.find(owner_username) is None:
            raise InvalidParameterValue(f"User {owner_username[:200]} does not exist.")
        self._clusters[cluster_id] = {**kept, "creator_user_name": owner_username}

    @route("POST /api/2.1/clusters/events", also=_OLDER, write=False)
    def events(
        self,
        *,
        cluster_id: str,
        start_time: int | None = None,
        end_time: int | None = None,
        order: str = "DESC",
        event_types: list_of[str] | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> dict[str, Any]:
        """Return what happened to a cluster, the newest first, by pages."""
        self._allowed(cluster_id, "CAN_ATTACH_TO")
        if not 0 < limit <= 500 or offset < 0:
            raise InvalidParameterValue("limit is not from 1 to 500, or offset below 0.")
        found = [
            event
            for event in self.table("events").get(cluster_id, [])
            if (start_time or 0) <= event["timestamp"] <= (end_time or event["timestamp"])
            and (not event_types or event["type"] in event_types)
        ]
        if order == "DESC":
            found.reverse()
        told: dict[str, Any] = {
            "events": found[offset : offset + limit],
            "total_count": len(found),
        }
        if len(found) > offset + limit:
            page = {"cluster_id": cluster_id, "offset": offset + limit, "limit": limit}
            told["next_page"] = {**page, "order": order}
        return told

    @route("GET /api/2.1/clusters/spark-versions", also=_OLDER)
    def spark_versions(self) -> dict[str, Any]:
        """Return the one runtime there is, by its own versions and as an LTS of Databricks.

        Clients choose a version by words of its key and name, unless told otherwise one of Scala
        2.12; clusters take any, and the names say what they get.
        """
        from laketop.engine import Runtime

        runtime = Runtime.load(self.workspace.settings.runtime)
        name = f"laketop (Apache Spark {runtime.spark}, Scala {runtime.scala})"
        key = f"{runtime.spark}-scala{runtime.scala}"
        known = {key: name, **{k: f"{v}: {name}" for k, v in _LTS.items()}}
        return {"versions": [{"key": key, "name": name} for key, name in known.items()]}

    @route("GET /api/2.1/clusters/list-node-types", also=_OLDER)
    def list_node_types(self) -> dict[str, Any]:
        """Return the one type of node there is: this laptop."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        disk = shutil.disk_usage(self.workspace.state).total // 2**30
        node = {
            "node_type_id": _NODE,
            "instance_type_id": _NODE,
            "description": "this laptop",
            "category": "General Purpose",
            "memory_mb": memory,
            "num_cores": float(os.cpu_count() or 1),
            "num_gpus": 0,
            "is_deprecated": False,
            "photon_driver_capable": False,
            "photon_worker_capable": False,
            "node_instance_type": {
                "instance_type_id": _NODE,
                "local_disks": 1,
                "local_disk_size_gb": disk,
            },
        }
        return {"node_types": [node]}

    @route("GET /api/2.1/clusters/list-zones", also=_OLDER)
    def list_zones(self) -> dict[str, Any]:
        """Return the one zone there is."""
        return {"zones": [_NODE], "default_zone": _NODE}

    def existing(self, cluster_id: str) -> dict[str, Any]:
        """Return a cluster whoever asks, inside a transaction. Errors: InvalidParameterValue."""
        found: dict[str, Any] | None = self._clusters.get(cluster_id)
        if found is None:
            raise InvalidParameterValue(f"Cluster {cluster_id[:100]} does not exist")
        return found

    def all(self) -> Any:
        """Return every cluster, inside a transaction."""
        return list_of(self._clusters.values())

    def require_running(self, cluster_id: str) -> None:
        """Let only callers pass who may attach to a cluster that runs."""
        self._running(cluster_id, "CAN_ATTACH_TO")

    def _allowed(self, cluster_id: str, level: str) -> dict[str, Any]:
        kept = self.existing(cluster_id)
        self.workspace.permissions.require("clusters", cluster_id, level)
        return kept

    def _running(self, cluster_id: str, level: str) -> dict[str, Any]:
        kept = self._allowed(cluster_id, level)
        if kept["state"] != "RUNNING":
            raise InvalidParameterValue(f"Cluster {cluster_id} is not running.")
        return kept

    def _become(self, kept: dict[str, Any], state: str, **more: Any) -> None:
        changed = {**kept, "state": state, **more}
        self._clusters[kept["cluster_id"]] = {k: v for k, v in changed.items() if v is not None}

    def _check(self, fields: dict[str, Any]) -> None:
        if not isinstance(fields.get("spark_version"), str) or not fields["spark_version"]:
            raise InvalidParameterValue("Missing required field: spark_version")
        for name in ("cluster_name", "policy_id", "instance_pool_id", "node_type_id"):
            if not isinstance(fields.get(name, ""), str):
                raise InvalidParameterValue(f"{name} is not a string.")
        if fields.get("docker_image"):
            raise NotServed("laketop runs no clusters in containers.")
        if fields.get("instance_pool_id"):
            self.workspace.instance_pools.existing(fields["instance_pool_id"])
        if fields.get("policy_id"):
            self.workspace.cluster_policies.obey(fields["policy_id"], fields)

    def _tell(self, cluster_id: str, *types: str) -> None:
        events = self.table("events")
        now = self.workspace.now_ms()
        new = [
            {
                "cluster_id": cluster_id,
                "timestamp": now,
                "type": each,
                "details": {"user": self.workspace.user},
            }
            for each in types
        ]
        events[cluster_id] = [*events.get(cluster_id, []), *new][-1000:]


def _own(fields: dict[str, Any]) -> dict[str, Any]:
    ours = {*_SET_BY_US, "apply_policy_default_values"}
    return {name: value for name, value in fields.items() if name not in ours}


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    spec = {name: value for name, value in kept.items() if name not in _SET_BY_US}
    return {**kept, "spec": spec}
