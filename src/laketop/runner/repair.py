"""Which tasks of a run that has ended run again. Source: Jobs API 2.2, repair."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from laketop.errors import ConfigError
from laketop.runner.states import BAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laketop.runner.graph import Graph


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What a repair is asked to run again."""

    tasks: Sequence[str] = ()
    all_failed: bool = False
    """Every task that failed, timed out, was canceled, or did not run because of such a one."""
    dependents: bool = False
    """Also everything downstream of those, successes too."""


def chosen(wish: Wish, graph: Graph, results: Mapping[str, str]) -> set[str]:
    """Return the tasks of `graph` that run again; `results` are the last ones of the run.

    Errors: ConfigError for a wish for both or neither, for a task that does not exist, and if
    nothing is left to run.
    """
    if bool(wish.tasks) == wish.all_failed:
        raise ConfigError(
            "a repair is asked for rerun_tasks or for rerun_all_failed_tasks, one of the two"
        )
    unknown = [key for key in wish.tasks if key not in graph.edges]
    if unknown:
        raise ConfigError(f"rerun_tasks names the task {unknown[0]!r}, which does not exist")
    failed = {key for key in graph.edges if results.get(key) in BAD}
    again = failed if wish.all_failed else set(wish.tasks)
    if wish.dependents:
        again = again.union(*(graph.downstream(key) for key in again))
    if not again:
        raise ConfigError("no task of the run has failed", hint="name them in rerun_tasks")
    return again
