"""Runs every check of the wiring lint over a bundle."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from laketop.bundle.lint.conditions import check_conditions
from laketop.bundle.lint.dynamic import check_references
from laketop.bundle.lint.entry_points import check_entry_points
from laketop.bundle.lint.jobs import jobs_of
from laketop.bundle.lint.libraries import check_libraries
from laketop.bundle.lint.not_run import check_not_run
from laketop.bundle.lint.reach import check_reach
from laketop.bundle.lint.schedules import check_schedules
from laketop.bundle.lint.tables import check_tables
from laketop.bundle.lint.values import check_values
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems


def check_wiring(tree: Node, mode: str | None, root: Path, problems: Problems) -> None:
    """Report what cannot work in the jobs of `tree`, whose paths are still those on disk."""
    resources = tree.get("resources") or Node({})
    jobs = jobs_of(resources, root)
    now = dt.datetime.now(dt.UTC)
    for job in jobs:
        check_references(job, problems)
        check_values(job, problems)
        check_conditions(job, problems)
        check_reach(job, problems)
        check_schedules(job, mode, now, problems)
        check_libraries(job, problems)
        check_entry_points(job, tree, root, problems)
        check_not_run(job, problems)
    check_tables(jobs, resources, problems)
