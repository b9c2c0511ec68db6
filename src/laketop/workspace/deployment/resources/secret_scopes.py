"""Secret scopes."""

from __future__ import annotations

from laketop.workspace.deployment.api import remove
from laketop.workspace.deployment.kind import Body, Kind

_PATH = "/api/2.0/secrets/scopes"


class SecretScopes(Kind):
    """A secret scope; its secrets go with it."""

    immutable = frozenset({"scope", "scope_backend_type", "backend_azure_keyvault"})
    holds_data = True
    shareable = True

    def create(self, body: Body) -> str:
        """Create it; its name is its id."""
        self.api.do("POST", f"{_PATH}/create", body=body)
        return str(body["scope"])

    def read(self, id_: str) -> Body | None:
        """Return its name and where its secrets are kept, None if it is gone."""
        for scope in self.api.do("GET", f"{_PATH}/list").get("scopes") or ():
            if scope["name"] == id_:
                return {"scope": id_, "scope_backend_type": scope.get("backend_type")}
        return None

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Do nothing: what a scope has can only be chosen when it is created."""

    def delete(self, id_: str, *, purge: bool) -> None:  # noqa: ARG002 - whoever deploys is asked
        """Delete it; fine if it is gone."""
        remove(self.api, "POST", f"{_PATH}/delete", {"scope": id_})

    def find(self, body: Body) -> str | None:
        """Return its name if it is there."""
        return str(body["scope"]) if self.read(str(body["scope"])) is not None else None
