"""Modes and presets: prefixes of names, tags, paused schedules, how many runs at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from laketop.bundle.nodes import Node, Path
from laketop.bundle.patterns import EACH, found
from laketop.bundle.places import PATH_KEYS, short_name
from laketop.bundle.problems import Problems
from laketop.bundle.resources import IDENTIFIER_NAMED, PREFIXED, TAG_LISTS, TAG_MAPS

DEVELOPMENT = "development"
PRODUCTION = "production"
_DEVELOPMENT_RUNS = 4
_NAMES = {"clusters": "cluster_name", "dashboards": "display_name", "alerts": "display_name"}
_TRIGGERS: tuple[Path, ...] = (("schedule",), ("trigger",), ("continuous",), ("triggers", EACH))


@dataclass(frozen=True, slots=True)
class Presets:
    """What a target does to every resource it holds; None or empty leaves them as they are."""

    name_prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    pause_status: str | None = None
    max_concurrent_runs: int | None = None
    pipelines_development: bool = False
    source_linked: bool | None = None
    dynamic_version: bool = False
    prefix_schemas: bool = True
    drop_schedules: bool = False
    """Whether a monitor loses its schedule, as it does in development."""


def presets_of(tree: Node, mode: str | None, user: str) -> Presets:
    """Return the presets of a target: its own, over those of its mode."""
    block = tree.get("presets") or Node({})
    skip = tree.get("experimental", "skip_name_prefix_for_schema")
    presets = Presets(prefix_schemas=skip is None or skip.value is not True)
    if mode == DEVELOPMENT:
        short = short_name(user)
        presets = replace(
            presets,
            name_prefix=f"[dev {short}] ",
            tags={"dev": short},
            pause_status="PAUSED",
            max_concurrent_runs=_DEVELOPMENT_RUNS,
            pipelines_development=True,
            drop_schedules=True,
        )
    return _with_own(presets, block)


def _with_own(presets: Presets, block: Node) -> Presets:
    own = {key: node.value for key, node in block.entries.items()}
    tags = {key: node.text for key, node in (block.get("tags") or Node({})).entries.items()}
    prefix = own.get("name_prefix")
    runs = own.get("jobs_max_concurrent_runs")
    pause = own.get("trigger_pause_status")
    pipelines = own.get("pipelines_development")
    linked = own.get("source_linked_deployment")
    return replace(
        presets,
        name_prefix=prefix if isinstance(prefix, str) and prefix else presets.name_prefix,
        tags={**presets.tags, **tags},
        pause_status=pause if isinstance(pause, str) else presets.pause_status,
        max_concurrent_runs=runs if isinstance(runs, int) and runs else presets.max_concurrent_runs,
        pipelines_development=(
            pipelines if isinstance(pipelines, bool) else presets.pipelines_development
        ),
        source_linked=linked if isinstance(linked, bool) else None,
        dynamic_version=own.get("artifacts_dynamic_version") is True,
    )


def identifier_prefix(prefix: str) -> str:
    """Return a prefix in the form in which names of Unity Catalog take it.

    >>> identifier_prefix("[dev jane] "), identifier_prefix("team-")
    ('dev_jane_', 'team')
    """
    bare = prefix.strip().lstrip("[")
    end = "_" if bare.endswith("]") else ""
    return re.sub(r"\W", "_", bare).strip("_") + end


def applied(resources: Node, presets: Presets) -> Node:
    """Return the resources with the presets applied; what a resource says itself wins."""
    for type_, of_type in resources.entries.items():
        for key, resource in of_type.entries.items():
            if resource.kind == "map":
                resources = resources.put((type_, key), _applied(type_, resource, presets))
    return resources


def _applied(type_: str, resource: Node, presets: Presets) -> Node:
    resource = _tagged(type_, _named(type_, resource, presets), presets.tags)
    if type_ == "jobs":
        return _job(resource, presets)
    if type_ == "pipelines":
        return _pipeline(resource, presets)
    if type_ == "quality_monitors" and presets.drop_schedules:
        return resource.without("schedule")
    return resource


def _named(type_: str, resource: Node, presets: Presets) -> Node:
    at = _NAMES.get(type_, "name")
    name = resource.get(at)
    if name is None or not name.text or not presets.name_prefix:
        return resource
    if type_ == "experiments":
        folder, slash, last = name.text.rpartition("/")
        return resource.put((at,), Node(f"{folder}{slash}{presets.name_prefix}{last}", name.place))
    if type_ in PREFIXED:
        return resource.put((at,), Node(presets.name_prefix + name.text, name.place))
    if type_ in IDENTIFIER_NAMED and (type_ != "schemas" or presets.prefix_schemas):
        text = identifier_prefix(presets.name_prefix) + name.text
        return resource.put((at,), Node(text, name.place))
    return resource


def _tagged(type_: str, resource: Node, tags: Mapping[str, str]) -> Node:
    if not tags:
        return resource
    place = resource.place
    if type_ in TAG_MAPS:
        own = (resource.get(TAG_MAPS[type_]) or Node({}, place)).entries
        made = {**{key: Node(value, place) for key, value in tags.items()}, **own}
        return resource.put((TAG_MAPS[type_],), Node(made, place))
    if type_ in TAG_LISTS:
        elements = (resource.get("tags") or Node((), place)).elements
        taken = {element.text_at("key") for element in elements}
        added = (
            Node({"key": Node(key, place), "value": Node(value, place)}, place)
            for key, value in tags.items()
            if key not in taken
        )
        return resource.put(("tags",), Node((*elements, *added), place))
    return resource


def _pipeline(pipeline: Node, presets: Presets) -> Node:
    if presets.pipelines_development:
        pipeline = pipeline.put(("development",), Node(True, pipeline.place))
    continuous = pipeline.get("continuous")
    if presets.pause_status == "PAUSED" and continuous is not None and continuous.value is True:
        pipeline = pipeline.put(("continuous",), Node(False, continuous.place))
    return pipeline


def _job(job: Node, presets: Presets) -> Node:
    if presets.max_concurrent_runs is not None and job.get("max_concurrent_runs") is None:
        node = Node(presets.max_concurrent_runs, job.place)
        job = job.put(("max_concurrent_runs",), node)
    if presets.pause_status is None:
        return job
    for pattern in _TRIGGERS:
        for path, trigger in found(job, pattern):
            if trigger.get("pause_status") is None:
                node = Node(presets.pause_status, trigger.place)
                job = job.put((*path, "pause_status"), node)
    return job


def check_mode(
    tree: Node, mode: str | None, user: str, problems: Problems, *, source_linked: bool
) -> None:
    """Report what a mode does not allow; `tree` is the bundle as resolved, without presets."""
    if mode == DEVELOPMENT:
        for message, path, node, hint in _development(tree, user, source_linked=source_linked):
            problems.error(message, path, node, hint)
    if mode == PRODUCTION:
        for key, pipeline in (tree.get("resources", "pipelines") or Node({})).entries.items():
            at = pipeline.get("development")
            if at is not None and at.value is True:
                place: Path = ("resources", "pipelines", key, "development")
                message = f"pipeline {key} is in development, the target is in production"
                problems.error(message, place, at)


def _development(
    tree: Node, user: str, *, source_linked: bool
) -> Iterator[tuple[str, Path, Node, str]]:
    short = short_name(user)
    pause = tree.get("presets", "trigger_pause_status")
    if pause is not None and pause.text == "UNPAUSED":
        message = "a target in development cannot have trigger_pause_status 'UNPAUSED'"
        hint = "set pause_status: UNPAUSED on the one job that is to run"
        yield message, ("presets", "trigger_pause_status"), pause, hint
    prefix = tree.get("presets", "name_prefix")
    if prefix is not None and prefix.text and short not in prefix.text and user not in prefix.text:
        message = f"the name_prefix {prefix.text!r} does not hold the user's name"
        hint = "use ${workspace.current_user.short_name} in it"
        yield message, ("presets", "name_prefix"), prefix, hint
    root_path = tree.text_at("workspace", "root_path")
    for key in PATH_KEYS:
        node = tree.get("workspace", key)
        text = "" if node is None else node.text
        if text.startswith(f"{root_path}/") or (key == "file_path" and source_linked):
            continue
        if node is not None and user not in text and short not in text:
            message = f"{key} {text!r} is not a place of the user {user!r}"
            hint = "begin it with ~/ or use ${workspace.current_user.userName} in it"
            yield message, ("workspace", key), node, hint
