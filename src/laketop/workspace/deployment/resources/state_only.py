"""The types that nothing on the local workspace runs: kept as state, and no more."""

from __future__ import annotations

from laketop.workspace.deployment.kind import Body, Kind


class StateOnly(Kind):
    """A resource that is known to the deployment alone; its key is its id."""

    def create(self, body: Body) -> str:
        """Return the name that the body gives it; there is nothing to create."""
        names = (body.get(field) for field in ("name", "display_name", "cluster_name"))
        return str(next((name for name in names if name), "state-only"))

    def read(self, id_: str) -> Body | None:  # noqa: ARG002 - nobody else can have changed it
        """Return an empty body: nobody else can change it."""
        return {}

    def update(self, id_: str, body: Body, now: Body) -> None:
        """Do nothing; the state holds the new body."""

    def delete(self, id_: str, *, purge: bool) -> None:
        """Do nothing; the state forgets it."""

    def find(self, body: Body) -> str | None:  # noqa: ARG002 - there is nothing to find
        """Return None."""
        return None
