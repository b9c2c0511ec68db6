"""Cluster policies: what the clusters that name one may be."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace import policy_rules
from laketop.workspace.service import Service, route

_MOST_LISTED = 100


class ClusterPolicies(Service):
    """Policies, which clusters obey when they are made and edited.

    Source: databricks-sdk, `compute.ClusterPoliciesAPI`, `compute.PolicyComplianceForClustersAPI`.
    """

    @property
    def _policies(self) -> Any:
        return self.table("policies")

    @route("POST /api/2.0/policies/clusters/create")
    def create(
        self,
        *,
        name: str,
        definition: str = "{}",
        description: str | None = None,
        libraries: list[Any] | None = None,
        max_clusters_per_user: int | None = None,
        policy_family_id: str | None = None,
        policy_family_definition_overrides: str | None = None,
    ) -> dict[str, Any]:
        """Make a policy."""
        self.workspace.require_admin()
        _refuse_families(policy_family_id, policy_family_definition_overrides)
        self._check_name(name, None)
        policy_rules.rules_of(definition)
        policy_id = secrets.token_hex(8).upper()
        self._policies[policy_id] = {
            "policy_id": policy_id,
            "name": name,
            "definition": definition,
            "creator_user_name": self.workspace.user,
            "created_at_timestamp": self.workspace.now_ms(),
            "is_default": False,
            **_given(description, libraries, max_clusters_per_user),
        }
        return {"policy_id": policy_id}

    @route("GET /api/2.0/policies/clusters/get")
    def get(self, policy_id: str) -> dict[str, Any]:
        """Return a policy."""
        kept = self.existing(policy_id)
        self.workspace.permissions.require("cluster-policies", policy_id, "CAN_USE")
        return kept

    @route("GET /api/2.0/policies/clusters/list")
    def list(self, sort_column: str = "", sort_order: str = "") -> dict[str, Any]:
        """Return the policies that the caller may use."""
        allows = self.workspace.permissions.allows
        found = [
            one
            for one in self._policies.values()
            if allows("cluster-policies", one["policy_id"], "CAN_USE")
        ]
        key = "name" if sort_column == "POLICY_NAME" else "created_at_timestamp"
        found.sort(key=lambda one: one[key], reverse=sort_order != "ASC")
        return {"policies": found}

    @route("POST /api/2.0/policies/clusters/edit")
    def edit(
        self,
        *,
        policy_id: str,
        name: str | None = None,
        definition: str = "{}",
        description: str | None = None,
        libraries: list[Any] | None = None,  # type: ignore[valid-type]  # not the method
        max_clusters_per_user: int | None = None,
        policy_family_id: str | None = None,
        policy_family_definition_overrides: str | None = None,
    ) -> None:
        """Replace a policy; clusters that are there stay as they are."""
        self.workspace.require_admin()
        _refuse_families(policy_family_id, policy_family_definition_overrides)
        kept = self.existing(policy_id)
        self._check_name(name or kept["name"], policy_id)
        policy_rules.rules_of(definition)
        stays = ("policy_id", "creator_user_name", "created_at_timestamp", "is_default")
        self._policies[policy_id] = {
            **{field: kept[field] for field in stays},
            "name": name or kept["name"],
            "definition": definition,
            **_given(description, libraries, max_clusters_per_user),
        }

    @route("POST /api/2.0/policies/clusters/delete")
    def delete(self, policy_id: str) -> None:
        """Forget a policy; its clusters cannot be edited until they name another."""
        self.workspace.require_admin()
        self.existing(policy_id)
        del self._policies[policy_id]
        self.workspace.permissions.forget("cluster-policies", policy_id)

    @route("GET /api/2.0/policies/clusters/get-compliance")
    def get_compliance(self, cluster_id: str) -> dict[str, Any]:
        """Tell whether a cluster is as its policy says now."""
        cluster = self.workspace.clusters.get(cluster_id)
        policy_id = cluster.get("policy_id")
        if not policy_id or policy_id not in self._policies:
            raise InvalidParameterValue(f"Cluster {cluster_id} has no policy.")
        return self._compliance(cluster)

    @route("GET /api/2.0/policies/clusters/list-compliance")
    def list_compliance(
        self, policy_id: str, page_size: int = 20, page_token: str | None = None
    ) -> dict[str, Any]:
        """Tell of each cluster of a policy whether it is as the policy says now, by pages."""
        self.get(policy_id)
        if not 0 < page_size <= _MOST_LISTED:
            raise InvalidParameterValue(f"page_size is not from 1 to {_MOST_LISTED}.")
        found = [
            one
            for one in self.workspace.clusters.all()
            if one.get("policy_id") == policy_id and one["cluster_id"] > (page_token or "")
        ]
        shown = [
            {"cluster_id": one["cluster_id"], **self._compliance(one)} for one in found[:page_size]
        ]
        more = len(found) > page_size
        return {"clusters": shown, **({"next_page_token": shown[-1]["cluster_id"]} if more else {})}

    def existing(self, policy_id: str) -> dict[str, Any]:
        """Return a policy whoever asks, inside a transaction. Errors: ResourceDoesNotExist."""
        found: dict[str, Any] | None = self._policies.get(policy_id)
        if found is None:
            raise ResourceDoesNotExist(f"Can't find a cluster policy with id: {policy_id[:100]}.")
        return found

    def obey(self, policy_id: str, cluster: Mapping[str, Any]) -> None:
        """Let only clusters pass that are as their policy says.

        Errors: InvalidParameterValue that names what is not; PermissionDenied to use the policy.
        """
        kept = self.existing(policy_id)
        self.workspace.permissions.require("cluster-policies", policy_id, "CAN_USE")
        wrong = policy_rules.violations(policy_rules.rules_of(kept["definition"]), cluster)
        if wrong:
            told = "; ".join(f"{path}: {what}" for path, what in wrong.items())
            raise InvalidParameterValue(f"Cluster validation error: Validation failed for {told}")
        most = kept.get("max_clusters_per_user")
        mine = [
            one
            for one in self.workspace.clusters.all()
            if one.get("policy_id") == policy_id
            and one["creator_user_name"] == self.workspace.user
            and one["cluster_id"] != cluster.get("cluster_id")
        ]
        if most is not None and len(mine) >= most:
            raise InvalidParameterValue(f"The policy {kept['name']} allows {most} clusters a user.")

    def _compliance(self, cluster: Mapping[str, Any]) -> dict[str, Any]:
        rules = policy_rules.rules_of(self._policies[cluster["policy_id"]]["definition"])
        wrong = policy_rules.violations(rules, cluster)
        return {"is_compliant": not wrong, **({"violations": wrong} if wrong else {})}

    def _check_name(self, name: str, own: str | None) -> None:
        if not 0 < len(name) <= 100:
            raise InvalidParameterValue("A policy's name has 1 to 100 characters.")
        if any(p["name"] == name and p["policy_id"] != own for p in self._policies.values()):
            raise InvalidParameterValue(f"Policy with name {name} already exists.")


def _given(description: str | None, libraries: Any, most: int | None) -> dict[str, Any]:
    if most is not None and most <= 0:
        raise InvalidParameterValue("max_clusters_per_user is not above 0.")
    if libraries is not None:
        json.dumps(libraries)
    given = {"description": description, "libraries": libraries, "max_clusters_per_user": most}
    return {name: value for name, value in given.items() if value is not None}


def _refuse_families(family: str | None, overrides: str | None) -> None:
    if family or overrides:
        raise NotServed("laketop has no policy families: send the definition.")
