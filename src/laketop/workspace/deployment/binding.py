"""Ties a resource of a bundle to one that is on the workspace already, and unties it."""

from __future__ import annotations

from laketop.bundle import Bundle
from laketop.errors import LaketopError, NotFound, Refused
from laketop.workspace.deployment.locking import alone, locked
from laketop.workspace.deployment.planning import Planner, Step, top_of
from laketop.workspace.deployment.resources import KINDS
from laketop.workspace.deployment.selecting import narrowed, resource_of
from laketop.workspace.deployment.site import Site
from laketop.workspace.deployment.state import Entry, State


def bind(site: Site, bundle: Bundle, key: str, id_: str, *, force: bool = False) -> Step:
    """Let the next deployment change what has this id, rather than make a resource anew.

    Return that deployment's step for it. Source: Databricks docs, bundle commands.
    Errors: NotFound for a key of no resource, and an id of nothing; Refused for a type that is
    kept as state; LaketopError for a resource that is deployed already, and where the next
    deployment would delete what is there.
    """
    resource = resource_of(bundle, key)
    if resource.type not in KINDS:
        raise Refused(f"binding {resource.name}", hint="nothing is behind it on the workspace")
    with alone(site.state, force=force), locked(bundle, site.folder, force=force):
        state = _state(site, bundle)
        deployed = state.look_up(resource.name)
        if deployed is not None:
            raise LaketopError(
                f"{resource.name} is deployed already, as {deployed.id!r}",
                hint=f"`laketop deployment unbind {resource.key}` first",
            )
        now = KINDS[resource.type](site.api).read(id_)
        if now is None:
            raise NotFound(resource.type.removesuffix("s").replace("_", " "), id_)
        state.entries[resource.name] = Entry(id_, now, now)
        steps = Planner(narrowed(bundle, [resource.name]), state, site.api).plan().steps
        step = next(step for step in steps if step.name == resource.name)
        if step.action == "recreate":
            tops = (top_of(edit.path) for edit in step.edits)
            fixed = next(top for top in tops if top in step.kind.immutable)
            raise LaketopError(
                f"{resource.name} would be made anew in place of {id_!r}: its {fixed} differs",
                hint=f"give it the {fixed} of what is there",
            )
        state.save()
    return step


def unbind(site: Site, bundle: Bundle, key: str, *, force: bool = False) -> str | None:
    """Forget what a resource is on the workspace, where it stays; return its id.

    Errors: NotFound for a key of no resource; LaketopError for one that is not deployed.
    """
    resource = resource_of(bundle, key)
    with alone(site.state, force=force), locked(bundle, site.folder, force=force):
        state = _state(site, bundle)
        deployed = state.look_up(resource.name)
        if deployed is None:
            raise LaketopError(f"{resource.name} is not deployed: there is nothing to unbind")
        for name in (resource.name, f"{resource.name}.permissions", f"{resource.name}.grants"):
            state.entries.pop(name, None)
        state.save()
    return deployed.id


def _state(site: Site, bundle: Bundle) -> State:
    return State(site.folder, bundle.workspace.state_path)
