"""What is answered holds nothing that the SDK's dataclasses do not know."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import catalog, compute, files, iam, jobs, settings, sql, workspace
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.jobs import ConditionTask, ConditionTaskOp, Task

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

UC = "/api/2.1/unity-catalog"
SCIM = "/api/2.0/preview/scim/v2"


@pytest.fixture(scope="module")
def ids(client: WorkspaceClient) -> dict[str, str]:
    """Make one of everything, and return what the paths name it by."""
    name = f"r{secrets.token_hex(4)}"
    client.catalogs.create(name, comment="c")
    client.schemas.create(name, name, comment="c")
    client.volumes.create(name, name, "v", VolumeType.MANAGED)
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
        "warehouse": str(next(iter(client.warehouses.list())).id),
        "metastore": str(client.metastores.current().metastore_id),
    }


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (catalog.CatalogInfo, f"{UC}/catalogs/{{name}}"),
        (catalog.ListCatalogsResponse, f"{UC}/catalogs"),
        (catalog.SchemaInfo, f"{UC}/schemas/{{name}}.{{name}}"),
        (catalog.VolumeInfo, f"{UC}/volumes/{{name}}.{{name}}.v"),
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
    ],
)
def test_an_answer_goes_through_its_dataclass(
    client: WorkspaceClient, ids: dict[str, str], kind: Any, path: str
) -> None:
    sent = client.api_client.do("GET", path.format(**ids))
    assert full(kind.from_dict(sent).as_dict()) == full(sent)


def full(value: Any) -> Any:
    """Return a value without what is empty, which dataclasses do not tell from what is absent."""
    if isinstance(value, dict):
        inner = {name: full(one) for name, one in value.items()}
        return {n: v for n, v in inner.items() if v not in (None, [], {}, "", 0, False)}
    return [full(one) for one in value] if isinstance(value, list) else value
