"""Carries a plan out, so that a cut at any moment is completed by the next deployment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from laketop.errors import ConfigError, LaketopError
from laketop.workspace.deployment.api import ApiError, told_at
from laketop.workspace.deployment.kind import Kept
from laketop.workspace.deployment.planning import Plan, Planner, Step
from laketop.workspace.deployment.references import left_in
from laketop.workspace.deployment.site import Site
from laketop.workspace.deployment.state import Entry, State

_UNITY = "/api/2.1/unity-catalog"


@dataclasses.dataclass(frozen=True)
class Failure:
    """A resource that was not deployed, and why."""

    name: str
    error: LaketopError


class Applier:
    """Applies plans to a site; the state is written before and after each creation."""

    def __init__(self, site: Site, state: State, planner: Planner, *, purge: bool = False) -> None:
        self._site = site
        self._state = state
        self._planner = planner
        self._purge = purge

    def apply(self, plan: Plan) -> tuple[Failure, ...]:
        """Do each step; a failure stops only what needs it. Return the failures."""
        failures: dict[str, LaketopError] = {}
        for step in plan.changing:
            needs = step.node.needs if step.node is not None else ()
            lost = next((name for name in needs if name in failures), None)
            if lost is not None:
                failures[step.name] = LaketopError(f"it needs {lost}, which is not deployed")
                continue
            try:
                self._do(step)
            except LaketopError as error:
                failures[step.name] = error
        return tuple(Failure(name, error) for name, error in failures.items())

    def _do(self, step: Step) -> None:
        if step.action == "delete":
            self._delete(step)
            return
        if step.node is None:
            raise TypeError(f"the step {step.name} has no node")
        body = self._planner.filled(step.node.body)
        missing = left_in(body)
        if missing:
            at = step.node.resource.position
            raise ConfigError(
                f"{step.name} refers to {missing[0]!r}, which is not deployed",
                file=at.file,
                line=at.line,
            )
        if step.action == "update":
            entry = self._state.entries[step.name]
            step.kind.update(entry.id, body, step.now)
            self._keep(step, entry.id, body, is_shared=entry.shared)
            return
        if step.action == "recreate":
            self._delete(step)
        self._create(step, body)

    def _create(self, step: Step, body: Any) -> None:
        if self._site.is_local:
            self._make_holders(body)
        begun = self._state.entries.get(step.name)
        if begun is not None and not begun.id and self._found(step, body, is_shared=begun.shared):
            return
        self._state.entries[step.name] = Entry("", body)
        self._state.save()
        try:
            id_ = step.kind.create(body)
        except ApiError as error:
            del self._state.entries[step.name]
            self._state.save()
            if not (error.is_taken and self._site.is_local and step.kind.shareable):
                raise
            if not self._found(step, body, is_shared=True):
                raise
            self._site.say(
                f"{step.name} is there already, and is shared with whoever made it;"
                " on Databricks its creation would fail"
            )
            return
        self._keep(step, id_, body, is_shared=False)

    def _found(self, step: Step, body: Any, *, is_shared: bool) -> bool:
        """Take over what is there already; return whether there is something."""
        id_ = step.kind.find(body)
        if id_ is None:
            return False
        step.kind.update(id_, body, step.kind.read(id_) or {})
        self._keep(step, id_, body, is_shared=is_shared)
        return True

    def _keep(self, step: Step, id_: str, body: Any, *, is_shared: bool) -> None:
        seen = step.kind.read(id_)
        self._state.entries[step.name] = Entry(id_, body, seen, is_shared)
        self._state.save()

    def _delete(self, step: Step) -> None:
        entry = self._state.entries[step.name]
        if entry.shared:
            self._site.say(f"{step.name} was there before, and stays")
        elif entry.id:
            try:
                step.kind.delete(entry.id, purge=self._purge)
            except Kept as error:
                raise Kept(f"{step.name} is kept: {error.message}", hint=error.hint) from error
        elif (found := step.kind.find(entry.body)) is not None:
            # Its creation had begun when a deployment was cut.
            step.kind.delete(found, purge=self._purge)
        for name in [step.name, f"{step.name}.permissions", f"{step.name}.grants"]:
            self._state.entries.pop(name, None)
        self._state.save()

    def _make_holders(self, body: Any) -> None:
        """Make the catalog and the schema that hold a resource; on Databricks they must exist."""
        if not isinstance(body, Mapping):
            return
        catalog, schema = body.get("catalog_name"), body.get("schema_name")
        if catalog and self._is_made(f"catalogs/{catalog}", {"name": catalog}, "catalogs"):
            self._site.say(f"created catalog {catalog}, which must exist already on Databricks")
        if catalog and schema:
            wanted = {"catalog_name": catalog, "name": schema}
            name = f"{catalog}.{schema}"
            if self._is_made(f"schemas/{name}", wanted, "schemas"):
                self._site.say(f"created schema {name}, which must exist already on Databricks")

    def _is_made(self, name: str, body: Mapping[str, Any], collection: str) -> bool:
        if told_at(self._site.api, f"{_UNITY}/{name}") is not None:
            return False
        self._state.made.append(name)
        self._state.save()
        self._site.api.do("POST", f"{_UNITY}/{collection}", body=body)
        return True

    def unmake_holders(self) -> None:
        """Delete the catalogs and schemas that were made along the way, if they are empty."""
        for name in list(reversed(self._state.made)):
            try:
                self._site.api.do("DELETE", f"{_UNITY}/{name}")
            except ApiError as error:
                if error.is_not_empty:
                    self._site.say(f"{name.replace('/', ' ')} holds something, and stays")
                elif not error.is_missing:
                    raise
            self._state.made.remove(name)
