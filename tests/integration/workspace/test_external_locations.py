"""External locations, through the official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.catalog import AwsIamRoleRequest

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ROLE = AwsIamRoleRequest("arn:aws:iam::123456789012:role/r")


@pytest.fixture
def credential(client: WorkspaceClient) -> Iterator[str]:
    yield client.storage_credentials.create("key", aws_iam_role=ROLE).name or ""
    client.storage_credentials.delete("key", force=True)


def test_a_location_is_kept_changed_listed_and_forgotten(
    client: WorkspaceClient, ann: WorkspaceClient, credential: str
) -> None:
    api = client.external_locations
    made = api.create("raw", "s3://bucket/raw", credential, comment="c", read_only=True)
    assert (made.url, made.credential_name, made.read_only) == ("s3://bucket/raw", "key", True)
    assert made.credential_id == client.storage_credentials.get("key").id
    assert api.get("raw") == made
    with pytest.raises(PermissionDenied):
        ann.external_locations.get("raw")
    with pytest.raises(PermissionDenied):
        ann.external_locations.create("hers", "s3://other", credential)
    other = api.create("other", "gs://bucket", credential)
    assert [one.name for one in api.list(max_results=1)] == ["other", "raw"]
    changed = api.update("raw", new_name="landing", url="s3://bucket/landing", comment="d")
    assert (changed.name, changed.url, changed.read_only) == (
        "landing",
        "s3://bucket/landing",
        True,
    )
    assert changed.credential_id == made.credential_id
    for name in ("landing", str(other.name)):
        api.delete(name)
    with pytest.raises(NotFound, match="External Location 'raw' does not exist") as gone:
        api.delete("raw")
    assert gone.value.error_code == "EXTERNAL_LOCATION_DOES_NOT_EXIST"


def test_locations_do_not_overlap_and_have_a_place_and_a_credential(
    client: WorkspaceClient, credential: str
) -> None:
    api = client.external_locations
    api.create("one", "s3://bucket/a", credential)
    for url in ("s3://bucket/a/b", "s3://bucket", "s3://bucket/a/"):
        with pytest.raises(BadRequest, match="overlaps with the external location 'one'"):
            api.create("two", url, credential)
    api.create("beside", "s3://bucket/ab", credential)
    for url in ("file:/tmp", "bucket", "s3://"):
        with pytest.raises(InvalidParameterValue, match="is not s3://"):
            api.create("two", url, credential)
    with pytest.raises(NotFound, match="Credential 'none' does not exist"):
        api.create("two", "s3://two", "none")
    for name in ("one", "beside"):
        api.delete(name)


def test_a_credential_of_a_location_stays_and_its_new_name_is_known(
    client: WorkspaceClient, credential: str
) -> None:
    client.external_locations.create("one", "s3://bucket/a", credential)
    with pytest.raises(BadRequest, match="named by the external location 'one'"):
        client.storage_credentials.delete(credential)
    client.storage_credentials.update(credential, new_name="new")
    assert client.external_locations.get("one").credential_name == "new"
    client.storage_credentials.update("new", new_name=credential)
    client.external_locations.delete("one")
