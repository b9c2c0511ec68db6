"""Prompts of the registry, looked at."""

from __future__ import annotations

import json

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.workspace.ui.conftest import HOSTILE, Look

_NAME = "main.default.greeting"
_ROUTES = "/api/2.0/mlflow/unity-catalog/prompts"


@pytest.fixture(scope="module", autouse=True)
def prompt(client: WorkspaceClient) -> None:
    do = client.api_client.do
    do("POST", _ROUTES, body={"name": _NAME, "prompt": {"description": HOSTILE}})
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{q}}"}]
    for template in (f"Hello, {HOSTILE}", messages):
        version = {"template": json.dumps(template), "tags": [{"key": "k", "value": HOSTILE}]}
        do("POST", f"{_ROUTES}/{_NAME}/versions", body={"prompt_version": version})
    do("POST", f"{_ROUTES}/{_NAME}/aliases/production", body={"version": "1"})
    links = {"prompt_versions": [{"name": _NAME, "version": "2"}], "run_ids": ["r7"]}
    path = "/api/2.0/mlflow/unity-catalog/prompt-versions/links-to-runs"
    do("POST", path, body=links)


def test_prompts_are_listed_with_their_aliases(look: Look) -> None:
    page = look("/ml/prompts")
    assert f"/ml/prompts/{_NAME}" in page.links
    assert "production → 1" in page.text
    assert HOSTILE in page.text


def test_a_prompt_shows_its_versions_the_newest_first(look: Look) -> None:
    page = look(f"/ml/prompts/{_NAME}")
    assert page.text.index("Version 2") < page.text.index("Version 1")
    assert "user: {{q}}" in page.text
    assert f"Hello, {HOSTILE}" in page.text
    assert "run r7" in page.text


def test_the_address_that_mlflow_prints_shows_the_version(look: Look) -> None:
    page = look(f"/ml/experiments/1/prompts/{_NAME}?o=123&promptVersion=1")
    assert "Version 1" in page.text
    assert "Version 2" not in page.text
    assert f"/ml/prompts/{_NAME}" in page.links  # to the other versions


def test_older_versions_are_on_pages_of_their_own(client: WorkspaceClient, look: Look) -> None:
    do, name = client.api_client.do, "main.default.often"
    do("POST", _ROUTES, body={"name": name})
    for _ in range(60):
        do("POST", f"{_ROUTES}/{name}/versions", body={"prompt_version": {"template": '"t"'}})
    first = look(f"/ml/prompts/{name}")
    assert ("Version 11" in first.text, "Version 10" in first.text) == (True, False)
    (older,) = [link for link in first.links if "page=" in link]
    second = look(older)
    assert ("Version 10" in second.text, "Version 11" in second.text) == (True, False)
    assert "Version 2" in second.text
    assert "Version 60" in look(f"/ml/prompts/{name}?page=none").text
    assert not [link for link in second.links if "page=" in link]


@pytest.mark.parametrize("name", ["main.default.none", "greeting", "a.b/c"])
def test_what_is_not_registered_is_not_found(look: Look, name: str) -> None:
    assert look(f"/ml/prompts/{name}", status=404).status == 404


def test_a_prompt_is_hidden_from_whom_nothing_was_granted(look_as_bob: Look) -> None:
    assert _NAME not in look_as_bob("/ml/prompts").text
    assert look_as_bob(f"/ml/prompts/{_NAME}", status=404).status == 404
