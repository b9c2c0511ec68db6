"""What is answered holds nothing that the SDK's dataclasses do not know."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import (
    apps,
    catalog,
    compute,
    dashboards,
    files,
    iam,
    jobs,
    pipelines,
    settings,
    sql,
    tags,
    workspace,
)
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, Task
from tests.integration.workspace.answers import full, misread
from tests.integration.workspace.test_functions import TABLE, of
from tests.integration.workspace.test_tables import write_table

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

UC = "/api/2.1/unity-catalog"
SCIM = "/api/2.0/preview/scim/v2"


@pytest.fixture(scope="module")
def ids(client: WorkspaceClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make one of everything, and return what the paths name it by."""
    name = f"r{secrets.token_hex(4)}"
    client.catalogs.create(name, comment="c")
    client.schemas.create(name, name, comment="c")
    client.volumes.create(name, name, "v", VolumeType.MANAGED)
    place = tmp_path_factory.mktemp("outside")
    kind = VolumeType.EXTERNAL
    client.volumes.create(name, name, "e", kind, storage_location=str(place / "volume"))
    write_table(place / "t")
    kinds = (catalog.TableType.EXTERNAL, catalog.DataSourceFormat.DELTA)
    client.tables.create("t", name, name, *kinds, (place / "t").as_uri(), properties={"a": "b"})
    client.functions.create(of(f"{name}.{name}", "f", **TABLE))
    client.workspace.mkdirs(f"/Shared/{name}")
    client.secrets.create_scope(name)
    client.secrets.put_secret(name, "k", string_value="v")
    client.dbfs.put(f"/{name}", contents="")
    condition = ConditionTask(left="1", op=ConditionTaskOp.EQUAL_TO, right="1")
    task = Task(task_key="only", condition_task=condition)
    job = client.jobs.create(name=name, tasks=[task], tags={"a": "b"}).job_id or 0
    run = client.jobs.run_now(job).result().run_id
    cluster = client.clusters.create(spark_version="x", cluster_name=name, num_workers=1).result()
    client.libraries.install(cluster.cluster_id or "", [compute.Library(whl="/a.whl")])
    token = client.tokens.create(comment=name).token_info
    assert token is not None
    query = sql.CreateQueryRequestQuery(display_name=name, query_text="SELECT 1")
    warehouse = str(next(iter(client.warehouses.list())).id)
    role = catalog.AwsIamRole(role_arn="arn:aws:iam::123456789012:role/r")
    client.credentials.create_credential(name, aws_iam_role=role)
    client.external_locations.create(name, f"s3://{name}", name)
    client.connections.create(name, catalog.ConnectionType.MYSQL, {"host": "h"})
    client.tag_policies.create_tag_policy(tags.TagPolicy(name, values=[tags.Value("a")]))
    client.apps.create(apps.App(name=name))
    draft = dashboards.Dashboard(display_name=name)
    email = settings.Config(email=settings.EmailConfig(addresses=["a@example.org"]))
    return {
        "name": name,
        "job": str(job),
        "run": str(run),
        "cluster": str(cluster.cluster_id),
        "policy": str(client.cluster_policies.create(name=name).policy_id),
        "pool": str(client.instance_pools.create(name, "n").instance_pool_id),
        "user": str(client.users_v2.create(user_name=name).id),
        "group": str(client.groups_v2.create(display_name=name).id),
        "robot": str(client.service_principals_v2.create(display_name=name).id),
        "token": str(token.token_id),
        "query": str(client.queries.create(query=query).id),
        "warehouse": warehouse,
        "alert": str(client.alerts_v2.create_alert(alert_of(warehouse)).id),
        "dashboard": str(client.lakeview.create(draft).dashboard_id),
        "pipeline": str(client.pipelines.create(name=name, catalog="main").pipeline_id),
        "place": str(client.notification_destinations.create(config=email, display_name=name).id),
        "script": str(client.global_init_scripts.create(name, "ZWNobw==").script_id),
        "metastore": str(client.metastores.current().metastore_id),
    }


def alert_of(warehouse: str) -> sql.AlertV2:
    """Return an alert that has what it must have."""
    return sql.AlertV2(
        display_name="a",
        query_text="SELECT 1 AS n",
        warehouse_id=warehouse,
        evaluation=sql.AlertV2Evaluation(
            source=sql.AlertV2OperandColumn(name="n"),
            comparison_operator=sql.ComparisonOperator.IS_NULL,
        ),
        schedule=sql.CronSchedule(quartz_cron_schedule="0 0 6 * * ?", timezone_id="UTC"),
    )


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (catalog.CatalogInfo, f"{UC}/catalogs/{{name}}"),
        (catalog.ListCatalogsResponse, f"{UC}/catalogs"),
        (catalog.SchemaInfo, f"{UC}/schemas/{{name}}.{{name}}"),
        (catalog.VolumeInfo, f"{UC}/volumes/{{name}}.{{name}}.v"),
        (catalog.VolumeInfo, f"{UC}/volumes/{{name}}.{{name}}.e"),
        (catalog.TableInfo, f"{UC}/tables/{{name}}.{{name}}.t"),
        (catalog.ListTablesResponse, f"{UC}/tables?catalog_name={{name}}&schema_name={{name}}"),
        (catalog.FunctionInfo, f"{UC}/functions/{{name}}.{{name}}.f"),
        (
            catalog.ListFunctionsResponse,
            f"{UC}/functions?catalog_name={{name}}&schema_name={{name}}",
        ),
        (catalog.GetMetastoreSummaryResponse, f"{UC}/metastore_summary"),
        (catalog.MetastoreInfo, f"{UC}/metastores/{{metastore}}"),
        (catalog.MetastoreAssignment, f"{UC}/current-metastore-assignment"),
        (catalog.GetPermissionsResponse, f"{UC}/permissions/catalog/{{name}}"),
        (iam.User, f"{SCIM}/Users/{{user}}"),
        (iam.User, f"{SCIM}/Me"),
        (iam.Group, f"{SCIM}/Groups/{{group}}"),
        (iam.ServicePrincipal, f"{SCIM}/ServicePrincipals/{{robot}}"),
        (iam.ListUsersResponse, f"{SCIM}/Users?count=3"),
        (iam.ObjectPermissions, "/api/2.0/permissions/jobs/{job}"),
        (iam.GetPermissionLevelsResponse, "/api/2.0/permissions/jobs/{job}/permissionLevels"),
        (settings.ListPublicTokensResponse, "/api/2.0/token/list"),
        (settings.GetTokenResponse, "/api/2.0/token-management/tokens/{token}"),
        (jobs.Job, "/api/2.2/jobs/get?job_id={job}"),
        (compute.ClusterDetails, "/api/2.1/clusters/get?cluster_id={cluster}"),
        (compute.ListClustersResponse, "/api/2.1/clusters/list"),
        (compute.GetSparkVersionsResponse, "/api/2.1/clusters/spark-versions"),
        (compute.ListNodeTypesResponse, "/api/2.1/clusters/list-node-types"),
        (compute.Policy, "/api/2.0/policies/clusters/get?policy_id={policy}"),
        (compute.GetInstancePool, "/api/2.0/instance-pools/get?instance_pool_id={pool}"),
        (
            compute.ClusterLibraryStatuses,
            "/api/2.0/libraries/cluster-status?cluster_id={cluster}",
        ),
        (files.FileInfo, "/api/2.0/dbfs/get-status?path=/{name}"),
        (workspace.ObjectInfo, "/api/2.0/workspace/get-status?path=/Shared/{name}"),
        (workspace.ListResponse, "/api/2.0/workspace/list?path=/Shared"),
        (workspace.ListSecretsResponse, "/api/2.0/secrets/list?scope={name}"),
        (workspace.ListAclsResponse, "/api/2.0/secrets/acls/list?scope={name}"),
        (workspace.GetSecretResponse, "/api/2.0/secrets/get?scope={name}&key=k"),
        (sql.Query, "/api/2.0/sql/queries/{query}"),
        (sql.GetWarehouseResponse, "/api/2.0/sql/warehouses/{warehouse}"),
        (sql.GetWorkspaceWarehouseConfigResponse, "/api/2.0/sql/config/warehouses"),
        (sql.AlertV2, "/api/2.0/alerts/{alert}"),
        (sql.ListAlertsV2Response, "/api/2.0/alerts"),
        (sql.LegacyQuery, "/api/2.0/preview/sql/queries/{query}"),
        (sql.GetResponse, "/api/2.0/preview/sql/permissions/queries/{query}"),
        (dashboards.Dashboard, "/api/2.0/lakeview/dashboards/{dashboard}"),
        (dashboards.ListDashboardsResponse, "/api/2.0/lakeview/dashboards"),
        (pipelines.GetPipelineResponse, "/api/2.0/pipelines/{pipeline}"),
        (pipelines.ListPipelinesResponse, "/api/2.0/pipelines"),
        (pipelines.ListPipelineEventsResponse, "/api/2.0/pipelines/{pipeline}/events"),
        (apps.App, "/api/2.0/apps/{name}"),
        (apps.ListAppsResponse, "/api/2.0/apps"),
        (tags.TagPolicy, "/api/2.1/tag-policies/{name}"),
        (catalog.CredentialInfo, f"{UC}/credentials/{{name}}"),
        (catalog.StorageCredentialInfo, f"{UC}/storage-credentials/{{name}}"),
        (catalog.ListStorageCredentialsResponse, f"{UC}/storage-credentials"),
        (catalog.ExternalLocationInfo, f"{UC}/external-locations/{{name}}"),
        (catalog.ConnectionInfo, f"{UC}/connections/{{name}}"),
        (catalog.ListSystemSchemasResponse, f"{UC}/metastores/{{metastore}}/systemschemas"),
        (settings.NotificationDestination, "/api/2.0/notification-destinations/{place}"),
        (settings.TokenPermissions, "/api/2.0/permissions/authorization/tokens"),
        (compute.GlobalInitScriptDetailsWithContent, "/api/2.0/global-init-scripts/{script}"),
    ],
)
def test_an_answer_goes_through_its_dataclass(
    client: WorkspaceClient, ids: dict[str, str], kind: Any, path: str
) -> None:
    sent = client.api_client.do("GET", path.format(**ids))
    assert full(kind.from_dict(sent).as_dict()) == full(sent)


@pytest.mark.parametrize(
    ("path", "answer", "field"),
    [
        (f"{UC}/catalogs/c", {"name": "c", "color": "red"}, "color (CatalogInfo)"),
        (f"{UC}/catalogs/c", {"isolation_mode": "SHUT"}, "isolation_mode (CatalogInfo)"),
        (f"{UC}/catalogs", {"catalogs": [{"color": "red"}]}, "color (CatalogInfo)"),
        (f"{UC}/catalogs", {"catalogs": [], "color": "red"}, "color (CatalogInfo)"),
        (f"{UC}/catalogs/c", {"properties": {"color": "red"}}, None),
        (f"{SCIM}/Users", {"Resources": [{"id": "1"}], "itemsPerPage": 1}, None),
        ("/api/2.0/workspace-conf", {"enableGp3": "true"}, None),
    ],
)
def test_what_the_sdk_would_not_read_of_an_answer_is_found(
    path: str, answer: dict[str, Any], field: str | None
) -> None:
    found = misread("GET", path, json.dumps(answer).encode())
    assert found == ([] if field is None else [f"GET {path}: {field}"])
