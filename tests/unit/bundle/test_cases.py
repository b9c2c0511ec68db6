"""Each folder of fixtures/bundles is a bundle and what is expected of it.

`load.json` holds the options of `load` where they differ from its own. Expectations are never
edited so that a test passes: `pytest tests/unit/bundle/test_cases.py --update` writes them anew
and shows each difference, which is read before it is kept.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from laketop.bundle import Bundle, Problem, load
from laketop.errors import ConfigError

CASES = Path(__file__).parents[3] / "fixtures" / "bundles"


def case_names() -> list[str]:
    folders = (path.name for path in CASES.iterdir() if path.is_dir())
    return sorted(name for name in folders if not name.endswith("_shared"))


def shown(problem: Problem) -> str:
    path = f" at {problem.path}" if problem.path else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    code = f" [{problem.code}]" if problem.code else ""
    return f"{problem}{code}{path}{hint}"


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
        return outcome(load(folder, **{"lint": True, **given}))
    except ConfigError as error:
        return {"error": str(error)}


@pytest.mark.parametrize("name", case_names())
def test_a_bundle_loads_as_expected(
    name: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = CASES / name
    text = json.dumps(loaded(folder), indent=2, default=str).replace(str(CASES), "$CASES") + "\n"
    expected = folder / "expected.json"
    before = expected.read_text(encoding="utf-8") if expected.exists() else ""
    if request.config.getoption("--update"):
        expected.write_text(text, encoding="utf-8")
        with capsys.disabled():
            print("".join(difference(before, text, name)), end="")
        return
    assert json.loads(text) == json.loads(before)


def difference(before: str, after: str, name: str) -> Iterator[str]:
    lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
    return difflib.unified_diff(*lines, f"a/{name}", f"b/{name}")


def test_there_are_cases() -> None:
    assert len(case_names()) >= 120
