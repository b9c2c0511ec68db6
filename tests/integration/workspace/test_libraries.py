"""Libraries of clusters, through the official client."""

from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.compute import Library, LibraryInstallStatus, PythonPyPiLibrary


def test_libraries_are_kept_and_said_to_be_skipped(client: WorkspaceClient) -> None:
    cluster = client.clusters.create(spark_version="x", num_workers=0).result().cluster_id or ""
    wanted = [Library(pypi=PythonPyPiLibrary(package="tqdm")), Library(whl="/a.whl")]
    client.libraries.install(cluster, wanted)
    client.libraries.install(cluster, wanted[:1])
    told = list(client.libraries.cluster_status(cluster))
    assert [one.library for one in told] == wanted
    assert {one.status for one in told} == {LibraryInstallStatus.SKIPPED}
    client.libraries.uninstall(cluster, wanted[:1])
    statuses = {one.cluster_id: one for one in client.libraries.all_cluster_statuses()}
    left = statuses[cluster].library_statuses or []
    assert [one.library for one in left] == wanted[1:]
    with pytest.raises(InvalidParameterValue, match="A library is one of"):
        client.libraries.install(cluster, [Library()])
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        client.libraries.install("none", wanted)
