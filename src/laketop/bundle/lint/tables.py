"""Tables that a task reads and that nothing in the bundle writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from laketop.bundle.lint.jobs import Job
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems, near

_ALWAYS_THERE = ("samples.", "system.", "information_schema.")


def check_tables(jobs: Sequence[Job], resources: Node, problems: Problems) -> None:
    """Report tables read from a schema that the bundle fills, and that it does not write there.

    Only where all tasks can be read: what cannot be might write any table. A schema that the
    bundle neither declares nor writes into is filled by others, and nothing is said of it.
    """
    tasks = [task for job in jobs for task in job.tasks]
    codes = [task.code for task in tasks if task.code is not None]
    unread = any(not task.is_readable for task in tasks)
    pipelines = resources.get("pipelines")
    if unread or (pipelines is not None and pipelines.entries):
        return
    if any("written" in code.open for code in codes):
        return
    written = {name.lower() for code in codes for name in code.written}
    schemas = {_schema(name) for name in written} | set(_declared(resources))
    for task in tasks:
        for name, place in (task.code.read if task.code else {}).items():
            lower = name.lower()
            if lower in written or lower.startswith(_ALWAYS_THERE) or _schema(lower) not in schemas:
                continue
            message = f"task {task.key!r} reads the table {name!r}, which nothing writes"
            hint = near(lower, written)
            problems.warning(message, task.path, place, hint, code="table-nothing-writes")


def _schema(name: str) -> str:
    return name.rpartition(".")[0]


def _declared(resources: Node) -> Iterator[str]:
    for schema in (resources.get("schemas") or Node({})).entries.values():
        yield f"{schema.text_at('catalog_name')}.{schema.text_at('name')}".lower()
