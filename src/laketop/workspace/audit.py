"""The audit log: a row for each call that changes something, in the transaction that changes it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from laketop.workspace.clock import Clock
from laketop.workspace.store import Store

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS system_rows (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS exported_runs (run_id INTEGER PRIMARY KEY, end_ms INTEGER)",
)
AUDIT = "system.access.audit"
_SERVICES = {
    **dict.fromkeys(
        ("catalogs", "schemas", "tables", "volumes", "functions", "grants", "registered_models"),
        "unityCatalog",
    ),
    **dict.fromkeys(("model_versions", "model_registry", "entity_tag_assignments"), "unityCatalog"),
    **dict.fromkeys(
        ("users", "groups", "service_principals", "tokens", "token_management", "oidc"), "accounts"
    ),
    **dict.fromkeys(("warehouses", "queries", "alerts", "statement_execution"), "databrickssql"),
    **dict.fromkeys(("prompts", "webhooks"), "unityCatalog"),
    "sql_sessions": "databrickssql",
    "service_principal_secrets_proxy": "accounts",
    "permissions": "accounts",
    "ip_access_lists": "accounts",
    "workspace_bindings": "unityCatalog",
    "instance_pools": "instancePools",
    "cluster_policies": "clusterPolicies",
    "instance_profiles": "iamRole",
    "libraries": "clusterLibraries",
    "command_execution": "notebook",
    "files": "filesystem",
    "mlflow": "mlflow",
    "serving_endpoints": "serverlessRealTimeInference",
}
"""The audit log's names of services that are not those of the API."""
_NOUNS = {
    "catalogs": "Catalog",
    "schemas": "Schema",
    "tables": "Table",
    "volumes": "Volume",
    "functions": "Function",
    "registered_models": "RegisteredModel",
    "model_versions": "ModelVersion",
    "users": "User",
    "groups": "Group",
    "service_principals": "ServicePrincipal",
    "warehouses": "Endpoint",
    "queries": "Query",
    "alerts": "Alert",
    "ip_access_lists": "IpAccessList",
}
"""What is created, where the action's name says so."""
_SECRET = re.compile(
    r"(value|token|password|secret|content|contents|data|personal_access_token)$"
    r"|(access|account|api|private|secret)[._-]?key",
    re.IGNORECASE,
)
_NEVER_SECRET = {"page_token", "idempotency_token", "key_value"}
_LONGEST = 2000


class Audit:
    """Writes rows of the audit log, from where they are taken to `system.access.audit`."""

    def __init__(self, store: Store, *, now_ms: Clock, workspace_id: str) -> None:
        self._store = store
        self._now_ms = now_ms
        self._workspace_id = workspace_id

    def note(
        self,
        service: str,
        action: str,
        *,
        user: str,
        agent: str,
        params: Mapping[str, Any],
        status: int = 200,
        error: str | None = None,
        workspace_id: str | None = None,
    ) -> None:
        """Write the row of a call; secrets among `params` are left out.

        `workspace_id` is that of the workspace that was asked, unless it is this one.

        Source: Databricks docs, system tables.
        """
        now = self._now_ms()
        body = {
            "workspace_id": int(workspace_id or self._workspace_id),
            "version": "2.0",
            "event_ms": now,
            "source_ip_address": "127.0.0.1",
            "user_agent": agent[:_LONGEST],
            "email": user or None,
            "service_name": _SERVICES.get(service, _camel(service)),
            "action_name": action if service == "mlflow" else action_name(service, action),
            "request_id": str(uuid.uuid4()),
            "request_params": shown(params),
            "status_code": status,
            "error_message": error and error[:_LONGEST],
            "audit_level": "WORKSPACE_LEVEL",
            "event_id": str(uuid.uuid4()),
        }
        with self._store.writing():
            self._store.execute(
                "INSERT INTO system_rows (name, body) VALUES (?, ?)", (AUDIT, json.dumps(body))
            )


def mlflow_action(method: str, path: str) -> str | None:
    """Return the action of a request to MLflow's handlers, None for one that is not noted.

    What a run logs is not: it is in the run itself, and comes by the thousand.
    """
    asked = f"{method} {path.partition('/mlflow/')[2]}"
    for expression, action in _MLFLOW.items():
        if expression.fullmatch(asked):
            return action
    return None


MLFLOW_LOGS = frozenset(
    {
        *(f"runs/{name}" for name in ("log-metric", "log-parameter", "log-batch", "log-inputs")),
        *("runs/log-model", "runs/outputs", "logged-models/{}/params"),
    }
)
"""What is sent to MLflow's handlers to be kept in a run or a logged model, and is not noted."""
_MLFLOW = {
    re.compile(pattern.replace("{}", "[^/]+")): action
    for pattern, action in (
        *(
            (f"POST {group}/{verb}", f"{verb}{noun}")
            for group, noun in (("experiments", "MlflowExperiment"), ("runs", "MlflowRun"))
            for verb in ("create", "delete", "restore", "update")
        ),
        ("POST experiments/set-experiment-tag", "setMlflowExperimentTag"),
        ("POST experiments/delete-experiment-tag", "deleteMlflowExperimentTag"),
        ("POST runs/set-tag", "setMlflowRunTag"),
        ("POST runs/delete-tag", "deleteMlflowRunTag"),
        ("POST logged-models", "createMlflowLoggedModel"),
        ("PATCH logged-models/{}", "finalizeMlflowLoggedModel"),
        ("DELETE logged-models/{}", "deleteMlflowLoggedModel"),
        ("PATCH logged-models/{}/tags", "setMlflowLoggedModelTags"),
        ("DELETE logged-models/{}/tags/{}", "deleteMlflowLoggedModelTag"),
        ("POST traces", "createMlflowTrace"),
        ("PATCH traces/{}", "updateMlflowTrace"),
        ("POST traces/delete-traces", "deleteMlflowTraces"),
        ("POST traces/link-to-run", "linkMlflowTracesToRun"),
        ("PATCH traces/{}/tags", "setMlflowTraceTag"),
        ("DELETE traces/{}/tags", "deleteMlflowTraceTag"),
        ("POST traces/{}/assessments", "createMlflowAssessment"),
        ("PATCH traces/{}/assessments/{}", "updateMlflowAssessment"),
        ("DELETE traces/{}/assessments/{}", "deleteMlflowAssessment"),
        *(
            (f"{method} unity-catalog/{group}/{verb}", f"{action}{noun}{rest}")
            for group, noun in (
                ("registered-models", "RegisteredModel"),
                ("model-versions", "ModelVersion"),
            )
            for method, verb, action, rest in (
                ("POST", "create", "create", ""),
                ("PATCH", "update", "update", ""),
                ("DELETE", "delete", "delete", ""),
                ("POST", "set-tag", "set", "Tag"),
                ("DELETE", "delete-tag", "delete", "Tag"),
            )
        ),
        ("POST unity-catalog/registered-models/alias", "setRegisteredModelAlias"),
        ("DELETE unity-catalog/registered-models/alias", "deleteRegisteredModelAlias"),
        ("POST unity-catalog/model-versions/finalize", "finalizeModelVersion"),
        ("POST unity-catalog/model-versions/emit-lineage", "emitModelVersionLineage"),
    )
}
"""The actions by method and path below `/mlflow/`, holes written `{}`; a test walks the routes."""


def action_name(service: str, method: str) -> str:
    """Return the audit log's name of what a method of a service does: `createCatalog`, `runNow`."""
    noun = _NOUNS.get(service, "")
    return _camel(method.strip("_")) + noun if "_" not in method.strip("_") else _camel(method)


def shown(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a call as texts, without those that may hold a secret."""
    told: dict[str, str] = {}
    for name, value in params.items():
        if value is None or (name not in _NEVER_SECRET and _SECRET.search(name)):
            continue
        text = value if isinstance(value, str) else json.dumps(_without(value), default=str)
        told[name[:200]] = text[:_LONGEST]
    return told


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without(inner)
            for name, inner in value.items()
            if name in _NEVER_SECRET or not _SECRET.search(str(name))
        }
    return [_without(one) for one in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
