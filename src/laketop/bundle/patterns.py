"""Finds the values of one kind in a tree by a pattern of keys."""

from __future__ import annotations

from collections.abc import Iterator

from laketop.bundle.nodes import Node, Path

EACH = "*"
"""In a pattern: every element of a sequence, or every entry of a map."""

_TASK: Path = ("tasks", EACH)
TASKS: tuple[Path, ...] = (_TASK, (*_TASK, "for_each_task", "task"))
"""Where a job has tasks: in its list, and inside of its loops."""


def found(node: Node, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield the nodes at `pattern` below `node`, each with its path.

    >>> [path for path, _ in found(Node((Node(1), Node(2))), (EACH,))]
    [(0,), (1,)]
    """
    if not pattern:
        yield path, node
        return
    step, rest = pattern[0], pattern[1:]
    if step == EACH:
        names: tuple[str | int, ...] = (*node.entries, *range(len(node.elements)))
    else:
        names = (step,)
    for name in names:
        child = node.child(name)
        if child is not None:
            yield from found(child, rest, (*path, name))


def tasks_of(job: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every task of a job, those inside of loops too."""
    for pattern in TASKS:
        yield from found(job, pattern, path)
