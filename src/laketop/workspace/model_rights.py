"""Who may do what with registered models, in either dialect of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.errors.platform import PermissionDenied

from laketop.workspace import model_events
from laketop.workspace.securables import Securables

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


class ModelRights:
    """Rights of the caller by ownership of the model, by grants, or as an admin.

    Source: Databricks docs, privileges; the models' grants are those of functions.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def allow(self, right: str, name: str, owner: str | None) -> None:
        """Let only callers pass who may; READ is to know of a model, by any privilege on it.

        Errors: PermissionDenied. A model that is not there is left to be not found.
        """
        rights = Securables(self._workspace)
        if right == "CREATE MODEL":
            rights.require_create(right, name.rpartition(".")[0])
        elif owner is None or self._workspace.is_admin or self._owns(owner):
            return
        elif right == "READ":
            rights.require_sees("MODEL", name)
        elif right == "MANAGE":
            rights.require_manage("MODEL", name)
        else:
            rights.require(right, "MODEL", name)

    def sees(self, name: str, owner: str | None) -> bool:
        """Tell whether the caller may know of a model."""
        try:
            self.allow("READ", name, owner)
        except PermissionDenied:
            return False
        return True

    def require_watching(self, scope: str) -> None:
        """Let only callers pass who may be told of a model or of a schema's; of all, only admins.

        Errors: PermissionDenied. Source: Databricks' page on model update triggers.
        """
        if not scope:
            self._workspace.require_admin()
            return
        schema = ".".join(scope.split(".")[:2])
        owner = model_events.owner(self._workspace.state / "mlflow.db", scope)
        if owner is None:
            Securables(self._workspace).require("EXECUTE", "SCHEMA", schema)
        else:
            self.allow("EXECUTE", scope, owner)

    def _owns(self, owner: str) -> bool:
        return owner == self._workspace.user or owner in self._workspace.groups_of_caller()
