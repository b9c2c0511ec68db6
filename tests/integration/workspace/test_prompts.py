"""The prompt registry, through MLflow's own client with the registry `databricks-uc`."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import mlflow
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, PermissionDenied
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.integration.workspace.conftest import ClientOf, MakeUser

from laketop.workspace.lake import Lake
from laketop.workspace.prompts import Prompts
from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

names = (f"main.prompted.p{number}" for number in itertools.count())
ROUTES = "/api/2.0/mlflow/unity-catalog/prompts"


@pytest.fixture(scope="module")
def registry(workspace: Workspace, host: str, token: str) -> Iterator[MlflowClient]:
    (workspace.state / "catalog" / "main" / "prompted").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", host)
        patch.setenv("DATABRICKS_TOKEN", token)
        mlflow.set_tracking_uri("databricks")
        mlflow.set_registry_uri("databricks-uc")
        yield MlflowClient()


@pytest.fixture
def name() -> str:
    return next(names)


def _code(act: Callable[[], object]) -> str:
    with pytest.raises(MlflowException) as caught:
        act()
    return str(caught.value.error_code)


def _load(uri: str) -> Any:
    return mlflow.genai.load_prompt(uri, cache_ttl_seconds=0)


def test_a_prompt_is_loaded_as_it_was_registered(registry: MlflowClient, name: str) -> None:
    first = mlflow.genai.register_prompt(
        name, "Greet {{who}}.", commit_message="short", tags={"team": "a"}
    )
    chat = [{"role": "system", "content": "Be {{style}}."}, {"role": "user", "content": "{{q}}"}]
    second = mlflow.genai.register_prompt(
        name, chat, response_format={"type": "object"}, model_config={"temperature": 0.5}
    )

    assert (first.version, second.version) == (1, 2)
    found = _load(f"prompts:/{name}/1")
    assert (found.template, found.commit_message) == ("Greet {{who}}.", "short")
    assert (found.tags, found.variables) == ({"team": "a"}, {"who"})
    assert found.format(who="Ann") == "Greet Ann."
    again = mlflow.genai.load_prompt(name, version=2)
    assert again.template == chat
    assert (again.response_format, again.model_config) == ({"type": "object"}, {"temperature": 0.5})
    assert registry.get_prompt(name).description == "short"


def test_an_alias_moves_and_goes_with_its_version(registry: MlflowClient, name: str) -> None:
    for text in ("one", "two"):
        mlflow.genai.register_prompt(name, text)
    mlflow.genai.set_prompt_alias(name, "production", version=1)
    assert _load(f"prompts:/{name}@production").template == "one"
    mlflow.genai.set_prompt_alias(name, "production", version=2)
    found = _load(f"prompts:/{name}@production")
    assert (found.template, found.aliases) == ("two", ["production"])
    assert _load(f"prompts:/{name}@latest").version == 2
    registry.delete_prompt_version(name, "2")
    assert _load(f"prompts:/{name}@latest").version == 1
    assert registry.get_prompt_version_by_alias(name, "production") is None
    assert mlflow.genai.register_prompt(name, "three").version == 3  # 2 is not given again
    mlflow.genai.set_prompt_alias(name, "production", version=3)
    mlflow.genai.delete_prompt_alias(name, "production")
    assert registry.get_prompt_version_by_alias(name, "production") is None


def test_an_alias_that_cannot_be_is_refused(registry: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "one")
    for alias in ("latest", "v1", "a b"):
        with pytest.raises(MlflowException, match=r"reserved|Invalid alias"):
            registry.set_prompt_alias(name, alias, 1)
    assert _code(lambda: registry.set_prompt_alias(name, "a", 2)) == "RESOURCE_DOES_NOT_EXIST"
    assert _code(lambda: registry.delete_prompt_alias(name, "a")) == "RESOURCE_DOES_NOT_EXIST"


def test_tags_are_kept_apart_for_prompt_and_version(registry: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "one")
    registry.set_prompt_tag(name, "team", "a")
    registry.set_prompt_version_tag(name, 1, "tried", "yes")
    tags = registry.get_prompt(name).tags  # the client adds a list of the experiments
    assert (tags["team"], "tried" in tags) == ("a", False)
    assert _load(f"prompts:/{name}/1").tags == {"tried": "yes"}
    registry.delete_prompt_tag(name, "team")
    registry.delete_prompt_version_tag(name, 1, "tried")
    registry.delete_prompt_version_tag(name, 1, "tried")
    assert "team" not in registry.get_prompt(name).tags
    assert _load(f"prompts:/{name}/1").tags == {}


def test_prompts_are_found_by_their_schema_name_and_tags_page_by_page(
    registry: MlflowClient, workspace: Workspace
) -> None:
    (workspace.state / "catalog" / "main" / "sought").mkdir(parents=True)
    for number in range(5):
        registry.create_prompt(f"main.sought.greet{number}", tags={"odd": str(number % 2)})
    registry.create_prompt("main.sought.other")

    def found(condition: str, size: int = 2) -> list[str]:
        inside = f"catalog = 'main' AND schema = 'sought'{condition}"
        page = registry.search_prompts(inside, max_results=size)
        told = [one.name for one in page]
        while page.token:
            page = registry.search_prompts(inside, max_results=size, page_token=page.token)
            told += [one.name for one in page]
        return [one.rpartition(".")[2] for one in told]

    every = [*(f"greet{number}" for number in range(5)), "other"]
    assert found("") == every
    assert found(" AND name LIKE 'greet%'") == every[:5]
    assert found(" AND tags.odd = '1'") == ["greet1", "greet3"]
    assert found(" AND name != 'other' AND tags.`odd` LIKE '%0'") == ["greet0", "greet2", "greet4"]
    assert _code(lambda: found(" AND version = '1'")) == "INVALID_PARAMETER_VALUE"
    assert _code(lambda: registry.search_prompts("catalog = 'main' AND schema = 'nowhere'")) in {
        *("SCHEMA_DOES_NOT_EXIST", "NOT_FOUND"),
    }


def test_versions_are_listed_the_newest_first_page_by_page(
    registry: MlflowClient, name: str
) -> None:
    for number in range(12):
        mlflow.genai.register_prompt(name, f"text {number}")
    page = registry.search_prompt_versions(name, max_results=5)
    told = [one.version for one in page]
    while page.token:
        page = registry.search_prompt_versions(name, max_results=5, page_token=page.token)
        told += [one.version for one in page]
    assert told == list(range(12, 0, -1))


def test_a_prompt_goes_once_its_versions_have_gone(registry: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "one")
    with pytest.raises(MlflowException, match="undeleted versions"):
        registry.delete_prompt(name)
    registry.delete_prompt_version(name, "1")
    registry.delete_prompt(name)
    assert registry.get_prompt(name) is None
    assert _code(lambda: registry.delete_prompt_version(name, "1")) == "RESOURCE_DOES_NOT_EXIST"
    assert mlflow.genai.register_prompt(name, "anew").version == 1


def test_the_server_too_keeps_a_prompt_that_has_versions(
    registry: MlflowClient, client: WorkspaceClient, name: str
) -> None:
    mlflow.genai.register_prompt(name, "one")
    with pytest.raises(BadRequest, match="delete them first"):
        client.api_client.do("DELETE", f"{ROUTES}/{name}")
    assert registry.get_prompt_version(name, 1).template == "one"


def test_names_have_three_levels_and_a_schema_that_is_there(registry: MlflowClient) -> None:
    for wrong in ("greeting", "main.greeting", "Main.prompted.p", "main.prompted.a..b"):
        made = functools.partial(registry.create_prompt, wrong)
        assert _code(made) == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException, match=r"Schema 'main\.nowhere' does not exist"):
        registry.create_prompt("main.nowhere.p")
    registry.create_prompt("main.prompted.taken")
    assert _code(lambda: registry.create_prompt("main.prompted.taken")) == "ALREADY_EXISTS"


def test_runs_models_and_traces_tell_the_prompts_that_they_used(
    registry: MlflowClient, client: WorkspaceClient, workspace: Workspace, name: str
) -> None:
    prompt = mlflow.genai.register_prompt(name, "one")
    mlflow.set_experiment("/Shared/prompted")
    with mlflow.start_run() as run:
        registry.link_prompt_version_to_run(run.info.run_id, prompt)
        logged = mlflow.create_external_model(name="external")
    registry.link_prompt_version_to_model(name, "1", logged.model_id)

    @mlflow.trace
    def answer() -> str:
        return str(_load(f"prompts:/{name}/1").template)

    answer()
    mlflow.flush_trace_async_logging()
    told = json.dumps([{"name": name, "version": "1"}])
    assert registry.get_run(run.info.run_id).data.tags["mlflow.linkedPrompts"] == told
    assert registry.get_logged_model(logged.model_id).tags["mlflow.linkedPrompts"] == told
    trace = mlflow.get_trace(mlflow.get_last_active_trace_id() or "")
    assert trace is not None
    assert trace.info.tags["mlflow.linkedPrompts"] == told
    links = Prompts(Lake(workspace.metastore / "catalog")).version(name, 1).links
    assert set(links) == {
        *(("run", run.info.run_id), ("model", logged.model_id), ("trace", trace.info.trace_id)),
    }
    body = {"prompt_versions": [{"name": name, "version": "2"}], "run_ids": ["1"]}
    with pytest.raises(Exception, match="Version 2 of prompt"):
        client.api_client.do(
            "POST", "/api/2.0/mlflow/unity-catalog/prompt-versions/links-to-runs", body=body
        )


@pytest.mark.parametrize(
    "ids", [["r" * 256], [""], [f"r{number}" for number in range(10_001)], ["r1", {}]]
)
def test_links_that_cannot_be_are_refused_and_none_is_kept(
    registry: MlflowClient,
    client: WorkspaceClient,
    workspace: Workspace,
    name: str,
    ids: list[object],
) -> None:
    mlflow.genai.register_prompt(name, "one")
    body = {"prompt_versions": [{"name": name, "version": "1"}], "trace_ids": ids}
    path = "/api/2.0/mlflow/unity-catalog/prompt-versions/links-to-traces"
    with pytest.raises(BadRequest):
        client.api_client.do("POST", path, body=body)
    assert Prompts(Lake(workspace.metastore / "catalog")).version(name, 1).links == ()


@pytest.mark.parametrize(
    "sent",
    [
        {"template": "no JSON"},
        {"template": "{}"},
        {"template": 1},
        {"template": '"a"', "tags": "t"},
        {"template": '"a"', "tags": [{"value": "v"}]},
        {},
    ],
)
def test_a_version_that_cannot_be_is_not_made(
    registry: MlflowClient, client: WorkspaceClient, name: str, sent: dict[str, Any]
) -> None:
    registry.create_prompt(name)
    with pytest.raises(InvalidParameterValue):
        client.api_client.do("POST", f"{ROUTES}/{name}/versions", body={"prompt_version": sent})
    assert registry.search_prompt_versions(name) == []


def test_grants_on_the_schema_say_who_reads_makes_and_changes_prompts(
    registry: MlflowClient, client: WorkspaceClient, make_user: MakeUser, client_of: ClientOf
) -> None:
    client.catalogs.create("granted")
    client.schemas.create("g", "granted")
    mine, hers = "granted.g.p", "granted.g.hers"
    mlflow.genai.register_prompt(mine, "one")
    ann = make_user().user_name or ""
    theirs = client_of(ann).api_client

    def allow(*privileges: Privilege) -> None:
        changes = [PermissionsChange(principal=ann, add=list(privileges))]
        client.grants.update("catalog", "granted", changes=changes)

    version = {"prompt_version": {"template": '"two"'}}
    everybodys = {"catalog_schema": {"catalog_name": "granted", "schema_name": "g"}}
    allow(Privilege.USE_CATALOG)
    with pytest.raises(PermissionDenied, match=r"USE SCHEMA on Schema 'granted\.g'"):
        theirs.do("GET", f"{ROUTES}/{mine}")
    assert theirs.do("POST", f"{ROUTES}/search", body=everybodys) == {"prompts": []}
    allow(Privilege.USE_SCHEMA, Privilege.EXECUTE)
    theirs.do("GET", f"{ROUTES}/{mine}/versions/1")
    with pytest.raises(PermissionDenied, match="MANAGE"):
        theirs.do("POST", f"{ROUTES}/{mine}/versions", body=version)
    with pytest.raises(PermissionDenied, match="CREATE FUNCTION"):
        theirs.do("POST", ROUTES, body={"name": hers})
    allow(Privilege.CREATE_FUNCTION)
    theirs.do("POST", ROUTES, body={"name": hers})
    theirs.do("POST", f"{ROUTES}/{hers}/versions", body=version)
    found: Any = theirs.do("POST", f"{ROUTES}/search", body=everybodys)
    assert [one["name"] for one in found["prompts"]] == [hers, mine]
    client.catalogs.delete("granted", force=True)


def test_a_schema_with_prompts_goes_by_force_alone(
    registry: MlflowClient, client: WorkspaceClient
) -> None:
    client.schemas.create("full", "main")
    registry.create_prompt("main.full.p")
    with pytest.raises(BadRequest, match=r"not empty.*1 prompts\(s\)"):
        client.schemas.delete("main.full")
    client.schemas.delete("main.full", force=True)
    client.schemas.create("full", "main")
    assert registry.get_prompt("main.full.p") is None


def test_prompts_follow_their_schema_to_its_new_name(
    registry: MlflowClient, client: WorkspaceClient, make_user: MakeUser, client_of: ClientOf
) -> None:
    client.catalogs.create("moving")
    client.schemas.create("before", "moving")
    mlflow.genai.register_prompt("moving.before.p", "one")
    client.schemas.update("moving.before", new_name="after")
    client.schemas.create("before", "moving")
    ann = make_user().user_name or ""

    def allow(on: str, name: str, *privileges: Privilege) -> None:
        changes = [PermissionsChange(principal=ann, add=list(privileges))]
        client.grants.update(on, name, changes=changes)

    def found(by: WorkspaceClient) -> list[str]:
        asked = {"catalog_schema": {"catalog_name": "moving", "schema_name": "after"}}
        told: Any = by.api_client.do("POST", f"{ROUTES}/search", body=asked)
        return [one["name"] for one in told["prompts"]]

    prompt = registry.get_prompt("moving.after.p")
    assert prompt is not None
    assert prompt.name == "moving.after.p"
    assert found(client) == ["moving.after.p"]
    allow("catalog", "moving", Privilege.USE_CATALOG)
    allow("schema", "moving.before", Privilege.USE_SCHEMA, Privilege.EXECUTE)
    assert found(client_of(ann)) == []
    allow("schema", "moving.after", Privilege.USE_SCHEMA, Privilege.EXECUTE)
    assert found(client_of(ann)) == ["moving.after.p"]
    client.catalogs.delete("moving", force=True)
