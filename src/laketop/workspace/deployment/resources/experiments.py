"""MLflow experiments."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import ApiError, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/mlflow/experiments"
_OWN = "mlflow."
"""How the names of tags begin that MLflow sets itself."""


class Experiments(Kind):
    """An experiment; deleted ones can be restored, with their runs."""

    immutable = frozenset({"artifact_location"})
    shareable = True
    id_field = "experiment_id"

    def create(self, body: Body) -> str:
        """Create it; one of the same name that was deleted comes back."""
        try:
            return str(self.api.do("POST", f"{_PATH}/create", body=body)["experiment_id"])
        except ApiError as error:
            found = self._named(body) if error.is_taken else None
            if found is None or found.get("lifecycle_stage") != "deleted":
                raise
        id_ = str(found["experiment_id"])
        self.api.do("POST", f"{_PATH}/restore", body={"experiment_id": id_})
        self.update(id_, body, self.read(id_) or {})
        return id_

    def read(self, id_: str) -> Body | None:
        """Return its name and the tags that are not MLflow's own, None if it is deleted."""
        found = told_at(self.api, f"{_PATH}/get", {"experiment_id": id_})
        if found is None or found["experiment"].get("lifecycle_stage") == "deleted":
            return None
        told = found["experiment"]
        tags = [tag for tag in told.get("tags", ()) if not tag["key"].startswith(_OWN)]
        return {"name": told["name"], "tags": sorted(tags, key=lambda tag: str(tag["key"]))}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Rename it and set its tags; tags that the bundle no longer has go."""
        if _short(body["name"]) != _short(now.get("name", "")):
            renamed = {"experiment_id": id_, "new_name": body["name"]}
            self.api.do("POST", f"{_PATH}/update", body=renamed)
        wanted = _tags(body)
        for key, value in wanted.items():
            if _tags(now).get(key) != value:
                tag = {"experiment_id": id_, "key": key, "value": value}
                self.api.do("POST", f"{_PATH}/set-experiment-tag", body=tag)
        for key in _tags(now).keys() - wanted.keys():
            gone = {"experiment_id": id_, "key": key}
            self.api.do("POST", f"{_PATH}/delete-experiment-tag", body=gone)

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - what it holds can be restored
        """Delete it; fine if it is gone."""
        if self.read(id_) is not None:
            self.api.do("POST", f"{_PATH}/delete", body={"experiment_id": id_})

    def find(self, body: Body) -> str | None:
        """Return the id of the one of this name, None if there is none or it is deleted."""
        found = self._named(body)
        if found is None or found.get("lifecycle_stage") == "deleted":
            return None
        return str(found["experiment_id"])

    def _named(self, body: Body) -> dict[str, Any] | None:
        query = {"experiment_name": body["name"]}
        found = told_at(self.api, f"{_PATH}/get-by-name", query)
        return None if found is None else dict(found["experiment"])


def _short(name: str) -> str:
    return name.removeprefix("/Workspace")


def _tags(body: Body) -> dict[str, str]:
    return {str(tag["key"]): str(tag["value"]) for tag in body.get("tags") or ()}
