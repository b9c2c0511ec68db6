"""The prompt registry of Unity Catalog, as MLflow's client asks for it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

from laketop.workspace.kept import iso
from laketop.workspace.model_names import name_problem
from laketop.workspace.model_tags import shown_tags, tags_of
from laketop.workspace.pages import page_in_order, page_of
from laketop.workspace.prompts import Prompt, PromptVersion, chosen
from laketop.workspace.prompts import Prompts as PromptFiles
from laketop.workspace.service import route
from laketop.workspace.unity_service import UnityService

_ALL: Final = "/api/2.0/mlflow/unity-catalog/prompts"
_LINKS: Final = "/api/2.0/mlflow/unity-catalog/prompt-versions"
_NAME: Final = re.compile(r"[\w-]{1,200}", re.ASCII)
_LONGEST: Final = 1_000_000
_LONGEST_ID: Final = 255
_MOST_LINKS: Final = 10_000
"""To how many runs, models and traces a version is linked at most; each link writes them all."""

Entries = list[dict[str, Any]]


class Prompts(UnityService):
    """Prompts, their versions, aliases and tags, in the schemas of Unity Catalog.

    To make one takes CREATE FUNCTION on the schema, to read one EXECUTE, to change one MANAGE; an
    owner may do all. Source: mlflow.protos.unity_catalog_prompt_service_pb2; Databricks docs,
    prompt registry.
    """

    # --- prompts ---

    @route(f"POST {_ALL}")
    def create_prompt(self, name: str, prompt: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make a prompt without versions. Errors: AlreadyExists; NotFound for the schema."""
        self._check_name(name)
        schema = name.rpartition(".")[0]
        self._lake.schema(*schema.split("."))
        self._rights.require_create("CREATE FUNCTION", schema)
        now, sent = self.workspace.now_ms(), prompt or {}
        made = Prompt(
            name=name,
            owner=self.workspace.user,
            created_ms=now,
            updated_ms=now,
            description=_text(sent, "description"),
            tags=tags_of(_list(sent, "tags")),
        )
        self._prompts.create(made)
        told = {"name": name, "tags": dict(made.tags), "description": made.description}
        self._told("prompt.created", told)
        return _shown(made)

    @route(f"GET {_ALL}/{{name}}")
    def get_prompt(self, name: str) -> dict[str, Any]:
        """Return a prompt with its aliases and tags."""
        self._require("EXECUTE", name)
        return _shown(self._prompts.prompt(name))

    @route(f"DELETE {_ALL}/{{name}}")
    def delete_prompt(self, name: str) -> None:
        """Forget a prompt. Errors: BadRequest while it has versions."""
        self._require("MANAGE", name)
        self._prompts.delete(name)

    @route(f"POST {_ALL}/search", write=False)
    def search_prompts(
        self,
        catalog_schema: dict[str, str],
        filter: str = "",  # noqa: A002 - the name on the wire
        max_results: int = 0,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        """Return the prompts of a schema that the caller may read, by name, by pages."""
        schema = [catalog_schema.get(f"{part}_name", "") for part in ("catalog", "schema")]
        self._lake.schema(*schema)
        fits = chosen(filter)
        found = {
            one.name: one
            for one in self._prompts.named(*(part.lower() for part in schema))
            if fits(one) and self.may("EXECUTE", one)
        }
        names, more = page_of(list(found), max_results, page_token)
        return {"prompts": [_shown(found[name]) for name in names], **more}

    @route(f"POST {_ALL}/{{name}}/tags")
    def set_prompt_tag(self, name: str, key: str, value: str = "") -> None:
        """Set a tag of a prompt."""
        self._change(name, lambda one: {"tags": {**one.tags, **_tag(key, value)}})
        self._told("prompt_tag.set", {"name": name, "key": key, "value": value})

    @route(f"DELETE {_ALL}/{{name}}/tags/{{key}}")
    def delete_prompt_tag(self, name: str, key: str) -> None:
        """Delete a tag of a prompt; one that is not there is gone already."""
        self._change(name, lambda one: {"tags": _without(one.tags, key)})
        self._told("prompt_tag.deleted", {"name": name, "key": key})

    @route(f"POST {_ALL}/{{name}}/aliases/{{alias}}")
    def set_prompt_alias(self, name: str, alias: str, version: int) -> None:
        """Point an alias at a version."""
        self._require("MANAGE", name)
        self._prompts.set_alias(name, alias, version)
        told = {"name": name, "alias": alias, "version": str(version)}
        self._told("prompt_alias.created", told)

    @route(f"DELETE {_ALL}/{{name}}/aliases/{{alias}}")
    def delete_prompt_alias(self, name: str, alias: str) -> None:
        """Delete an alias."""
        self._require("MANAGE", name)
        self._prompts.delete_alias(name, alias)
        self._told("prompt_alias.deleted", {"name": name, "alias": alias})

    # --- versions ---

    @route(f"POST {_ALL}/{{name}}/versions")
    def create_prompt_version(self, name: str, prompt_version: dict[str, Any]) -> dict[str, Any]:
        """Make the next version of a prompt, whose template stays as it is."""
        self._require("MANAGE", name)
        new = PromptVersion(
            number=0,
            author=self.workspace.user,
            created_ms=self.workspace.now_ms(),
            template=_template(prompt_version),
            description=_text(prompt_version, "description"),
            tags=tags_of(_list(prompt_version, "tags")),
        )
        made = self._prompts.create_version(name, new)
        told = {
            "name": name,
            "version": str(made.number),
            "template": made.template,
            "tags": dict(made.tags),
            "description": made.description,
        }
        self._told("prompt_version.created", told)
        return self._shown_version(name, made)

    @route(f"GET {_ALL}/{{name}}/versions/{{version}}")
    def get_prompt_version(self, name: str, version: int) -> dict[str, Any]:
        """Return a version of a prompt."""
        self._require("EXECUTE", name)
        return self._shown_version(name, self._prompts.version(name, version))

    @route(f"GET {_ALL}/{{name}}/versions/by-alias/{{alias}}")
    def get_prompt_version_by_alias(self, name: str, alias: str) -> dict[str, Any]:
        """Return the version that an alias points at, by `latest` the newest."""
        self._require("EXECUTE", name)
        return self._shown_version(name, self._prompts.by_alias(name, alias))

    @route(f"POST {_ALL}/{{name}}/versions/search", write=False)
    def search_prompt_versions(
        self, name: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return the versions of a prompt, the newest first, by pages."""
        self._require("EXECUTE", name)
        known = [str(number) for number in self._prompts.versions(name)]
        numbers, more = page_in_order(known, max_results, page_token)
        found = [self._prompts.version(name, int(number)) for number in numbers]
        return {"prompt_versions": [self._shown_version(name, one) for one in found], **more}

    @route(f"DELETE {_ALL}/{{name}}/versions/{{version}}")
    def delete_prompt_version(self, name: str, version: int) -> None:
        """Forget a version and its aliases; its number is not given again."""
        self._require("MANAGE", name)
        self._prompts.delete_version(name, version)

    @route(f"POST {_ALL}/{{name}}/versions/{{version}}/tags")
    def set_prompt_version_tag(self, name: str, version: int, key: str, value: str = "") -> None:
        """Set a tag of a version."""
        tag = _tag(key, value)
        self._change_version(name, version, lambda one: {**one.tags, **tag})
        told = {"name": name, "version": str(version), "key": key, "value": value}
        self._told("prompt_version_tag.set", told)

    @route(f"DELETE {_ALL}/{{name}}/versions/{{version}}/tags/{{key}}")
    def delete_prompt_version_tag(self, name: str, version: int, key: str) -> None:
        """Delete a tag of a version; one that is not there is gone already."""
        self._change_version(name, version, lambda one: _without(one.tags, key))
        told = {"name": name, "version": str(version), "key": key}
        self._told("prompt_version_tag.deleted", told)

    # --- what versions were used in ---

    @route(f"POST {_LINKS}/links-to-runs")
    def link_prompt_versions_to_runs(self, prompt_versions: Entries, run_ids: list[str]) -> None:
        """Remember runs that versions were used in."""
        self._link(prompt_versions, "run", run_ids)

    @route(f"POST {_LINKS}/links-to-models")
    def link_prompt_versions_to_models(
        self, prompt_versions: Entries, model_ids: list[str]
    ) -> None:
        """Remember logged models that versions are part of."""
        self._link(prompt_versions, "model", model_ids)

    @route(f"POST {_LINKS}/links-to-traces")
    def link_prompts_to_traces(self, prompt_versions: Entries, trace_ids: list[str]) -> None:
        """Remember traces that versions were used in."""
        self._link(prompt_versions, "trace", trace_ids)

    def may(self, privilege: str, prompt: Prompt) -> bool:
        """Tell whether the caller may EXECUTE or MANAGE a prompt."""
        try:
            self._allow(privilege, prompt.name, prompt.owner)
        except PermissionDenied:
            return False
        return True

    def _told(self, event: str, data: Mapping[str, Any]) -> None:
        self.workspace.webhooks.fire(event, data)

    @property
    def _prompts(self) -> PromptFiles:
        return PromptFiles(self._lake)

    def _check_name(self, name: str) -> None:
        problem = name_problem(name, "prompt")
        if problem is None and not _NAME.fullmatch(name.rpartition(".")[2]):
            problem = (
                f"Invalid prompt name {name[:300]!r}: it holds letters, digits, '-' and '_', 200"
                " at most."
            )
        if problem is not None:
            raise InvalidParameterValue(problem)

    def _require(self, privilege: str, name: str) -> None:
        """Let only owners pass, and who has a privilege on the schema, as on what is in it."""
        self._check_name(name)
        schema = name.rpartition(".")[0]
        self._lake.schema(*schema.split("."))
        owner = self._prompts.prompt(name).owner if self._is_there(name) else None
        self._allow(privilege, name, owner)

    def _allow(self, privilege: str, name: str, owner: str | None) -> None:
        """Let the owner pass, and who has the privilege. Errors: PermissionDenied."""
        if owner not in {self.workspace.user, *self.workspace.groups_of_caller()}:
            self._rights.require(privilege, "PROMPT", name)

    def _is_there(self, name: str) -> bool:
        return self._lake.entry("prompts", *name.split(".")).is_file()

    def _change(self, name: str, changed: Callable[[Prompt], Mapping[str, Any]]) -> None:
        self._require("MANAGE", name)
        now = self.workspace.now_ms()
        self._prompts.change(
            name, lambda one: dataclasses.replace(one, updated_ms=now, **changed(one))
        )

    def _change_version(
        self, name: str, version: int, tags: Callable[[PromptVersion], Mapping[str, str]]
    ) -> None:
        self._require("MANAGE", name)
        self._prompts.change_version(
            name, version, lambda one: dataclasses.replace(one, tags=dict(tags(one)))
        )

    def _link(self, entries: Entries, kind: str, ids: list[str]) -> None:
        versions = [_entry(one) for one in entries]
        for name, number in versions:  # all of them, or none
            self._require("EXECUTE", name)
            _linked(self._prompts.version(name, number), kind, ids)
        for name, number in versions:
            self._prompts.change_version(name, number, lambda one: _linked(one, kind, ids))

    def _shown_version(self, name: str, version: PromptVersion) -> dict[str, Any]:
        aliases = self._prompts.prompt(name).aliases
        number = str(version.number)
        return {
            "name": name,
            "version": number,
            "creation_timestamp": iso(version.created_ms),
            "last_updated_timestamp": iso(version.created_ms),
            "description": version.description,
            "template": version.template,
            "aliases": [
                {"alias": alias, "version": number}
                for alias, at in sorted(aliases.items())
                if at == version.number
            ],
            "tags": shown_tags(version.tags),
        }


def _shown(prompt: Prompt) -> dict[str, Any]:
    return {
        "name": prompt.name,
        "creation_timestamp": iso(prompt.created_ms),
        "last_updated_timestamp": iso(prompt.updated_ms),
        "description": prompt.description,
        "aliases": [
            {"alias": alias, "version": str(at)} for alias, at in sorted(prompt.aliases.items())
        ],
        "tags": shown_tags(prompt.tags),
    }


def _template(sent: Mapping[str, Any]) -> str:
    """Return a template, which comes as the JSON of a text or of a list of messages."""
    text = _text(sent, "template")
    if len(text) > _LONGEST:
        raise InvalidParameterValue(f"A template has at most {_LONGEST} characters.")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, str | list):
        raise InvalidParameterValue("The template is not the JSON of a text or of messages.")
    return text


def _linked(version: PromptVersion, kind: str, ids: list[str]) -> PromptVersion:
    if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_ID for one in ids):
        raise InvalidParameterValue(f"The id of a {kind} has 1 to {_LONGEST_ID} characters.")
    links = dict.fromkeys((*version.links, *((kind, one) for one in ids)))
    if len(links) > _MOST_LINKS:
        raise InvalidParameterValue(
            f"A version of a prompt is linked to {_MOST_LINKS} runs, models and traces at most."
        )
    return dataclasses.replace(version, links=tuple(links))


def _entry(sent: Mapping[str, Any]) -> tuple[str, int]:
    name, version = sent.get("name"), str(sent.get("version"))
    if not isinstance(name, str) or not re.fullmatch("[1-9][0-9]{0,8}", version):
        raise InvalidParameterValue("prompt_versions are names and numbers of versions.")
    return name, int(version)


def _tag(key: str, value: str) -> dict[str, str]:
    return tags_of([{"key": key, "value": value}])


def _without(tags: Mapping[str, str], key: str) -> dict[str, str]:
    return {one: value for one, value in tags.items() if one != key}


def _text(sent: Mapping[str, Any], field: str) -> str:
    found = sent.get(field) or ""
    if not isinstance(found, str):
        raise InvalidParameterValue(f"{field} is not a text.")
    return found


def _list(sent: Mapping[str, Any], field: str) -> Entries:
    found = sent.get(field) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidParameterValue(f"{field} is not a list of objects.")
    return found
