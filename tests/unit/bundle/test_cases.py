"""Each folder of fixtures/bundles is a bundle and what is expected of it.

`load.json` holds the options of `load` where they differ from its own. With LAKETOP_UPDATE=1 the
expectations are written anew: read the difference before it is kept.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from laketop.bundle import Bundle, Problem, load
from laketop.errors import ConfigError

CASES = Path(__file__).parents[3] / "fixtures" / "bundles"


def case_names() -> list[str]:
    return sorted(path.parent.name for path in CASES.glob("*/databricks.yml"))


def shown(problem: Problem) -> str:
    path = f" at {problem.path}" if problem.path else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem}{path}{hint}"


def outcome(bundle: Bundle) -> dict[str, Any]:
    jobs = [asdict(artifact) for artifact in bundle.artifacts]
    return {
        "name": bundle.name,
        "target": bundle.target,
        "mode": bundle.mode,
        "source_linked": bundle.source_linked,
        "workspace": asdict(bundle.workspace),
        "variables": bundle.variables,
        "resources": {resource.name: described(resource) for resource in bundle.ordered},
        "artifacts": jobs,
        "uploads": {upload.remote: upload.local for upload in bundle.uploads},
        "sync": asdict(bundle.sync),
        "problems": [shown(problem) for problem in bundle.problems],
    }


def described(resource: Any) -> dict[str, Any]:
    extra = {
        "permissions": resource.permissions,
        "grants": resource.grants,
        "depends_on": sorted(resource.depends_on),
    }
    return {
        "position": str(resource.position),
        "body": resource.body,
        **{key: value for key, value in extra.items() if value},
    }


def loaded(folder: Path) -> dict[str, Any]:
    options = folder / "load.json"
    given = json.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
    try:
        return outcome(load(folder, **given))
    except ConfigError as error:
        return {"error": str(error)}


@pytest.mark.parametrize("name", case_names())
def test_a_bundle_loads_as_expected(name: str) -> None:
    folder = CASES / name
    text = json.dumps(loaded(folder), indent=2, default=str).replace(str(CASES), "$CASES") + "\n"
    expected = folder / "expected.json"
    if os.environ.get("LAKETOP_UPDATE") == "1":
        expected.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(expected.read_text(encoding="utf-8"))


def test_there_are_cases() -> None:
    assert len(case_names()) > 25
