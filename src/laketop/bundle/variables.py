"""The values of a bundle's variables: from the command line down to their defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from laketop.bundle.nodes import Node, Place
from laketop.bundle.problems import Problems, near
from laketop.bundle.shapes import shaped
from laketop.errors import ConfigError

_DEFINITION = frozenset({"default", "lookup", "type", "description"})
_PREFIX = "BUNDLE_VAR_"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where values come from besides the bundle, the first that has one wins."""

    given: Mapping[str, str]
    environment: Mapping[str, str]
    overrides: Node


def overrides_of(root: Path, target: str, problems: Problems) -> Node:
    """Return the map in `.databricks/bundle/<target>/variable-overrides.json`, empty if absent."""
    from laketop.bundle.reading import read_text

    name = f".databricks/bundle/{target}/variable-overrides.json"
    place = Place(name, 1, 1)
    try:
        text = (root / name).read_text(encoding="utf-8")
        json.loads(text)
        found = read_text(text, name)  # JSON is YAML, and YAML's reader knows places
    except FileNotFoundError:
        return Node({}, place)
    except json.JSONDecodeError as error:
        at = Place(name, error.lineno, error.colno)
        problems.error(f"the file is not JSON: {error.msg}", (), at)
        return Node({}, place)
    except (OSError, ValueError, ConfigError) as error:
        problems.error(f"the file cannot be read: {error}", (), place)
        return Node({}, place)
    if found.kind != "map":
        problems.error("the file must hold one JSON object", (), found)
        return Node({}, place)
    return found


def defined(tree: Node, block: Node, problems: Problems) -> dict[str, Node]:
    """Return the definition of every variable, a target's block laid over it."""
    made: dict[str, Node] = {}
    for name, node in (tree.get("variables") or Node({})).entries.items():
        if node.kind not in {"map", "null"}:
            message = f"expected a map, found {node.kind}"
            hint = "write the value as: default"
            problems.error(message, ("variables", name), node, hint)
        fitted = shaped(Node(node.entries, node.place), "variable", problems, ("variables", name))
        made[name] = (
            fitted
            if "default" not in node.entries
            else fitted.put(("default",), node.entries["default"])
        )
    for name, node in (block.get("variables") or Node({})).entries.items():
        if name not in made:
            message = f"variable {name} is not defined but is assigned a value"
            problems.error(message, ("variables", name), node, near(name, made))
            continue
        made[name] = _overridden(made[name], node)
    return made


def _overridden(definition: Node, over: Node) -> Node:
    if over.kind != "map" or not over.entries or not _DEFINITION.issuperset(over.entries):
        over = Node({"default": over}, over.place)
    if "default" in over.entries or "lookup" in over.entries:
        definition = definition.without("default", "lookup")
    return Node({**definition.entries, **over.entries}, definition.place)


def assigned(definitions: Mapping[str, Node], sources: Sources, problems: Problems) -> Node:
    """Return the variables as `{name: {..., value}}`; `value` is missing where there is none."""
    for name in sources.given:
        if name not in definitions:
            message = f"variable {name} has not been defined"
            problems.error(message, ("variables", name), None, near(name, definitions))
    for name, node in sources.overrides.entries.items():
        if name not in definitions:
            message = f"variable {name} has not been defined"
            problems.error(message, ("variables", name), node, near(name, definitions))
    made: dict[str, Node] = {}
    for name, definition in definitions.items():
        value = _value(name, definition, sources, problems)
        made[name] = definition if value is None else definition.put(("value",), value)
    return Node(made)


def _value(name: str, definition: Node, sources: Sources, problems: Problems) -> Node | None:
    path = ("variables", name)
    text = sources.given.get(name, sources.environment.get(f"{_PREFIX}{name}"))
    is_complex = definition.text_at("type") == "complex"
    if text is not None:
        if is_complex:
            message = f"the complex variable {name} cannot be given as text"
            problems.error(message, path, definition, "use variable-overrides.json")
        return Node(text, definition.place)
    override = sources.overrides.get(name)
    if override is not None:
        if is_complex != (override.kind in {"map", "sequence"}) and "default" in definition.entries:
            kind = "complex" if is_complex else "plain"
            problems.error(f"{name} is a {kind} variable, found {override.kind}", path, override)
        return override
    if "lookup" in definition.entries:
        return None  # `lookups` finds it once the references in its name are known
    default = definition.get("default")
    if default is None or default.value is None:
        hint = f"give it with --var {name}=..., with {_PREFIX}{name}, or a default"
        message = f"no value assigned to required variable {name}"
        problems.error(message, path, definition, hint)
        return None
    return default
