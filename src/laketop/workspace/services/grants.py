"""What is granted on catalogs and on what they hold."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from databricks.sdk.errors.platform import InvalidParameterValue, NotFound
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace import lake
from laketop.workspace.pages import page_of
from laketop.workspace.privileges import APPLICABLE, Privileges
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_DEPTHS = {"METASTORE": 0, "CATALOG": 1, "SCHEMA": 2, "TABLE": 3, "VOLUME": 3, "FUNCTION": 3}
_SMALLEST_PAGE = 150

Changes = list[dict[str, Any]]
Assignments = dict[str, list[dict[str, Any]]]


class Grants(UnityService):
    """Grants and effective grants, which the engine enforces.

    Source: Databricks docs, privileges and Unity Catalog API.

    Models are of the type `function`.
    """

    @property
    def _privileges(self) -> Privileges:
        return Privileges(self._lake)

    @route("GET /api/2.1/unity-catalog/permissions/{securable_type}/{full_name}", hold="check")
    def get(
        self,
        securable_type: str,
        full_name: str,
        principal: str | None = None,
        max_results: int = 0,
    ) -> Assignments:
        """Return what was granted on just this object, by principal."""
        _check_page(max_results)
        type_, name = _named(securable_type, full_name)
        found = self._privileges.on(type_, name)
        return {
            "privilege_assignments": [
                {"principal": who, "privileges": [_sent(each) for each in privileges]}
                for who, privileges in found.items()
                if principal in {None, who}
            ]
        }

    @route(
        "GET /api/2.1/unity-catalog/effective-permissions/{securable_type}/{full_name}",
        hold="check",
    )
    def get_effective(
        self,
        securable_type: str,
        full_name: str,
        principal: str | None = None,
        max_results: int = 0,
    ) -> Assignments:
        """Return what was granted on the object and on what holds it, by principal."""
        _check_page(max_results)
        type_, name = _named(securable_type, full_name)
        by_principal: dict[str, list[dict[str, Any]]] = {}
        for who, privilege, kind, holder in self._privileges.effective(type_, name):
            if principal not in {None, who}:
                continue
            inherited = {"inherited_from_type": kind, "inherited_from_name": holder}
            by_principal.setdefault(who, []).append(
                {"privilege": _sent(privilege), **({} if holder == name else inherited)}
            )
        return {
            "privilege_assignments": [
                {"principal": who, "privileges": privileges}
                for who, privileges in sorted(by_principal.items())
            ]
        }

    @route(
        "GET /api/2.1/unity-catalog/privilege-assignments/{securable_type}/{full_name}",
        hold="check",
    )
    def list(
        self,
        *,
        securable_type: str,
        full_name: str,
        principal: str | None = None,
        page_size: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return what was granted on just this object, by principal, by pages."""
        found = self.get(securable_type, full_name, principal)
        return _page(found, "privilege_assignments", page_size, page_token)

    @route(
        "GET /api/2.1/unity-catalog/effective-privilege-assignments/{securable_type}/{full_name}",
        hold="check",
    )
    def list_effective(
        self,
        *,
        securable_type: str,
        full_name: str,
        principal: str | None = None,
        page_size: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return what was granted on the object and on what holds it, by principal, by pages."""
        found = self.get_effective(securable_type, full_name, principal)
        return _page(found, "effective_privilege_assignments", page_size, page_token)

    @route("PATCH /api/2.1/unity-catalog/permissions/{securable_type}/{full_name}", hold="check")
    def update(
        self,
        securable_type: str,
        full_name: str,
        changes: Changes | None = None,
        omit_permissions_in_response: bool = False,
    ) -> Assignments:
        """Grant and revoke; all changes or none."""
        type_, name = _named(securable_type, full_name)
        self._rights_to_grant(type_, name)
        for change in changes or ():
            _check_change(change)
        for change in changes or ():
            self._privileges.change(
                type_,
                name,
                change["principal"],
                add=[_kept(each) for each in change.get("add") or ()],
                remove=[_kept(each) for each in change.get("remove") or ()],
            )
        return {} if omit_permissions_in_response else self.get(securable_type, full_name)

    def _rights_to_grant(self, type_: str, name: str) -> None:
        """Let only owners and who may MANAGE grant. Errors: PermissionDenied."""
        if type_ == "METASTORE":
            self.workspace.require_admin()
        elif type_ == "FUNCTION":
            self.workspace.registered_models.require_manage(name)
        else:
            self._rights.require_manage(type_, name)

    async def check(self, securable_type: str, full_name: str, **_others: Any) -> None:
        """Check before the transaction that the object is there: a model takes its time."""
        await anyio.to_thread.run_sync(self._check, securable_type, full_name)

    def _check(self, securable_type: str, full_name: str) -> None:
        type_, name = _named(securable_type, full_name)
        home = self._lake
        names = name.split(".")
        if type_ == "METASTORE":
            return
        if type_ == "CATALOG":
            home.catalog(name)
        elif type_ == "SCHEMA":
            home.schema(*names)
        elif type_ == "VOLUME":
            home.volume(*names)
        elif type_ == "TABLE":
            home.schema(*names[:2])
            if names[2] not in home.tables(*names[:2]):
                raise NotFound(f"Table '{name}' does not exist.", error_code="TABLE_DOES_NOT_EXIST")
        elif names[2] not in home.listed("functions", *names[:2]):
            self.workspace.registered_models.existing(name)


def _named(securable_type: str, full_name: str) -> tuple[str, str]:
    type_ = securable_type.upper()
    type_ = "FUNCTION" if type_ in {"MODEL", "REGISTERED_MODEL"} else type_
    if type_ not in APPLICABLE:
        raise NotServed(f"laketop keeps no grants on the type {securable_type[:50]!r}.")
    if type_ == "METASTORE":
        return type_, "metastore"
    return type_, ".".join(lake.parts(full_name, _DEPTHS[type_], type_.lower()))


def _check_change(change: dict[str, Any]) -> None:
    principal = change.get("principal")
    if not isinstance(principal, str) or not principal or "|" in principal:
        raise InvalidParameterValue("A change names one principal.")
    for name in ("add", "remove"):
        listed = change.get(name) or []
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise InvalidParameterValue(f"The {name} of a change is a list of privileges.")


def _page(found: Assignments, field: str, page_size: int, page_token: str | None) -> dict[str, Any]:
    by_principal = {one["principal"]: one for one in found["privilege_assignments"]}
    names, more = page_of(sorted(by_principal), page_size, page_token)
    return {field: [by_principal[name] for name in names], **more}


def _check_page(max_results: int) -> None:
    if max_results < 0 or 0 < max_results < _SMALLEST_PAGE:
        raise InvalidParameterValue(f"max_results is 0 or at least {_SMALLEST_PAGE}.")


def _sent(privilege: str) -> str:
    return privilege.replace(" ", "_")


def _kept(privilege: str) -> str:
    kept = privilege.upper().replace("_", " ")
    return "ALL PRIVILEGES" if kept == "ALL" else kept
