"""OAuth for machines, through the official client."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    NotFound,
    PermissionDenied,
)
from databricks.sdk.service.iam import (
    ServicePrincipal,
)


@pytest.fixture(autouse=True)
def _no_other_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the token of a workspace that other tests may have put into the environment."""
    monkeypatch.delenv("DATABRICKS_TOKEN", raising=False)


def test_a_client_id_and_its_secret_open_the_workspace(
    client: WorkspaceClient, robot: ServicePrincipal
) -> None:
    made = client.service_principal_secrets_proxy.create(robot.id or "", lifetime="3600s")
    other = WorkspaceClient(
        host=client.config.host, client_id=robot.application_id, client_secret=made.secret
    )
    assert other.config.auth_type == "oauth-m2m"
    assert other.current_user.me().user_name == robot.application_id
    with pytest.raises(PermissionDenied):
        other.users_v2.create(user_name="x@laketop.local")
    listed = list(client.service_principal_secrets_proxy.list(robot.id or ""))
    assert [(one.id, one.secret_hash) for one in listed] == [(made.id, made.secret_hash)]
    client.service_principal_secrets_proxy.delete(robot.id or "", made.id or "")
    with pytest.raises(NotFound):
        client.service_principal_secrets_proxy.delete(robot.id or "", made.id or "")
    with pytest.raises(ValueError, match="invalid_client"):
        WorkspaceClient(
            host=client.config.host, client_id=robot.application_id, client_secret=made.secret
        ).current_user.me()


def test_the_secret_of_one_does_not_open_for_another(
    client: WorkspaceClient, robot: ServicePrincipal
) -> None:
    other = client.service_principals_v2.create(display_name="other")
    made = client.service_principal_secrets_proxy.create(robot.id or "")
    for name, secret in (
        (other.application_id, made.secret),
        (robot.application_id, "x"),
        ("", ""),
        ("me@laketop.local", made.secret),
    ):
        answer = _ask(client, name, secret)
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"


def _ask(client: WorkspaceClient, name: str | None, secret: str | None, **form: Any) -> Any:
    return requests.post(
        f"{client.config.host}/oidc/v1/token",
        data={"grant_type": "client_credentials", "scope": "all-apis", **form},
        auth=(name or "", secret or ""),
        timeout=60,
    )


def test_other_grants_and_scopes_are_refused(
    client: WorkspaceClient, robot: ServicePrincipal
) -> None:
    secret = client.service_principal_secrets_proxy.create(robot.id or "").secret
    name = robot.application_id
    assert _ask(client, name, secret).json()["expires_in"] == 3600
    for form, error in (
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "sql"}, "invalid_scope"),
    ):
        answer = _ask(client, name, secret, **form)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
