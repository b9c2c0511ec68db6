"""What a bundle asks for and a deployment does not do, each said by its name."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

from laketop.bundle import NOT_RUN, Bundle, Resource
from laketop.errors import Refused
from laketop.runner import tasks
from laketop.runner.notifications import DURATION_METRIC
from laketop.workspace.deployment.resources import KINDS, followed


def waiting(bundle: Bundle) -> Iterator[str]:
    """Yield a sentence for everything that the local workspace keeps and does not act upon."""
    for resource in bundle.ordered:
        if resource.type not in KINDS:
            yield f"{resource.name} is kept as state only: nothing runs behind {resource.type} here"
        if resource.type in NOT_RUN:
            yield f"{resource.name} is deployed as an object, and {NOT_RUN[resource.type]} it here"
        for what in _unset(resource):
            yield f"the {what} of {resource.name} are not set on the local workspace yet"
    for key, job in bundle.resources.get("jobs", {}).items():
        yield from _of_job(key, job)


def _of_job(key: str, job: Resource) -> Iterator[str]:
    for what, settings in _health(key, job):
        for rule in (settings.get("health") or {}).get("rules") or ():
            if rule.get("metric") != DURATION_METRIC:
                yield f"the health rule {rule.get('metric')} of {what} is not watched here"
    for task in job.body.get("tasks", ()):
        for name in task:
            if name.endswith("_task") and name.removesuffix("_task") not in _task_types():
                yield f"task {task['task_key']} of job {key} is a {name}, which does not run yet"


def _health(key: str, job: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield f"job {key}", job.body
    for task in job.body.get("tasks", ()):
        yield f"task {task['task_key']} of job {key}", task


def check_runs(bundle: Bundle, key: str) -> None:
    """Check that a key is not one of a resource that nothing runs. Errors: Refused, by name."""
    if key in bundle.resources.get("jobs", {}):
        return
    for type_, resources in bundle.resources.items():
        if key in resources:
            raise Refused(
                f"running {type_}.{key}", hint="jobs run here; `laketop summary` lists the rest"
            )


def check_remote(bundle: Bundle) -> None:
    """Check that all of a bundle is made on a remote workspace. Errors: Refused, by name."""
    hint = "deploy it with the official tools, or leave it out of this target"
    for resource in bundle.ordered:
        if resource.type not in KINDS:
            raise Refused(f"deploying {resource.name} to a remote workspace", hint=hint)
        for what in _unset(resource):
            raise Refused(f"setting the {what} of {resource.name} remotely", hint=hint)


def _unset(resource: Resource) -> Iterator[str]:
    """Return which of the permissions and grants are asked for, and nothing deploys."""
    return (what for what, _, found in followed(resource) if found is None)


@functools.cache
def _task_types() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(tasks.__path__))
