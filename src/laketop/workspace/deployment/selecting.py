"""A part of a bundle: some of its resources, and all that they refer to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from laketop.bundle import Bundle, Resource
from laketop.bundle.problems import near
from laketop.errors import NotFound


def resource_of(bundle: Bundle, name: str) -> Resource:
    """Return the resource with a key, which may be written with its type: "jobs.score".

    Errors: NotFound, with the names most like it.
    """
    for resource in bundle.ordered:
        if name in {resource.key, resource.name}:
            return resource
    names = [known for one in bundle.ordered for known in (one.key, one.name)]
    raise NotFound("resource", name, hint=near(name, names) or "`laketop summary` lists them")


def narrowed(bundle: Bundle, names: Sequence[str]) -> Bundle:
    """Return the bundle with these resources and what they need alone; without names all of it.

    Errors: NotFound for a name that is none.
    """
    if not names:
        return bundle
    kept: set[str] = set()
    left = [resource_of(bundle, name).name for name in names]
    needs = {resource.name: resource.depends_on for resource in bundle.ordered}
    while left:
        name = left.pop()
        if name not in kept:
            kept.add(name)
            left.extend(needs[name])
    resources = {
        type_: {key: one for key, one in of_type.items() if one.name in kept}
        for type_, of_type in bundle.resources.items()
    }
    return dataclasses.replace(bundle, resources=resources)
