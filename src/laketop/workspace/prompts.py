"""The prompts of Unity Catalog: files beside the views and functions of their schema.

`<schema>/_prompts/<prompt>.json` tells of a prompt, `<schema>/_prompts/<prompt>/<version>.json` of
each version. A version's number is given once.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from databricks.sdk.errors.platform import (
    AlreadyExists,
    BadRequest,
    InvalidParameterValue,
    ResourceDoesNotExist,
)

from laketop import durable
from laketop.workspace.lake import Lake
from laketop.workspace.matching import matches
from laketop.workspace.model_names import alias_problem

LATEST: Final = "latest"
"""The alias that every prompt with a version has, and nobody sets."""
_CONDITION: Final = re.compile(
    r"\s*(name|tags\.(?:`([^`]+)`|([\w.-]+)))\s*(=|!=|LIKE|ILIKE)\s*'([^']*)'\s*", re.IGNORECASE
)
_AND: Final = re.compile(r"'[^']*'|`[^`]*`|(\bAND\b)", re.IGNORECASE)
"""An AND, as a group, or what is quoted, in which there is none."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")

Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt as it is kept, but for its name, which its place tells.

    Units: times in ms since 1970, UTC; versions count from 1.
    """

    name: str
    owner: str
    created_ms: int
    updated_ms: int
    description: str = ""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    aliases: Mapping[str, int] = dataclasses.field(default_factory=dict)
    next: int = 1
    """The number of the next version."""


@dataclasses.dataclass(frozen=True)
class PromptVersion:
    """One version of a prompt; `template` is JSON, a text or a list of messages.

    `links` are the runs, models and traces that it was used in, as kind and id.
    """

    number: int
    author: str
    created_ms: int
    template: str
    description: str = ""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()


class Prompts:
    """The prompts of a lake. Errors: ResourceDoesNotExist for what is not there."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    # --- prompts ---

    def create(self, prompt: Prompt) -> None:
        """Keep a new prompt in a schema that is there.

        Errors: AlreadyExists; InvalidParameterValue for the name of a function or a model.
        """
        with self._lake.alone():
            file = self._file(prompt.name)
            if file.exists():
                raise AlreadyExists(f"Prompt '{prompt.name}' already exists.")
            problem = self._lake.other_routine("prompts", prompt.name)
            if problem is not None:
                raise InvalidParameterValue(problem)
            _write(file, prompt)

    def prompt(self, name: str) -> Prompt:
        """Return a prompt."""
        found = _read(self._file(name))
        if found is None:
            raise ResourceDoesNotExist(f"Prompt '{name[:300]}' does not exist.")
        return Prompt(**{**found, "name": name})

    def change(self, name: str, change: Callable[[Prompt], Prompt]) -> Prompt:
        """Keep a prompt as `change` returns it, and return it; what that raises changes nothing."""
        with self._lake.alone():
            return self._changed(name, change)

    def delete(self, name: str) -> None:
        """Forget a prompt. Errors: BadRequest while it has versions."""
        with self._lake.alone():
            self.prompt(name)
            if self.versions(name):
                raise BadRequest(
                    f"Prompt '{name}' still has versions; delete them first.",
                    error_code="INVALID_PARAMETER_VALUE",
                )
            file = self._file(name)
            self._lake.discard(file.with_suffix(""))
            file.unlink()
            durable.flush_folder(file.parent)

    def named(self, catalog: str, schema: str) -> list[Prompt]:
        """Return the prompts of a schema, by name."""
        names = self._lake.listed("prompts", catalog, schema)
        return [self.prompt(f"{catalog}.{schema}.{name}") for name in names]

    # --- versions ---

    def create_version(self, name: str, new: PromptVersion) -> PromptVersion:
        """Keep a version under the next number, and return it."""
        with self._lake.alone():
            counted = self._changed(name, lambda one: dataclasses.replace(one, next=one.next + 1))
            made = dataclasses.replace(new, number=counted.next - 1)
            durable.make_folder(self._file(name).with_suffix(""))
            _write(self._version_file(name, made.number), made)
            return made

    def versions(self, name: str) -> list[int]:
        """Return the numbers of a prompt's versions, the newest first."""
        self.prompt(name)
        files = self._file(name).with_suffix("").glob("*.json")
        found = (file.stem for file in files if _NUMBER.fullmatch(file.stem))
        return sorted(map(int, found), reverse=True)

    def version(self, name: str, number: int) -> PromptVersion:
        """Return a version."""
        self.prompt(name)
        found = _read(self._version_file(name, number))
        if found is None:
            raise ResourceDoesNotExist(f"Version {number} of prompt '{name}' does not exist.")
        return PromptVersion(**{**found, "links": tuple((k, v) for k, v in found["links"])})

    def change_version(
        self, name: str, number: int, change: Callable[[PromptVersion], PromptVersion]
    ) -> None:
        """Keep a version as `change` returns it."""
        with self._lake.alone():
            _write(self._version_file(name, number), change(self.version(name, number)))

    def delete_version(self, name: str, number: int) -> None:
        """Forget a version and the aliases that point at it."""

        def without(prompt: Prompt) -> Prompt:
            self.version(name, number)
            left = {alias: at for alias, at in prompt.aliases.items() if at != number}
            return dataclasses.replace(prompt, aliases=left)

        with self._lake.alone():
            self._changed(name, without)
            file = self._version_file(name, number)
            file.unlink(missing_ok=True)
            durable.flush_folder(file.parent)

    # --- aliases ---

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias at a version. Errors: InvalidParameterValue for one that cannot be."""
        problem = alias_problem(alias)
        if problem is not None:
            raise InvalidParameterValue(problem)

        def aliased(prompt: Prompt) -> Prompt:
            self.version(name, number)
            return dataclasses.replace(prompt, aliases={**prompt.aliases, alias: number})

        self.change(name, aliased)

    def delete_alias(self, name: str, alias: str) -> None:
        """Forget an alias."""

        def without(prompt: Prompt) -> Prompt:
            _aliased(prompt, alias)
            left = {one: at for one, at in prompt.aliases.items() if one != alias}
            return dataclasses.replace(prompt, aliases=left)

        self.change(name, without)

    def by_alias(self, name: str, alias: str) -> PromptVersion:
        """Return the version that an alias points at; `latest` at the newest."""
        prompt = self.prompt(name)
        if alias.lower() == LATEST:
            numbers = self.versions(name)
            if not numbers:
                raise ResourceDoesNotExist(f"Prompt '{name}' has no version.")
            return self.version(name, numbers[0])
        return self.version(name, _aliased(prompt, alias))

    def _changed(self, name: str, change: Callable[[Prompt], Prompt]) -> Prompt:
        changed = change(self.prompt(name))
        _write(self._file(name), changed)
        return changed

    def _file(self, name: str) -> Path:
        return self._lake.entry("prompts", *name.split("."))

    def _version_file(self, name: str, number: int) -> Path:
        return self._file(name).with_suffix("") / f"{number}.json"


def chosen(condition: str) -> Callable[[Prompt], bool]:
    """Return what tells whether a filter lets a prompt through: conditions on name and tags.

    Source: MLflow's `search_prompts`, `name LIKE 'greet%' AND tags.team = 'a'`.
    Errors: InvalidParameterValue for another filter.
    """
    parts = _conditions(condition) if condition.strip() else []
    asked = [_condition(part, condition) for part in parts]
    return lambda prompt: all(fits(prompt) for fits in asked)


def _conditions(whole: str) -> list[str]:
    ands = [found.span(1) for found in _AND.finditer(whole) if found[1]]
    begins, ends = [0, *(end for _, end in ands)], [*(start for start, _ in ands), len(whole)]
    return [whole[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _condition(part: str, whole: str) -> Callable[[Prompt], bool]:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise InvalidParameterValue(f"The filter {whole[:200]!r} is not of names and tags.")
    key, operator, pattern = found[2] or found[3], found[4].upper(), found[5]

    def fits(prompt: Prompt) -> bool:
        if key is None:  # by its full name, or as it is called in its schema
            told = [prompt.name, prompt.name.rpartition(".")[2]]
            return (all if operator == "!=" else any)(matches(n, operator, pattern) for n in told)
        return key in prompt.tags and matches(prompt.tags[key], operator, pattern)

    return fits


def _aliased(prompt: Prompt, alias: str) -> int:
    if alias not in prompt.aliases:
        raise ResourceDoesNotExist(f"Alias '{alias[:300]}' of '{prompt.name}' does not exist.")
    return prompt.aliases[alias]


def _write(file: Path, what: Prompt | PromptVersion) -> None:
    kept = dataclasses.asdict(what)
    kept.pop("name", None)  # it is another once the schema is renamed
    durable.write_json(file, kept)


def _read(file: Path) -> Record | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
