"""The order of a deployment: each thing after those that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from laketop.bundle.resources import Resource


def ordered(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return the resources, each after those it depends on, else in the order given.

    In a cycle, which loading reports as an error, the order given decides.
    """
    by_name = {resource.name: resource for resource in resources}
    done: dict[str, Resource] = {}
    stack = [(resource.name, False) for resource in reversed(resources)]
    entered: set[str] = set()
    while stack:
        name, left = stack.pop()
        if left:
            done.setdefault(name, by_name[name])
        elif name not in entered:
            entered.add(name)
            stack.append((name, True))
            needed = sorted(by_name[name].depends_on, reverse=True)
            stack.extend((other, False) for other in needed if other in by_name)
    return tuple(done.values())


def cycles_of(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the cycles met on a walk, each as a chain that ends where it begins.

    >>> cycles_of({"a": ["b"], "b": ["a"], "c": ["c", "a"]})
    [['a', 'b', 'a'], ['c', 'c']]
    """
    cycles: list[list[str]] = []
    on_chain: dict[str, bool] = {}
    for start in needs:
        chain: list[str] = []
        stack = [(start, False)]
        while stack:
            name, left = stack.pop()
            if left:
                on_chain[chain.pop()] = False
            elif on_chain.get(name):
                cycles.append([*chain[chain.index(name) :], name])
            elif name not in on_chain:
                on_chain[name] = True
                chain.append(name)
                stack.append((name, True))
                stack.extend((other, False) for other in reversed(needs.get(name, ())))
    return cycles
