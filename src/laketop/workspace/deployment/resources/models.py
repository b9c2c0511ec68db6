"""Models of the workspace's own registry, which Unity Catalog takes the place of."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kept, Kind

_PATH = "/api/2.0/mlflow/registered-models"


class Models(Kind):
    """A registered model, whose name is its id; one with versions is kept without a purge.

    Unlike the official tools', a deployment changes tags too. A description that the bundle no
    longer has stays: the API refuses an empty one. Source: databricks-sdk,
    `ml.ModelRegistryAPI`; databricks/cli, acceptance tests of models, observed.
    """

    immutable = frozenset({"name"})
    lasting = frozenset({"description"})
    holds_data = True
    shareable = True

    def create(self, body: Body) -> str:
        """Create it and return its name."""
        self.api.do("POST", f"{_PATH}/create", body=body)
        return str(body["name"])

    def read(self, id_: str) -> Body | None:
        """Return name, description and tags, None if it is gone."""
        found = self._told(id_)
        if found is None:
            return None
        tags = [{"key": tag["key"], "value": tag.get("value", "")} for tag in found["tags"]]
        told: dict[str, Any] = {"name": found["name"], "tags": sorted(tags, key=_key)}
        return {**told, **({"description": d} if (d := found.get("description")) else {})}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Set its description and tags; tags that the bundle no longer has go."""
        described = body.get("description")
        if described and described != now.get("description"):
            sent = {"name": id_, "description": described}
            self.api.do("PATCH", f"{_PATH}/update", body=sent)
        before, wanted = _tags(now), _tags(body)
        for key, value in wanted.items():
            if before.get(key) != value:
                tag = {"name": id_, "key": key, "value": value}
                self.api.do("POST", f"{_PATH}/set-tag", body=tag)
        for key in before.keys() - wanted.keys():
            query = {"name": id_, "key": key}
            self.api.do("DELETE", f"{_PATH}/delete-tag", query=query)

    def delete(self, id_: str, *, purge: bool) -> None:
        """Delete it; fine if it is gone. Errors: Kept for one with versions, without `purge`."""
        found = self._told(id_)
        if found is None:
            return
        if not purge and found.get("latest_versions"):
            raise Kept(f"model {id_!r} has versions", hint="--purge deletes it with all of them")
        remove(self.api, "DELETE", f"{_PATH}/delete", query={"name": id_})

    def find(self, body: Body) -> str | None:
        """Return its name if it is there."""
        name = str(body["name"])
        return name if self._told(name) is not None else None

    def values(self, id_: str, body: Body) -> dict[str, Any]:  # noqa: ARG002 - as in the class above
        """Return the name, and the id by which permissions know it."""
        return {"id": id_, "model_id": (self._told(id_) or {}).get("id", id_)}

    def _told(self, name: str) -> dict[str, Any] | None:
        path = "/api/2.0/mlflow/databricks/registered-models/get"
        told = told_at(self.api, path, {"name": name})
        return None if told is None else {"tags": [], **told["registered_model_databricks"]}


def _key(tag: Body) -> str:
    return str(tag["key"])


def _tags(body: Body) -> dict[str, str]:
    return {str(tag["key"]): str(tag.get("value", "")) for tag in body.get("tags") or ()}
