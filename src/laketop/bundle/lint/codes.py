"""The codes of findings: each has a page `docs/lint/<code>.md`."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "task-value-not-set": "a task value that no task upstream sets",
    "parameter-not-declared": "a job parameter that the job does not declare",
    "unknown-reference": "a dynamic value reference that stands for nothing",
    "dependency-cycle": "tasks that wait for each other",
    "unreachable-task": "a task that can never run",
    "text-against-number": "a condition that compares a text with a number",
    "notebook-missing": "a notebook or file that is not there",
    "entry-point-missing": "a wheel without the entry point that a task names",
    "widget-without-parameter": "a widget that is read, and that nothing gives a value",
    "table-nothing-writes": "a table that a task reads and that nothing writes",
    "library-not-in-environment": "a library that a task imports and its environment lacks",
    "cron-never-fires": "a schedule that never comes",
    "unpaused-in-development": "a schedule left running in a target for development",
    "not-run-here": "a task or library that laketop does not run",
}
"""What each code stands for."""
