from __future__ import annotations

from typing import Any

from laketop.cli.plan import lines_of
from laketop.workspace.deployment.kind import Kind
from laketop.workspace.deployment.planning import Edit, Plan, Step


class Nothing:
    def do(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a plan is only shown")


def test_a_plan_names_what_changes_and_who_changed_it() -> None:
    kind = Kind(Nothing())
    edits = (
        Edit("tasks[t].max_retries", 1, 2, "bundle"),
        Edit("description", None, "x" * 90, "workspace"),
    )
    steps = (
        Step("volumes.v", "delete", kind),
        Step("jobs.a", "create", kind),
        Step("jobs.b", "update", kind, edits=edits),
        Step("schemas.s", "recreate", kind),
        Step("jobs.c", "unchanged", kind),
    )
    lines = lines_of(Plan(steps))
    assert lines[:4] == [
        "delete volumes.v",
        "create jobs.a",
        "update jobs.b",
        "  tasks[t].max_retries: 1 -> 2",
    ]
    assert lines[4].startswith("  description: null -> ")
    assert lines[4].endswith("… (changed in the workspace)")
    assert lines[-1] == "Plan: 2 to add, 1 to change, 2 to delete, 1 unchanged"
    assert Plan(steps).as_dict()["plan"]["resources.jobs.c"] == {"action": "skip"}
