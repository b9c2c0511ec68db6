"""Jobs."""

from __future__ import annotations

from typing import Any

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.2/jobs"
_ARRAYS = ("tasks", "job_clusters", "environments", "parameters")
_MOST_LISTED = 100


class Jobs(Kind):
    """A job; its runs stay when it goes, and a run that is under way keeps its settings."""

    def create(self, body: Body) -> str:
        """Create it and return its id."""
        return str(self.api.do("POST", f"{_PATH}/create", body=body)["job_id"])

    def read(self, id_: str) -> Body | None:
        """Return its settings, every page of their arrays; None if it is gone."""
        settings: dict[str, Any] = {}
        token = None
        while True:
            query = {"job_id": id_, **({"page_token": token} if token else {})}
            told = told_at(self.api, f"{_PATH}/get", query)
            if told is None:
                return None
            for name, value in told["settings"].items():
                if name in _ARRAYS and name in settings:
                    settings[name] = [*settings[name], *value]
                else:
                    settings[name] = value
            token = told.get("next_page_token")
            if not token:
                return settings

    def update(self, id_: str, body: Body, now: Body) -> None:  # noqa: ARG002 - all is replaced
        """Replace its settings."""
        self.api.do("POST", f"{_PATH}/reset", body={"job_id": int(id_), "new_settings": body})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - a job holds no data
        """Delete it; fine if it is gone."""
        remove(self.api, "POST", f"{_PATH}/delete", {"job_id": int(id_)})

    def find(self, body: Body) -> str | None:
        """Return the id of the job that a deployment of this target made of `body`.

        Names of jobs are not unique: the place of the target's metadata tells whose it is.
        """
        mine = (body.get("deployment") or {}).get("metadata_file_path")
        query = {"name": body.get("name", ""), "limit": _MOST_LISTED}
        for job in self.api.do("GET", f"{_PATH}/list", query=query).get("jobs", ()):
            deployment = job["settings"].get("deployment") or {}
            if mine and deployment.get("metadata_file_path") == mine:
                return str(job["job_id"])
        return None

    def values(self, id_: str, body: Body) -> dict[str, Any]:  # noqa: ARG002 - as in the class above
        """Return the id, under both of its names."""
        return {"id": id_, "job_id": id_}
