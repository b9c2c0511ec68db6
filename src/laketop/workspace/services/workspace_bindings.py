"""Which workspaces a catalog is bound to, kept in the catalog's own file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.catalog import WorkspaceBinding, WorkspaceBindingBindingType

from laketop.workspace import lake
from laketop.workspace.kept import fields_of
from laketop.workspace.pages import page_of
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_KEY = "bindings"
_ISOLATED = "ISOLATED"
_WHOLE = WorkspaceBindingBindingType.BINDING_TYPE_READ_WRITE.value
_PLACE = "/api/2.1/unity-catalog/bindings/{securable_type}/{securable_name}"
_OLDER = "/api/2.1/unity-catalog/workspace-bindings/catalogs/{name}"


class WorkspaceBindings(UnityService):
    """Bindings of catalogs, which count for those whose isolation mode is ISOLATED.

    The engine keeps no workspace out of a catalog. So an isolated one is bound to every workspace
    there is, and whatever would leave one out is refused.
    Source: databricks-sdk, `catalog.WorkspaceBindingsAPI`.
    """

    @route(f"GET {_PLACE}")
    def get_bindings(
        self,
        securable_type: str,
        securable_name: str,
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the bindings of a catalog, by the ids of the workspaces, by pages."""
        _check_type(securable_type)
        bound = _bound(self._lake.catalog(self._managed(securable_name)))
        ids, more = page_of(sorted(bound), max_results, page_token)
        return {"bindings": [_shown(id_, bound[id_]) for id_ in ids], **more}

    @route(f"PATCH {_PLACE}")
    def update_bindings(
        self,
        securable_type: str,
        securable_name: str,
        add: list[Any] | None = None,
        remove: list[Any] | None = None,
    ) -> dict[str, Any]:
        """Bind a catalog to workspaces, and to others no more.

        Errors: NotFound for a workspace; NotImplemented for what would keep one out.
        """
        _check_type(securable_type)
        bound = self._changed(securable_name, _sent(add), _sent(remove))
        return {"bindings": [_shown(id_, bound[id_]) for id_ in sorted(bound)]}

    @route(f"GET {_OLDER}")
    def get(self, name: str) -> dict[str, Any]:
        """Return the ids of the workspaces that a catalog is bound to."""
        bound = _bound(self._lake.catalog(self._managed(name)))
        return {"workspaces": sorted(int(id_) for id_ in bound)}

    @route(f"PATCH {_OLDER}")
    def update(
        self,
        name: str,
        assign_workspaces: list[int] | None = None,
        unassign_workspaces: list[int] | None = None,
    ) -> dict[str, Any]:
        """Bind a catalog to workspaces, and to others no more; errors as `update_bindings`."""
        adding = {str(id_): _WHOLE for id_ in assign_workspaces or ()}
        removing = {str(id_): _WHOLE for id_ in unassign_workspaces or ()}
        bound = self._changed(name, adding, removing)
        return {"workspaces": sorted(int(id_) for id_ in bound)}

    def isolated(self, entry: lake.Entry) -> lake.Entry:
        """Return the entry of a catalog, isolated and bound to the caller's workspace too."""
        own = {str(self.workspace.workspace_id): _WHOLE}
        return {
            **entry,
            "isolation_mode": _ISOLATED,
            _KEY: json.dumps({**own, **_bound(entry)}, sort_keys=True),
        }

    def check(self, name: str, entry: lake.Entry) -> None:
        """Refuse an isolated catalog that one of the workspaces here is not bound to.

        Errors: NotImplemented.
        """
        if entry.get("isolation_mode") != _ISOLATED:
            return
        bound = _bound(entry)
        for other in self.workspace.workspaces.all().values():
            if bound.get(str(other.workspace_id)) != _WHOLE:
                raise NotServed(
                    f"laketop does not keep workspace '{other.name}' ({other.workspace_id}) out of"
                    f" the catalog '{name}', nor from writing to it."
                )

    def check_new_workspace(self) -> None:
        """Refuse another workspace while a catalog is isolated. Errors: NotImplemented."""
        for name in self._lake.catalogs():
            if self._lake.catalog(name).get("isolation_mode") == _ISOLATED:
                raise NotServed(
                    f"laketop does not keep a new workspace out of the isolated catalog '{name}'."
                )

    def _managed(self, name: str) -> str:
        name = lake.checked(name)
        self._rights.require_manage("CATALOG", name)
        return name

    def _changed(
        self, name: str, adding: Mapping[str, str], removing: Mapping[str, str]
    ) -> dict[str, str]:
        name = self._managed(name)
        known = {str(one.workspace_id) for one in self.workspace.workspaces.all().values()}
        for id_ in adding:
            if id_ not in known:
                raise NotFound(f"Workspace {id_} does not exist.")
        with self._lake.alone():
            entry = self._lake.catalog(name)
            left = {id_: type_ for id_, type_ in _bound(entry).items() if id_ not in removing}
            bound = {**left, **adding}
            entry[_KEY] = json.dumps(bound, sort_keys=True)
            self.check(name, entry)
            self._lake.keep(self._lake.folder(name) / "_catalog.json", entry)
        return bound


def _check_type(type_: str) -> None:
    if type_ in {"storage_credential", "credential", "external_location"}:
        raise NotServed(f"laketop binds catalogs to workspaces, and no {type_}.")
    if type_ != "catalog":
        raise InvalidParameterValue(f"The securable_type {type_[:100]!r} has no bindings.")


def _sent(bindings: list[Any] | None) -> dict[str, str]:
    found = {}
    for one in bindings or ():
        if not isinstance(one, dict):
            raise InvalidParameterValue("A binding is an object.")
        fields = fields_of(WorkspaceBinding, one)
        found[str(fields["workspace_id"])] = fields.get("binding_type", _WHOLE)
    return found


def _bound(entry: lake.Entry) -> dict[str, str]:
    return dict(json.loads(entry.get(_KEY, "{}")))


def _shown(id_: str, type_: str) -> dict[str, Any]:
    return {"workspace_id": int(id_), "binding_type": type_}
