"""Declarative pipelines: on the local workspace objects that nobody runs."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import LocalApi, remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/pipelines"
_OF_THE_CALL = ("dry_run", "allow_duplicate_names")
_OF_THE_WORKSPACE = ("id", "pipeline_type")


class Pipelines(Kind):
    """A pipeline; its tables stay when it goes on some workspaces, so users are asked first.

    Source: databricks-sdk, `pipelines.PipelinesAPI`.
    """

    immutable = frozenset({"storage"})
    holds_data = True
    id_field = "pipeline_id"

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        return str(self.api.do("POST", _PATH, body=self._sent(body))["pipeline_id"])

    def read(self, id_: str) -> Body | None:
        """Return its settings, None if it is gone."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        spec = None if told is None else told.get("spec") or {}
        if spec is None:
            return None
        return {name: value for name, value in spec.items() if name not in _OF_THE_WORKSPACE}

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace its settings."""
        self.api.do("PUT", f"{_PATH}/{id_}", body={**self._sent(body), "id": id_})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - whoever deploys is asked
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", f"{_PATH}/{id_}")

    def find(self, body: Body) -> str | None:
        """Return the id of the one that a deployment of this target made of `body`.

        Its name may be another's too: the place of the target's metadata tells whose it is.
        """
        mine = (body.get("deployment") or {}).get("metadata_file_path")
        name = str(body.get("name", "")).replace("'", "''")
        told: dict[str, Any] = self.api.do("GET", _PATH, query={"filter": f"name LIKE '{name}'"})
        for one in told.get("statuses") or ():
            found = told_at(self.api, f"{_PATH}/{one['pipeline_id']}") or {}
            deployment = (found.get("spec") or {}).get("deployment") or {}
            if mine and deployment.get("metadata_file_path") == mine:
                return str(one["pipeline_id"])
        return None

    def _sent(self, body: Body) -> dict[str, Any]:
        if not isinstance(self.api, LocalApi):
            return {name: value for name, value in body.items() if name != "dry_run"}
        # The local workspace is one place for all targets, and acts as nobody for a pipeline.
        sent = {n: v for n, v in body.items() if n not in {*_OF_THE_CALL, "run_as"}}
        return {**sent, "allow_duplicate_names": True}
