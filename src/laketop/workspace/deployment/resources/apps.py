"""Databricks Apps: their settings; the code of an app is deployed when it is run."""

from __future__ import annotations

from laketop.workspace.deployment.api import remove, told_at
from laketop.workspace.deployment.kind import Body, ByName

_PATH = "/api/2.0/apps"
_FIELDS = (
    *("name", "description", "resources", "user_api_scopes", "budget_policy_id"),
    *("usage_policy_id", "compute_size", "git_repository", "telemetry_export_destinations"),
)


class Apps(ByName):
    """An app, made without compute. Source: databricks-sdk, `apps.AppsAPI`."""

    immutable = frozenset({"name"})

    def create(self, body: Body) -> str:
        """Create it; its name is its id."""
        self.api.do("POST", _PATH, query={"no_compute": "true"}, body=_own(body))
        return str(body["name"])

    def read(self, id_: str) -> Body | None:
        """Return the fields that the bundle may set, None if it is gone."""
        told = told_at(self.api, f"{_PATH}/{id_}")
        return None if told is None else _own(told)

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Change its settings; a text or a list that the bundle no longer has is emptied."""
        emptied = {name: type(value)() for name, value in now.items() if name not in body}
        self.api.do("PATCH", f"{_PATH}/{id_}", body={**emptied, **_own(body)})

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - an app holds no data
        """Delete it; fine if it is gone."""
        remove(self.api, "DELETE", f"{_PATH}/{id_}")


def _own(body: Body) -> dict[str, object]:
    return {name: body[name] for name in _FIELDS if body.get(name)}
