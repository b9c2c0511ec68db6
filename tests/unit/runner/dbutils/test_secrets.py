"""dbutils.secrets: asked of the workspace, and known to the redaction from then on."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from laketop.errors import LaketopError
from laketop.runner.dbutils.secrets import Secrets, ask_workspace
from laketop.runner.redaction import REDACTED, Redaction


def ask(path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    if path.endswith("/get"):
        assert query == {"scope": "team", "key": "password"}
        return {"key": "password", "value": base64.b64encode(b"hunter2").decode()}
    if path.endswith("/scopes/list"):
        return {"scopes": [{"name": "team"}]}
    return {"secrets": [{"key": "password"}]} if query == {"scope": "team"} else {}


def test_a_secret_is_returned_and_redacted() -> None:
    redaction = Redaction()
    secrets = Secrets(ask, redaction)

    assert secrets.get("team", "password") == "hunter2"
    assert secrets.getBytes(scope="team", key="password") == b"hunter2"
    assert redaction.text("it is hunter2") == f"it is {REDACTED}"


def test_scopes_and_keys_are_listed() -> None:
    secrets = Secrets(ask, Redaction())

    assert [scope.getName() for scope in secrets.listScopes()] == ["team"]
    assert [secret.key for secret in secrets.list("team")] == ["password"]
    assert secrets.list("empty") == []


def test_a_task_without_workspace_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABRICKS_HOST", raising=False)

    with pytest.raises(LaketopError, match="no workspace to ask"):
        ask_workspace("/api/2.0/secrets/scopes/list", {})
