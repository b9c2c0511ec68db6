"""The prompts of the registry: their versions, texts, aliases and tags."""

from __future__ import annotations

import json
import re

from databricks.sdk.errors.platform import NotFound, ResourceDoesNotExist

from laketop.workspace.lake import Lake
from laketop.workspace.model_names import name_problem
from laketop.workspace.prompts import Prompt, Prompts, PromptVersion
from laketop.workspace.ui.elements import (
    chip,
    chips,
    code,
    facts,
    link,
    moment,
    pager,
    section,
    table,
)
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.view import Page, View, page, path

_NONE = "There is no prompt yet: `mlflow.genai.register_prompt` registers one."
_MOST = 50
_NUMBER = re.compile("[0-9]{1,9}", re.ASCII)
_TRAIL = [("Prompts", "/ml/prompts")]


@page("/ml/prompts")
def prompts(view: View) -> Page:
    """List the prompts that the person may read, by name."""
    lake, may = _lake(view), view.workspace.prompts.may
    found = [
        prompt
        for catalog in lake.catalogs()
        for schema in lake.schemas(catalog)
        for prompt in Prompts(lake).named(catalog, schema)
        if may("EXECUTE", prompt)
    ]
    rows = [
        (
            link(one.name, path("ml", "prompts", one.name)),
            _aliases(one),
            one.owner,
            moment(one.updated_ms),
            one.description,
        )
        for one in found
    ]
    body = table(("Prompt", "Aliases", "Owner", "Changed", "Described"), rows, empty=_NONE)
    return Page(title="Prompts", body=body, section="experiments")


@page("/ml/prompts/{name}", "/ml/experiments/{experiment}/prompts/{name}")
def prompt(view: View, name: str, experiment: str = "") -> Page:
    """Show a prompt with its newest versions, or the one that `promptVersion` names."""
    del experiment  # MLflow's client prints the experiment that was set
    files, found = Prompts(_lake(view)), _readable(view, name)
    asked = view.query.get("promptVersion", "")
    known = files.versions(name)
    before = view.query.get("page", "")
    is_number = _NUMBER.fullmatch(before) is not None
    rest = [one for one in known if not is_number or one < int(before)]
    numbers = [number for number in known if str(number) == asked] if asked else rest[:_MOST]
    versions = [files.version(name, number) for number in numbers]
    older = view.here(page=str(numbers[-1])) if not asked and len(rest) > _MOST else None
    every = link(f"all {len(known)} versions", path("ml", "prompts", name))
    body = join(
        facts(
            ("Name", el("code", found.name)),
            ("Owner", found.owner),
            ("Made", moment(found.created_ms)),
            ("Aliases", _aliases(found)),
            ("Described", found.description),
            ("Tags", chips(found.tags) if found.tags else None),
        ),
        [_version(found, one) for one in versions],
        el("p", every) if asked else pager(older, newest=view.here() if is_number else None),
    )
    return Page(title=found.name, body=body, section="experiments", trail=_TRAIL)


def _lake(view: View) -> Lake:
    return Lake(view.workspace.metastore / "catalog")


def _readable(view: View, name: str) -> Prompt:
    """Return a prompt that the person may read; one that is hidden is not found."""
    if name_problem(name) is None:
        try:
            found = Prompts(_lake(view)).prompt(name)
        except ResourceDoesNotExist:
            pass
        else:
            if view.workspace.prompts.may("EXECUTE", found):
                return found
    raise NotFound(f"There is no prompt {name[:300]!r}.")


def _aliases(prompt: Prompt) -> list[Html]:
    return [chip(f"{one} → {at}", kind="alias") for one, at in sorted(prompt.aliases.items())]


def _version(prompt: Prompt, version: PromptVersion) -> Html:
    aliases = [alias for alias, at in sorted(prompt.aliases.items()) if at == version.number]
    shown = {tag: value for tag, value in version.tags.items() if not tag.startswith("_mlflow")}
    return section(
        f"Version {version.number}",
        facts(
            ("Aliases", [chip(alias, kind="alias") for alias in aliases]),
            ("By", version.author),
            ("Made", moment(version.created_ms)),
            ("Described", version.description),
            ("Tags", chips(shown) if shown else None),
            ("Used in", [chip(f"{kind} {id_}") for kind, id_ in version.links]),
        ),
        *(code(text) for text in _texts(version.template)),
    )


def _texts(template: str) -> list[str]:
    """Return what a template says: a text, or a text for each message."""
    told = json.loads(template)
    if isinstance(told, str):
        return [told]
    return [
        f"{one.get('role')}: {one.get('content')}" if isinstance(one, dict) else str(one)
        for one in told
    ]
