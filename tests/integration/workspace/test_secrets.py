"""Secret scopes and secrets, through the official client."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.errors.platform import BadRequest, DataLoss
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.workspace import AclPermission, ScopeBackendType

from laketop.workspace.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace


@pytest.fixture
def scope(client: WorkspaceClient) -> str:
    name = f"scope-{uuid.uuid4().hex}"
    client.secrets.create_scope(name)
    return name


def _read(client: WorkspaceClient, scope: str, key: str) -> bytes:
    return base64.b64decode(client.secrets.get_secret(scope, key).value or "")


def test_a_secret_is_read_as_it_was_put(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "text", string_value="grün")
    client.secrets.put_secret(scope, "raw", bytes_value=base64.b64encode(b"\x00\xff").decode())
    assert _read(client, scope, "text") == "grün".encode()
    assert _read(client, scope, "raw") == b"\x00\xff"


def test_a_second_put_overwrites(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "key", string_value="one")
    client.secrets.put_secret(scope, "key", string_value="two")
    assert _read(client, scope, "key") == b"two"


def test_listing_shows_keys_and_never_values(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "b", string_value="hidden-value")
    client.secrets.put_secret(scope, "a", string_value="hidden-value")
    listed = list(client.secrets.list_secrets(scope))
    assert [one.key for one in listed] == ["a", "b"]
    assert "hidden-value" not in str(listed)
    assert scope in {one.name for one in client.secrets.list_scopes()}


def test_what_is_deleted_is_gone(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "key", string_value="value")
    client.secrets.delete_secret(scope, "key")
    with pytest.raises(ResourceDoesNotExist, match="Failed to get secret key"):
        client.secrets.get_secret(scope, "key")
    client.secrets.delete_scope(scope)
    with pytest.raises(ResourceDoesNotExist, match="does not exist!"):
        client.secrets.list_secrets(scope).__iter__().__next__()


def test_deleting_a_scope_deletes_its_secrets(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "key", string_value="value")
    client.secrets.delete_scope(scope)
    client.secrets.create_scope(scope)
    assert list(client.secrets.list_secrets(scope)) == []


def test_a_scope_is_made_once(client: WorkspaceClient, scope: str) -> None:
    with pytest.raises(ResourceAlreadyExists, match=f"Scope {scope} already exists!"):
        client.secrets.create_scope(scope)


def test_delete_of_an_unknown_scope_is_not_found(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist):
        client.secrets.delete_scope("nothing")


def test_a_scope_in_a_key_vault_is_refused_by_name(client: WorkspaceClient) -> None:
    with pytest.raises(NotServed, match="AZURE_KEYVAULT"):
        client.secrets.create_scope("v", scope_backend_type=ScopeBackendType.AZURE_KEYVAULT)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 129, "ü"])
def test_names_are_checked(client: WorkspaceClient, scope: str, name: str) -> None:
    with pytest.raises(InvalidParameterValue):
        client.secrets.create_scope(name)
    with pytest.raises(InvalidParameterValue):
        client.secrets.put_secret(scope, name, string_value="value")


def test_a_value_has_a_largest_size(client: WorkspaceClient, scope: str) -> None:
    client.secrets.put_secret(scope, "key", string_value="x" * 128 * 1024)
    with pytest.raises(InvalidParameterValue, match="larger than"):
        client.secrets.put_secret(scope, "key", string_value="x" * (128 * 1024 + 1))


def test_exactly_one_value_is_put(client: WorkspaceClient, scope: str) -> None:
    with pytest.raises(BadRequest, match="Exactly one"):
        client.secrets.put_secret(scope, "key")
    with pytest.raises(BadRequest, match="Exactly one"):
        client.secrets.put_secret(scope, "key", string_value="a", bytes_value="YQ==")


def test_the_files_of_the_workspace_hold_no_value(
    client: WorkspaceClient, workspace: Workspace, scope: str
) -> None:
    value = "correct-horse-battery-staple"
    client.secrets.put_secret(scope, "key", string_value=value)
    forms = [value.encode(), base64.b64encode(value.encode())]
    files = [file for file in workspace.state.rglob("*") if file.is_file()]
    assert len(files) > 1
    assert not [f for f in files if any(form in f.read_bytes() for form in forms)]


def test_the_key_is_readable_by_its_owner_alone(
    client: WorkspaceClient, workspace: Workspace, scope: str
) -> None:
    client.secrets.put_secret(scope, "key", string_value="value")
    assert (workspace.state / "secrets.key").stat().st_mode & 0o777 == 0o600


def test_a_sealed_value_cannot_stand_for_another(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "key", scratch=tmp_path)
    sealed = vault.seal("a/b", b"value")
    assert vault.open("a/b", sealed) == b"value"
    assert vault.seal("a/b", b"value") != sealed
    with pytest.raises(DataLoss):
        vault.open("a/c", sealed)
    with pytest.raises(DataLoss):
        vault.open("a/b", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_acls_are_put_read_listed_and_taken_away(client: WorkspaceClient) -> None:
    client.secrets.create_scope("acls", initial_manage_principal="users")
    client.secrets.put_acl("acls", "ann", AclPermission.READ)
    client.secrets.put_acl("acls", "ann", AclPermission.WRITE)
    assert client.secrets.get_acl("acls", "ann").permission is AclPermission.WRITE
    told = [(one.principal, one.permission) for one in client.secrets.list_acls("acls")]
    assert told == [("ann", AclPermission.WRITE), ("users", AclPermission.MANAGE)]
    client.secrets.delete_acl("acls", "ann")
    for call in (client.secrets.get_acl, client.secrets.delete_acl):
        with pytest.raises(ResourceDoesNotExist, match="Failed to get secret acl"):
            call("acls", "ann")
