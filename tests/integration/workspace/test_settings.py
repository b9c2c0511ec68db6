"""The settings of a workspace, through the official client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    NotImplemented,  # noqa: A004 - the SDK's name
    PermissionDenied,
    ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service import settings as shapes
from databricks.sdk.service.settings import BooleanMessage, StringMessage

from laketop.workspace.services.settings import KINDS

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ON, OFF = BooleanMessage(value=True), BooleanMessage(value=False)
DENY = shapes.AibiDashboardEmbeddingAccessPolicyAccessPolicyType.DENY_ALL_DOMAINS
FREE = shapes.RestrictWorkspaceAdminsMessageStatus.ALLOW_ALL
TIED = shapes.RestrictWorkspaceAdminsMessageStatus.RESTRICT_TOKENS_AND_JOB_RUN_AS

# By attribute: the shape, the field that holds the value, a value that it takes, one it refuses.
ETAGGED: dict[str, tuple[Callable[..., Any], str, Any, Any]] = {
    "aibi_dashboard_embedding_access_policy": (
        shapes.AibiDashboardEmbeddingAccessPolicySetting,
        "aibi_dashboard_embedding_access_policy",
        shapes.AibiDashboardEmbeddingAccessPolicy(access_policy_type=DENY),
        None,
    ),
    "aibi_dashboard_embedding_approved_domains": (
        shapes.AibiDashboardEmbeddingApprovedDomainsSetting,
        "aibi_dashboard_embedding_approved_domains",
        shapes.AibiDashboardEmbeddingApprovedDomains(approved_domains=["example.org"]),
        None,
    ),
    "automatic_cluster_update": (
        shapes.AutomaticClusterUpdateSetting,
        "automatic_cluster_update_workspace",
        shapes.ClusterAutoRestartMessage(enabled=False, can_toggle=True),
        shapes.ClusterAutoRestartMessage(enabled=True),
    ),
    "compliance_security_profile": (
        shapes.ComplianceSecurityProfileSetting,
        "compliance_security_profile_workspace",
        shapes.ComplianceSecurityProfile(is_enabled=False),
        shapes.ComplianceSecurityProfile(is_enabled=True),
    ),
    "dashboard_email_subscriptions": (
        shapes.DashboardEmailSubscriptions,
        "boolean_val",
        OFF,
        None,
    ),
    "default_namespace": (
        shapes.DefaultNamespaceSetting,
        "namespace",
        StringMessage(value="main"),
        StringMessage(value="other"),
    ),
    "disable_legacy_access": (shapes.DisableLegacyAccess, "disable_legacy_access", ON, None),
    "disable_legacy_dbfs": (shapes.DisableLegacyDbfs, "disable_legacy_dbfs", OFF, ON),
    "enhanced_security_monitoring": (
        shapes.EnhancedSecurityMonitoringSetting,
        "enhanced_security_monitoring_workspace",
        shapes.EnhancedSecurityMonitoring(is_enabled=False),
        shapes.EnhancedSecurityMonitoring(is_enabled=True),
    ),
    "llm_proxy_partner_powered_workspace": (
        shapes.LlmProxyPartnerPoweredWorkspace,
        "boolean_val",
        ON,
        None,
    ),
    "restrict_workspace_admins": (
        shapes.RestrictWorkspaceAdminsSetting,
        "restrict_workspace_admins",
        shapes.RestrictWorkspaceAdminsMessage(status=FREE),
        shapes.RestrictWorkspaceAdminsMessage(status=TIED),
    ),
    "sql_results_download": (shapes.SqlResultsDownload, "boolean_val", OFF, None),
}
PLAIN: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "enable_export_notebook": (
        lambda api: api.get_enable_export_notebook(),
        lambda api, *arguments: api.patch_enable_export_notebook(*arguments),
        shapes.EnableExportNotebook,
    ),
    "enable_notebook_table_clipboard": (
        lambda api: api.get_enable_notebook_table_clipboard(),
        lambda api, *arguments: api.patch_enable_notebook_table_clipboard(*arguments),
        shapes.EnableNotebookTableClipboard,
    ),
    "enable_results_downloading": (
        lambda api: api.get_enable_results_downloading(),
        lambda api, *arguments: api.patch_enable_results_downloading(*arguments),
        shapes.EnableResultsDownloading,
    ),
}


def etag_of(error: Any) -> str:
    return str(error.get_error_info()[0].metadata["etag"])


def etag_now(api: Any) -> str:
    try:
        return str(api.get().etag)
    except NotFound as error:
        return etag_of(error)


def test_every_type_of_setting_is_tried() -> None:
    assert len(KINDS) == len(ETAGGED) + len(PLAIN) + 1  # the default warehouse has its own test


@pytest.mark.parametrize("name", ETAGGED)
def test_a_setting_is_read_changed_by_its_etag_and_deleted(
    client: WorkspaceClient, name: str
) -> None:
    shape, field, value, refused = ETAGGED[name]
    api = getattr(client.settings, name)
    start = etag_now(api)
    with pytest.raises(ResourceConflict, match="etag") as stale:
        api.update(True, shape(**{field: value}, etag="stale"), field)
    assert etag_of(stale.value) == start
    changed = api.update(True, shape(**{field: value}, etag=start), field)
    assert getattr(changed, field) == value
    assert changed.etag != start
    assert changed.setting_name == "default"
    assert api.get() == changed
    if refused is not None:
        with pytest.raises(NotImplemented, match="cannot be so"):
            api.update(True, shape(**{field: refused}, etag=changed.etag), field)
        assert api.get() == changed
    if hasattr(api, "delete"):
        with pytest.raises(ResourceConflict):
            api.delete(etag=start)
        assert api.delete(etag=changed.etag).etag == start
        assert etag_now(api) == start


@pytest.mark.parametrize("name", PLAIN)
def test_a_setting_without_an_etag_is_read_and_changed(client: WorkspaceClient, name: str) -> None:
    get, patch, shape = PLAIN[name]
    api = getattr(client.settings, name)
    assert get(api).boolean_val == ON
    assert patch(api, True, shape(boolean_val=OFF), "boolean_val.value").boolean_val == OFF
    assert get(api).boolean_val == OFF


def test_the_default_warehouse_is_one_that_is_there(client: WorkspaceClient) -> None:
    api = client.settings.default_warehouse_id
    with pytest.raises(NotFound, match="is not set") as unset:
        api.get()
    etag = etag_of(unset.value)
    nowhere = shapes.DefaultWarehouseId(string_val=StringMessage(value="nowhere"), etag=etag)
    with pytest.raises(ResourceDoesNotExist, match="warehouse nowhere"):
        api.update(True, nowhere, "string_val.value")
    there = StringMessage(value=next(iter(client.warehouses.list())).id)
    made = api.update(True, shapes.DefaultWarehouseId(string_val=there, etag=etag), "string_val")
    assert api.get().string_val == there
    api.delete(etag=made.etag)
    with pytest.raises(NotFound):
        api.get()


def test_what_cannot_be_a_setting_is_refused(client: WorkspaceClient) -> None:
    api = client.settings.disable_legacy_access
    setting = shapes.DisableLegacyAccess(disable_legacy_access=ON, etag=api.get().etag)
    with pytest.raises(InvalidParameterValue, match="allow_missing"):
        api.update(False, setting, "disable_legacy_access")
    with pytest.raises(InvalidParameterValue, match="'other', no such field"):
        api.update(True, setting, "other")
    with pytest.raises(InvalidParameterValue, match="names no field"):
        api.update(True, setting, "")


def test_settings_are_read_by_all_and_changed_by_admins(ann: WorkspaceClient) -> None:
    api = ann.settings.disable_legacy_access
    setting = api.get()
    with pytest.raises(PermissionDenied, match="not an admin"):
        api.update(True, setting, "disable_legacy_access")
    with pytest.raises(PermissionDenied, match="not an admin"):
        api.delete(etag=setting.etag)
