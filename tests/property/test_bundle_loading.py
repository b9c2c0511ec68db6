"""A whole bundle: what is resolved resolves to itself, and every value keeps its place."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laketop.bundle import Bundle, load
from laketop.bundle.nodes import leaves, node_of

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["x", "${var.a}", "${var.b}-${bundle.target}", "${bundle.name}", "7"])
VALUES = st.one_of(TEXTS, st.integers(0, 9), st.booleans())
VARIABLES = st.fixed_dictionaries({"a": st.sampled_from(["x", 1, True]), "b": st.text("xy")})
JOBS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {"name": TEXTS},
        optional={
            "tags": st.dictionaries(NAMES, VALUES, max_size=2),
            "description": TEXTS,
            "timeout_seconds": st.integers(0, 9),
            "parameters": st.lists(
                st.fixed_dictionaries({"name": NAMES, "default": TEXTS}), max_size=3
            ),
        },
    ),
    max_size=3,
)
MODES = st.sampled_from([None, "development", "production"])


def loaded(content: Mapping[str, Any]) -> Bundle:
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(content, indent=1)
        (Path(folder) / "databricks.yml").write_text(text, encoding="utf-8")
        return load(Path(folder), source_linked=False)


def bundle_of(
    variables: Mapping[str, Any], jobs: Mapping[str, Any], over: Mapping[str, Any], mode: str | None
) -> dict[str, Any]:
    return {
        "bundle": {"name": "n"},
        "variables": {name: {"default": value} for name, value in variables.items()},
        "resources": {"jobs": jobs},
        "targets": {"t": {"mode": mode, "resources": {"jobs": over}}},
    }


@given(VARIABLES, JOBS, JOBS, MODES)
def test_what_is_resolved_resolves_to_itself(
    variables: dict[str, Any], jobs: dict[str, Any], over: dict[str, Any], mode: str | None
) -> None:
    once = loaded(bundle_of(variables, jobs, over, mode))
    tree = {"bundle": {"name": "n"}, "resources": once.configuration["resources"]}
    again = loaded({**tree, "targets": {"t": {}}})
    assert [r.body for r in again.ordered] == [r.body for r in once.ordered]


@given(VARIABLES, JOBS, JOBS)
def test_every_written_value_of_a_job_keeps_its_place(
    variables: dict[str, Any], jobs: dict[str, Any], over: dict[str, Any]
) -> None:
    content = bundle_of(variables, jobs, over, None)
    lines = json.dumps(content, indent=1).splitlines()
    for job in loaded(content).resources.get("jobs", {}).values():
        for path, leaf in leaves(node_of(job.body)):
            place = job.place_of(".".join(str(step) for step in path if isinstance(step, str)))
            assert place.file == "databricks.yml"
            key = path[-1]
            if isinstance(key, str) and key in {"description", "timeout_seconds"}:
                assert f'"{key}": ' in lines[place.line - 1], leaf
