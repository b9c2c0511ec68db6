"""Which workspaces a project has, and which of them commands act on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from laketop.errors import NotFound
from laketop.settings import Settings, metastore_folder, workspace_folder
from laketop.workspace import daemon, in_use
from laketop.workspace.daemon import Contact


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(root=tmp_path, cache=tmp_path)
    daemon.prepare(found)
    for name in ("staging", "prod"):
        folder = workspace_folder(found.state, name)
        folder.mkdir(parents=True)
        (folder / "token").write_text(f"of {name}", encoding="ascii")
    return found


def test_the_first_workspace_is_in_use_until_another_is_chosen(settings: Settings) -> None:
    assert in_use.names(settings) == ["dev", "prod", "staging"]
    assert in_use.chosen(settings) == "dev"
    in_use.use(settings, "staging")
    assert in_use.chosen(settings) == "staging"
    assert in_use.token(settings, "staging") == "of staging"
    in_use.use(settings, "dev")
    assert in_use.chosen(settings) == "dev"


def test_what_is_asked_for_goes_before_what_is_in_use(settings: Settings) -> None:
    in_use.use(settings, "staging")
    asked = dataclasses.replace(settings, workspace="prod")
    assert in_use.chosen(asked) == "prod"
    assert in_use.in_use(asked) == "staging"


@pytest.mark.parametrize("name", ["qa", "../dev", "..", "/", ".", "Prod"])
def test_a_workspace_that_is_not_there_is_not_chosen(settings: Settings, name: str) -> None:
    with pytest.raises(NotFound, match="no workspace named"):
        in_use.use(settings, name)
    with pytest.raises(NotFound):
        daemon.start(dataclasses.replace(settings, workspace=name))
    assert in_use.chosen(settings) == "dev"


def test_a_contact_of_another_workspace_has_its_token_everywhere() -> None:
    first = Contact("http://127.0.0.1:1", "t0k", "sc://localhost:2/;token=t0k", 3, "0", "python")
    other = first.within("prod", "secret")
    assert other.workspace == "prod"
    assert "t0k" not in "".join(other.environment().values())
    assert other.spark_remote == "sc://localhost:2/;token=secret"


def test_the_variable_names_the_workspace(tmp_path: Path) -> None:
    assert Settings.read(tmp_path, {"LAKETOP_WORKSPACE": "prod"}).workspace == "prod"
    assert Settings.read(tmp_path, {}).workspace == ""


def test_the_folder_of_the_metastore_is_found_from_that_of_a_workspace(tmp_path: Path) -> None:
    state = Settings(root=tmp_path / "workspaces", cache=tmp_path).state
    assert metastore_folder(state) == state
    assert metastore_folder(workspace_folder(state, "dev")) == state
    assert metastore_folder(workspace_folder(state, "prod")) == state
