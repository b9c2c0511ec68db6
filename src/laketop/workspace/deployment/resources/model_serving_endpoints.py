"""Serving endpoints."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/serving-endpoints"
_ENTITY = (
    *("name", "entity_name", "entity_version", "workload_size", "workload_type"),
    *("scale_to_zero_enabled", "environment_vars", "external_model", "max_provisioned_throughput"),
    *("min_provisioned_throughput", "min_provisioned_concurrency", "max_provisioned_concurrency"),
)


class ModelServingEndpoints(Kind):
    """A serving endpoint; it loads its models after it was created, and nobody waits for it."""

    immutable = frozenset({"name", "route_optimized"})

    def create(self, body: Body) -> str:
        """Create it; its name is its id."""
        self.api.do("POST", _PATH, body=body)
        return str(body["name"])

    def read(self, id_: str) -> Body | None:
        """Return its name, tags and configuration, the one on its way before the one in force."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        if told is None:
            return None
        found: dict[str, Any] = {"name": told["name"]}
        for field in ("description", "tags"):
            if told.get(field):
                found[field] = told[field]
        config = told.get("pending_config") or told.get("config")
        if config:
            found["config"] = _config(config)
        if told.get("ai_gateway"):
            found["ai_gateway"] = _gateway(told["ai_gateway"])
        return found

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Begin to load another configuration, and set the tags."""
        if _config(body.get("config") or {}) != now.get("config"):
            sent = dict(body.get("config") or {})
            if "auto_capture_config" in now.get("config", {}):
                sent.setdefault("auto_capture_config", {"enabled": False})
            self.api.do("PUT", f"{_PATH}/{id_}/config", body=sent)
        if _gateway(body.get("ai_gateway")) != now.get("ai_gateway", {}):
            self.api.do("PUT", f"{_PATH}/{id_}/ai-gateway", body=body.get("ai_gateway") or {})
        before, after = _tags(now), _tags(body)
        if before != after:
            added = [{"key": k, "value": v} for k, v in after.items() if before.get(k) != v]
            gone = sorted(before.keys() - after.keys())
            self.api.do(
                "PATCH", f"{_PATH}/{id_}/tags", body={"add_tags": added, "delete_tags": gone}
            )

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - an endpoint holds no data
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", f"{_PATH}/{id_}")

    def find(self, body: Body) -> str | None:
        """Return its name if it is there."""
        name = str(body["name"])
        return name if told_at(self.api, f"{_PATH}/{name}") is not None else None

    def values(self, id_: str, body: Body) -> dict[str, Any]:  # noqa: ARG002 - as in the class above
        """Return the name, and the id by which permissions know it."""
        told = told_at(self.api, f"{_PATH}/{id_}") or {}
        return {"id": id_, "serving_endpoint_id": told.get("id", id_)}


def _config(config: Body) -> dict[str, Any]:
    found: dict[str, Any] = {
        "served_entities": [
            {field: _text(entity[field]) for field in _ENTITY if entity.get(field) is not None}
            for entity in config.get("served_entities") or ()
        ]
    }
    routes = (config.get("traffic_config") or {}).get("routes") or ()
    if routes:
        found["traffic_config"] = {
            "routes": [
                {
                    "served_entity_name": r.get("served_entity_name") or r.get("served_model_name"),
                    "traffic_percentage": r["traffic_percentage"],
                }
                for r in routes
            ]
        }
    if _table(config.get("auto_capture_config"), is_enabled=True):
        found["auto_capture_config"] = _table(config["auto_capture_config"], is_enabled=True)
    return found


def _gateway(sent: Any) -> dict[str, Any]:
    table = _table((sent or {}).get("inference_table_config"), is_enabled=False)
    return {"inference_table_config": table} if table else {}


def _table(sent: Any, *, is_enabled: bool) -> dict[str, Any]:
    """Return the names of an inference table, none where it is not enabled."""
    if not sent or not sent.get("enabled", is_enabled):
        return {}
    names = ("catalog_name", "schema_name", "table_name_prefix")
    return {name: sent[name] for name in names if sent.get(name) is not None}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tags(body: Body) -> dict[str, str]:
    return {str(tag["key"]): str(tag.get("value", "")) for tag in body.get("tags") or ()}
