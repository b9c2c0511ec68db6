"""The settings of a workspace, each of which is read with its etag and changed by it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    NotFound,
    ResourceConflict,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service import settings as shapes

from laketop.workspace import lake
from laketop.workspace.kept import masked
from laketop.workspace.service import Service, route
from laketop.workspace.shapes import shaped

_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One type of setting: the field that holds its value, and what holds until it is set.

    `refused` tells why a value cannot be: what the setting governs would not happen here.
    """

    shape: type
    field: str
    default: Mapping[str, Any] | None
    can_be_deleted: bool = True
    refused: Callable[[Mapping[str, Any]], str | None] = lambda _value: None

    @property
    def has_etag(self) -> bool:
        """Whether it is changed by its etag."""
        return any(field.name == "etag" for field in dataclasses.fields(self.shape))


def _only_without(field: str, what: str) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda value: f"laketop has no {what}." if value.get(field) else None


def _begins_in_main(value: Mapping[str, Any]) -> str | None:
    begins = value.get("value") == lake.MAIN
    return None if begins else f"Sessions begin in {lake.MAIN!r}: laketop begins in no other."


def _unrestricted(value: Mapping[str, Any]) -> str | None:
    is_free = value.get("status") == "ALLOW_ALL" and not value.get("disable_gov_tag_creation")
    return None if is_free else "laketop's admins may do everything."


_NO, _YES = {"value": False}, {"value": True}
KINDS: Mapping[str, Kind] = {
    "aibi_dash_embed_ws_acc_policy": Kind(
        shapes.AibiDashboardEmbeddingAccessPolicySetting,
        "aibi_dashboard_embedding_access_policy",
        {"access_policy_type": "ALLOW_APPROVED_DOMAINS"},
    ),
    "aibi_dash_embed_ws_apprvd_domains": Kind(
        shapes.AibiDashboardEmbeddingApprovedDomainsSetting,
        "aibi_dashboard_embedding_approved_domains",
        {"approved_domains": []},
    ),
    "automatic_cluster_update": Kind(
        shapes.AutomaticClusterUpdateSetting,
        "automatic_cluster_update_workspace",
        {"enabled": False},
        can_be_deleted=False,
        refused=_only_without("enabled", "images of clusters that it could update"),
    ),
    "dashboard_email_subscriptions": Kind(shapes.DashboardEmailSubscriptions, "boolean_val", _YES),
    "default_namespace_ws": Kind(
        shapes.DefaultNamespaceSetting, "namespace", None, refused=_begins_in_main
    ),
    "default_warehouse_id": Kind(shapes.DefaultWarehouseId, "string_val", None),
    "disable_legacy_access": Kind(shapes.DisableLegacyAccess, "disable_legacy_access", _NO),
    "disable_legacy_dbfs": Kind(
        shapes.DisableLegacyDbfs,
        "disable_legacy_dbfs",
        _NO,
        refused=_only_without("value", "way to close DBFS"),
    ),
    "enable-export-notebook": Kind(
        shapes.EnableExportNotebook, "boolean_val", _YES, can_be_deleted=False
    ),
    "enable-notebook-table-clipboard": Kind(
        shapes.EnableNotebookTableClipboard, "boolean_val", _YES, can_be_deleted=False
    ),
    "enable-results-downloading": Kind(
        shapes.EnableResultsDownloading, "boolean_val", _YES, can_be_deleted=False
    ),
    "llm_proxy_partner_powered": Kind(shapes.LlmProxyPartnerPoweredWorkspace, "boolean_val", _NO),
    "restrict_workspace_admins": Kind(
        shapes.RestrictWorkspaceAdminsSetting,
        "restrict_workspace_admins",
        {"status": "ALLOW_ALL"},
        refused=_unrestricted,
    ),
    "shield_csp_enablement_ws_db": Kind(
        shapes.ComplianceSecurityProfileSetting,
        "compliance_security_profile_workspace",
        {"is_enabled": False},
        can_be_deleted=False,
        refused=_only_without("is_enabled", "compliance security profile"),
    ),
    "shield_esm_enablement_ws_db": Kind(
        shapes.EnhancedSecurityMonitoringSetting,
        "enhanced_security_monitoring_workspace",
        {"is_enabled": False},
        can_be_deleted=False,
        refused=_only_without("is_enabled", "enhanced security monitoring"),
    ),
    "sql_results_download": Kind(shapes.SqlResultsDownload, "boolean_val", _YES),
}
"""The settings by the name of their type; docs/state.md says what comes of them."""


class Settings(Service):
    """Settings, changed by admins, read by everybody.

    Source: databricks-sdk, `settings.SettingsAPI` and what is below it.
    """

    @route("GET /api/2.0/settings/types/{type}/names/default")
    def get(self, type: str) -> dict[str, Any]:  # noqa: A002 - the name on the wire
        """Return a setting and its etag. Errors: NotFound, which tells the etag, if it is unset."""
        kind = _kind(type)
        value = self._value(type)
        if value is None:
            raise NotFound(f"The setting {type!r} is not set.", details=_told(self._etag(type)))
        return self._shown(type, kind, value)

    @route("PATCH /api/2.0/settings/types/{type}/names/default")
    def update(
        self,
        type: str,  # noqa: A002 - the name on the wire
        setting: dict[str, Any],
        field_mask: str,
        allow_missing: bool = False,
    ) -> dict[str, Any]:
        """Change what the mask names of a setting.

        Errors: ResourceConflict, which tells the etag, for another etag than the setting has;
        NotImplemented for a value that would govern nothing here.
        """
        self.workspace.require_admin()
        kind = _kind(type)
        if not allow_missing:
            raise InvalidParameterValue("allow_missing is always true for settings.")
        self._check_etag(type, kind, setting.get("etag"))
        whole = {kind.field: self._value(type) or {}}
        sent = {kind.field: shaped(kind.shape, setting).get(kind.field) or {}}
        changed = masked(whole, sent, field_mask, shape=kind.shape, fixed=("etag", "setting_name"))
        value = shaped(kind.shape, changed)[kind.field]
        self._check(type, kind, value)
        self._settings[type] = value
        return self._shown(type, kind, value)

    @route("DELETE /api/2.0/settings/types/{type}/names/default")
    def delete(self, type: str, etag: str | None = None) -> dict[str, Any]:  # noqa: A002 - as above
        """Let a setting be as it is from the start. Errors: ResourceConflict, as for `update`."""
        self.workspace.require_admin()
        kind = _kind(type)
        if not kind.can_be_deleted:
            raise NotServed(f"The setting {type!r} cannot be deleted.")
        if etag is not None:
            self._check_etag(type, kind, etag)
        self._settings.pop(type, None)
        return {"etag": self._etag(type)}

    @property
    def _settings(self) -> Any:
        return self.table("settings")

    def _value(self, type_: str) -> dict[str, Any] | None:
        default = KINDS[type_].default
        found: dict[str, Any] | None = self._settings.get(type_, default and dict(default))
        return found

    def _etag(self, type_: str) -> str:
        told = json.dumps([type_, self._settings.get(type_)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def _check_etag(self, type_: str, kind: Kind, etag: Any) -> None:
        now = self._etag(type_)
        if kind.has_etag and etag != now:
            raise ResourceConflict(
                f"The etag of the setting {type_!r} is not the one that it has now.",
                details=_told(now),
            )

    def _check(self, type_: str, kind: Kind, value: dict[str, Any]) -> None:
        reason = kind.refused(value)
        if reason:
            raise NotServed(f"The setting {type_!r} cannot be so: {reason}")
        if type_ == "default_warehouse_id" and value.get("value"):
            self.workspace.warehouses.existing(value["value"])

    def _shown(self, type_: str, kind: Kind, value: dict[str, Any]) -> dict[str, Any]:
        etag = {"etag": self._etag(type_)} if kind.has_etag else {}
        return {**etag, "setting_name": "default", kind.field: value}


def _kind(type_: str) -> Kind:
    if type_ not in KINDS:
        raise NotServed(f"laketop has no settings of the type {type_[:100]!r}.")
    return KINDS[type_]


def _told(etag: str) -> list[dict[str, Any]]:
    return [
        {
            "@type": _ERROR_INFO,
            "reason": "SETTING_ETAG",
            "domain": "settings",
            "metadata": {"etag": etag},
        }
    ]
