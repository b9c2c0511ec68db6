"""Every key of the format is read, kept, or told to have no effect: none is lost in silence.

What is observed is the table in docs/BUNDLE_KEYS.md; with `--update` it is written anew.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from laketop.bundle import Bundle, load
from laketop.bundle.fields import BLOCKS, table
from laketop.bundle.nodes import node_of, plain
from laketop.bundle.problems import Problems
from laketop.bundle.resources import NOT_RUN, SERVED, STATE_ONLY
from laketop.bundle.shapes import shaped
from laketop.errors import ConfigError
from laketop.workspace.deployment.resources import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "BUNDLE_KEYS.md"
PLACES = {
    "root": "",
    "bundle": "bundle",
    "git": "bundle.git",
    "deployment": "bundle.deployment",
    "lock": "bundle.deployment.lock",
    "variable": "variables.new",
    "lookup": "variables.new.lookup",
    "workspace": "workspace",
    "artifact": "artifacts.new",
    "artifact_file": "artifacts.new.files.[]",
    "sync": "sync",
    "bundle_permission": "permissions.[]",
    "run_as": "run_as",
    "presets": "presets",
    "python": "python",
    "script": "scripts.new",
    "experimental": "experimental",
    "target": "targets.t",
    "lifecycle": "resources.jobs.job.lifecycle",
    "permission": "resources.jobs.job.permissions.[]",
    "grant": "resources.schemas.schema.grants.[]",
}
BASE: dict[str, Any] = {
    "bundle": {"name": "base"},
    "resources": {
        "jobs": {"job": {"name": "job", "trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}}},
        "pipelines": {"pipeline": {"name": "pipeline"}},
        "schemas": {"schema": {"name": "schema", "catalog_name": "main"}},
    },
}
JOBS = {"jobs": {"more": {"name": "more"}}}
VALUES: dict[str, Any] = {
    "bundle": {"name": "other"},
    "include": ["more.yml"],
    "resources": JOBS,
    "targets": {"t": {"mode": "development"}},
    "environments": {"t": {"default": True}},
    "variables": {"new": {"default": 1}},
    "bundle.engine": "direct",
    "bundle.deployment.lock.enabled": False,
    "presets.trigger_pause_status": "PAUSED",
    "sync.paths": ["sub"],
    "targets.t.resources": JOBS,
    "targets.t.variables": {"declared": "over"},
    "targets.t.bundle": {"name": "other"},
    "targets.t.default": True,
    "experimental.skip_name_prefix_for_schema": True,
    "artifacts.new.path": "sub",
    "artifacts.new.type": "jar",
    "presets.artifacts_dynamic_version": True,
    "resources.jobs.job.permissions.[].level": "CAN_VIEW",
    "experimental.pydabs": {"enabled": True},
    "experimental.python": {"enabled": True},
}
SHOWN = {"description": "${bundle.git.branch} ${bundle.git.origin_url} ${bundle.uuid}"}
BESIDE: dict[str, dict[str, Any]] = {
    **{
        path: {"resources": {"jobs": {"job": SHOWN}}}
        for path in (
            *("bundle.uuid", "bundle.git", "bundle.git.branch", "bundle.git.origin_url"),
            "targets.t.git",
        )
    },
    "presets.artifacts_dynamic_version": {"artifacts": {"whl": {"type": "whl", "build": "make"}}},
    "experimental.skip_name_prefix_for_schema": {"presets": {"name_prefix": "team_"}},
    "targets.t.variables": {"variables": {"declared": {"default": "base"}}},
    "targets.t.default": {"targets": {"other": {"default": True}}},
}
COMPANIONS: dict[str, dict[str, Any]] = {
    "artifacts.new": {"type": "whl", "build": "make"},
    "scripts.new": {"content": "echo"},
    "variables.new": {"default": "x"},
    "permissions.[]": {"level": "CAN_VIEW", "user_name": "someone"},
    "resources.jobs.job.permissions.[]": {"level": "CAN_RUN", "user_name": "someone"},
    "resources.schemas.schema.grants.[]": {"principal": "someone", "privileges": ["SELECT"]},
}


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield the place, the name and the type of every key of the bundle's own blocks."""
    for block, place in PLACES.items():
        for name, field in table().blocks[block].items():
            yield place, name, field.type


def sample(type_: str, depth: int = 0) -> Any:
    """Return a value of a type; of a block every field, to a depth."""
    known = table()
    if type_.startswith("["):
        return [sample(type_[1:-1], depth)]
    if type_.startswith("{"):
        return {"new": sample(type_[1:-1], depth)}
    if type_ in known.values:
        return known.values[type_][-1]
    if type_ in known.blocks:
        fields = known.blocks[type_]
        return {
            name: sample(field.type, depth + 1)
            for name, field in fields.items()
            if depth < 3 or (field.required and depth < 6)
        }
    return {"str": "x", "int": 3, "float": 0.5, "bool": True}.get(type_, {"any": "thing"})


def nested(place: str, value: Any) -> dict[str, Any]:
    for step in reversed([step for step in place.split(".") if step]):
        value = [value] if step == "[]" else {step: value}
    return dict(value)


def laid(under: Any, over: Any) -> Any:
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    both = {key: laid(under[key], over[key]) for key in over if key in under}
    return {**under, **over, **both}


def seen(bundle: Bundle) -> dict[str, Any]:
    """Return all that a bundle says, without places and without the written configuration."""
    fields = {field.name: getattr(bundle, field.name) for field in dataclasses.fields(bundle)}
    for name in ("configuration", "tree", "problems", "sources", "root"):
        del fields[name]
    fields["resources"] = [
        (r.name, r.body, r.permissions, r.grants, r.prevent_destroy) for r in bundle.ordered
    ]
    fields["scripts"] = [(s.content, s.environment) for s in bundle.scripts.values()]
    fields["lookups"] = [(one.kind, one.name) for one in bundle.lookups]
    return fields


def loaded(folder: Path, content: Mapping[str, Any], target: str | None = "t") -> Bundle:
    (folder / "databricks.yml").write_text(json.dumps(content), encoding="utf-8")
    (folder / "more.yml").write_text("resources: {jobs: {included: {}}}\n", encoding="utf-8")
    (folder / "sub").mkdir(exist_ok=True)
    environment = {"BUNDLE_VAR_new": "text"} if "type" in str(content.get("variables")) else {}
    return load(
        folder, host=None, target=target, environment=environment, find=lambda _kind, _name: None
    )


def effect(
    load_before: Callable[[Mapping[str, Any]], Bundle],
    folder: Path,
    key: tuple[str, str, str],
) -> str:
    """Return what a key, its place, name and type, does: read, kept, told, or lost."""
    place, name, type_ = key
    path = f"{place}.{name}".lstrip(".")
    companions = {key: v for key, v in COMPANIONS.get(place, {}).items() if key != name}
    if path == "variables.new.lookup" or place == "variables.new.lookup":
        companions = {}
    before = laid(laid(BASE, {"targets": {"t": {}}}), BESIDE.get(path, {}))
    before = laid(before, nested(place, companions)) if companions else before
    value = VALUES[path] if path in VALUES else sample(type_)
    after = laid(before, nested(place, {**companions, name: value}))
    if path == "environments":
        del after["targets"]
        after["environments"]["t"]["resources"] = JOBS
    if path == "targets.t.default":  # it decides which target is meant when none is named
        with pytest.raises(ConfigError, match="are all the default"):
            loaded(folder, after, target=None)
        return "read"
    old, new = load_before(before), loaded(folder, after)
    words = ("has no effect", "not supported", "not run")
    told = (p for p in new.problems if any(word in p.message for word in words))
    dotted = path.replace(".[]", "[0]").replace("targets.t.", "bundle.")
    if any(p.path and (p.path == dotted or dotted.startswith(p.path)) for p in told):
        return "told"
    if seen(old) != seen(new) or any(
        p.severity == "error" and p not in old.problems for p in new.problems
    ):
        return "read"
    return "kept" if old.configuration != new.configuration else "lost"


def behind(type_: str) -> str:
    """Return what a deployment to the local workspace makes of a type."""
    if type_ not in KINDS:
        return "state only; refused with `--remote`"
    return f"an object that {NOT_RUN[type_]} here" if type_ in NOT_RUN else "a service"


def shown(rows: Mapping[str, str]) -> str:
    words = {
        "read": "read",
        "kept": "kept: part of the resolved tree, no effect on the local workspace by itself",
        "told": "told: `validate` says that it has no effect here, or is not supported",
    }
    lines = [
        "# What laketop does with each key of a bundle",
        "",
        "Written by `tests/unit/bundle/test_keys.py`, which observes it. A key that is not listed",
        "is warned of as unknown, with its place.",
        "",
        *(
            f"- **{word}** — {text.partition(': ')[2] or 'it decides what is loaded or deployed'}"
            for word, text in words.items()
        ),
        "",
        "| key | what happens |",
        "|---|---|",
        *(f"| `{path}` | {word} |" for path, word in rows.items()),
        "",
        "Resources are checked field by field, and all their fields go into what is deployed:",
        "",
        "| type | fields | behind it |",
        "|---|---|---|",
        *(
            f"| `{type_}` | {len(table().blocks[f'resource.{type_}'])} | {behind(type_)} |"
            for type_ in sorted((*SERVED, *STATE_ONLY))
        ),
        "",
    ]
    return "\n".join(lines)


def test_no_key_is_lost_and_the_page_says_what_each_does(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    known: dict[str, Bundle] = {}

    def load_before(content: Mapping[str, Any]) -> Bundle:
        text = json.dumps(content)
        if text not in known:
            known[text] = loaded(tmp_path, content)
        return known[text]

    rows = {
        f"{key[0]}.{key[1]}".lstrip("."): effect(load_before, tmp_path, key) for key in blocks()
    }
    assert [path for path, word in rows.items() if word == "lost"] == []
    if request.config.getoption("--update"):
        PAGE.write_text(shown(rows), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == shown(rows)


def test_what_is_called_served_is_what_a_deployment_makes() -> None:
    assert set(SERVED) == set(KINDS)
    assert set(SERVED) >= NOT_RUN.keys()


def test_every_own_block_has_a_place() -> None:
    own = {line.partition(":")[0] for line in BLOCKS.replace("\n  ", " ").splitlines() if line}
    words = {name for name in own if name in table().values}
    assert own - words - {"secret_scope"} == set(PLACES)


@pytest.mark.parametrize("type_", [*SERVED, *STATE_ONLY])
def test_every_field_of_a_resource_is_taken_as_it_is(type_: str) -> None:
    value, problems = sample(f"resource.{type_}"), Problems()
    made = shaped(node_of(value), f"resource.{type_}", problems)
    assert plain(made) == value
    assert problems.all() == ()
