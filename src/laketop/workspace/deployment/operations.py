"""Plan, deploy, destroy and summarize a bundle on a workspace."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from laketop.bundle import Bundle
from laketop.errors import ConfigError, LaketopError
from laketop.settings import Settings
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment import building, messages, uploading
from laketop.workspace.deployment.applying import Applier, Failure
from laketop.workspace.deployment.folders import removable
from laketop.workspace.deployment.locking import alone, locked
from laketop.workspace.deployment.planning import Plan, Planner, Step
from laketop.workspace.deployment.scripts import run_hook
from laketop.workspace.deployment.selecting import narrowed
from laketop.workspace.deployment.site import Say, Site
from laketop.workspace.deployment.state import State

Load = Callable[[], Bundle]
Confirm = Callable[[Sequence[str]], bool]
"""Asks a person whether what the sentences say may happen."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How a deployment goes about what could hurt.

    `confirm` None means that nobody can be asked. With `purge` what holds data is deleted too.
    `select` names the resources to deploy, with what they refer to; nothing else is deleted.
    """

    force_lock: bool = False
    purge: bool = False
    confirm: Confirm | None = None
    select: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Deployment:
    """What a target has on the workspace: the ids of its jobs by their keys, and what failed."""

    target: str
    jobs: Mapping[str, int]
    plan: Plan
    failures: tuple[Failure, ...] = ()


_DEFAULT = Options()


def deploy(load: Load, settings: Settings, contact: Contact, say: Say) -> Deployment:
    """Bring the local workspace to what the bundle says, and return what is there.

    Errors: as `deploy_to`; LaketopError when a job is not deployed.
    """
    done = deploy_to(Site.local(settings, contact, say), load)
    for failure in done.failures:
        if failure.name.startswith("jobs."):
            raise LaketopError(
                f"{failure.name} is not deployed: {failure.error.message}",
                hint=failure.error.hint,
            ) from failure.error
        say(f"{failure.name} is not deployed: {failure.error.message}")
    return done


def deploy_to(site: Site, load: Load, options: Options = _DEFAULT) -> Deployment:
    """Bring a workspace to what the bundle says, and return what is there.

    `load` reads the bundle; it is called again once artifacts are built, since only then the
    patterns that name them stand for files.
    Errors: ConfigError when the bundle has errors; Refused for what a remote workspace is not
    given; LaketopError when an artifact does not build, a script of `experimental.scripts` fails,
    or another deployment is under way.
    """
    bundle = _sound(load())
    with alone(site.state, force=options.force_lock):
        bundle = _prepared(site, load, bundle)
        if not site.is_local:
            messages.check_remote(narrowed(bundle, options.select))
        run_hook("predeploy", bundle, site)
        done = _deployed(site, bundle, options)
        run_hook("postdeploy", bundle, site)
        return done


def _prepared(site: Site, load: Load, bundle: Bundle) -> Bundle:
    """Run the scripts up to the build, and the build; return the bundle as it is after them."""
    ran = [run_hook("preinit", bundle, site)]
    if ran[0]:  # which may write files that the bundle includes
        bundle = _sound(load())
    ran = [run_hook("postinit", bundle, site), run_hook("prebuild", bundle, site)]
    ran += [building.build(bundle, site.settings, site.say), run_hook("postbuild", bundle, site)]
    return _sound(load()) if any(ran) else bundle


def _deployed(site: Site, bundle: Bundle, options: Options) -> Deployment:
    part = narrowed(bundle, options.select)
    state = _state(site, bundle)
    plan = _planned(Planner(part, state, site.api), options.select)
    if not plan.changing:
        with locked(bundle, site.folder, force=options.force_lock):
            uploading.upload(bundle, site)
        return Deployment(bundle.target, _jobs(state), plan)
    _ask(plan.asking, options)
    with locked(bundle, site.folder, force=options.force_lock):
        state = _state(site, bundle)
        planner = Planner(part, state, site.api)
        plan = _planned(planner, options.select)
        _check_active_runs(site, bundle, state, plan)
        uploading.upload(bundle, site)
        failures = Applier(site, state, planner, purge=options.purge).apply(plan)
        _write_metadata(site, bundle, state)
    if site.is_local:
        for sentence in messages.waiting(part):
            site.say(sentence)
    return Deployment(bundle.target, _jobs(state), plan, failures)


def _planned(planner: Planner, select: Sequence[str]) -> Plan:
    return planner.plan(deletes=not select)


def plan_of(site: Site, bundle: Bundle, select: Sequence[str] = ()) -> Plan:
    """Return what a deployment would do now, of all or of `select`; nothing is written.

    Errors: ConfigError; NotFound for a name of `select` that is none.
    """
    _sound(bundle)
    part = narrowed(bundle, select)
    if not site.is_local:
        messages.check_remote(part)
    return _planned(Planner(part, _state(site, bundle), site.api), select)


def destroy(site: Site, bundle: Bundle, options: Options = _DEFAULT) -> tuple[Failure, ...]:
    """Delete all that was deployed, and the target's files; return what was kept, and why.

    What holds data stays without `purge`, and with it the state that remembers it.
    Errors: LaketopError where nobody agrees, or another deployment is under way.
    """
    with alone(site.state, force=options.force_lock):
        state = _state(site, bundle)
        planner = Planner(bundle, state, site.api)
        plan = Plan(planner.deletions(set()))
        protected = [
            r.name for r in bundle.ordered if r.prevent_destroy and r.name in state.entries
        ]
        if protected:
            raise LaketopError(
                f"{protected[0]} is not destroyed: its lifecycle has prevent_destroy",
                hint="take prevent_destroy out of the bundle first",
            )
        _ask(plan.steps, options, root_path=bundle.workspace.root_path)
        with locked(bundle, site.folder, force=options.force_lock):
            applier = Applier(site, state, planner, purge=options.purge)
            failures = applier.apply(plan)
            if not failures:
                applier.unmake_holders()
        if not failures:
            _remove_files(site, bundle)
    return failures


def summary_of(site: Site, bundle: Bundle) -> list[dict[str, Any]]:
    """Return type, key, name, id and page of each resource; those not deployed have no id."""
    state = _state(site, bundle)
    found = []
    for resource in bundle.ordered:
        entry = state.look_up(resource.name)
        names = (resource.body.get(f) for f in ("name", "display_name", "cluster_name", "scope"))
        found.append(
            {
                "type": resource.type,
                "key": resource.key,
                "name": next((str(name) for name in names if name), resource.key),
                "id": None if entry is None else entry.id,
                "url": None if entry is None else page_of(site, resource.type, entry.id),
            }
        )
    return found


_PAGES = {
    "jobs": "jobs/{}",
    "experiments": "ml/experiments/{}",
    "model_serving_endpoints": "ml/endpoints/{}",
    "catalogs": "explore/data/{}",
    "schemas": "explore/data/{}",
    "volumes": "explore/data/volumes/{}",
    "registered_models": "explore/data/models/{}",
}


_REMOTE_PAGES = {
    "apps": "apps/{}",
    "clusters": "compute/clusters/{}",
    "dashboards": "dashboardsv3/{}/published",
    "instance_pools": "compute/instance-pools/{}",
    "pipelines": "pipelines/{}",
    "sql_warehouses": "sql/warehouses/{}",
}
"""Pages that the local workspace does not have; unverified."""


def page_of(site: Site, type_: str, id_: str) -> str | None:
    """Return the address of a resource's page in a workspace, None if it has none."""
    page = _PAGES.get(type_) or (None if site.is_local else _REMOTE_PAGES.get(type_))
    path = id_.replace(".", "/") if page is not None and page.startswith("explore") else id_
    return None if page is None else f"{site.url}/{page.format(path)}"


def _sound(bundle: Bundle) -> Bundle:
    for problem in bundle.errors:
        raise ConfigError(
            problem.message,
            file=problem.file,
            line=problem.line,
            hint="`laketop validate` tells all problems",
        )
    return bundle


def _state(site: Site, bundle: Bundle) -> State:
    return State(site.folder, bundle.workspace.state_path)


def _jobs(state: State) -> dict[str, int]:
    jobs = {name: entry for name, entry in state.entries.items() if name.count(".") == 1}
    return {
        name.removeprefix("jobs."): int(entry.id)
        for name, entry in jobs.items()
        if name.startswith("jobs.") and entry.id
    }


def _ask(steps: Sequence[Step], options: Options, *, root_path: str | None = None) -> None:
    sentences = [
        f"{step.name} will be deleted" + (" and created anew" * (step.action == "recreate"))
        for step in steps
    ]
    if root_path is not None:
        sentences.append(f"all files below {root_path} will be deleted")
    if not sentences:
        return
    if options.confirm is None:
        raise LaketopError(
            f"{sentences[0]}, and nobody is there to be asked",
            hint="at a terminal it asks; --auto-approve agrees to it",
        )
    if not options.confirm(sentences):
        raise LaketopError("nothing was done")


def _check_active_runs(site: Site, bundle: Bundle, state: State, plan: Plan) -> None:
    if not bundle.deploying.fail_on_active_runs:
        return
    for step in plan.changing:
        entry = state.look_up(step.name)
        if entry is None or not step.name.startswith("jobs.") or step.name.count(".") > 1:
            continue
        query = {"job_id": entry.id, "active_only": "true"}
        if site.api.do("GET", "/api/2.2/jobs/runs/list", query=query).get("runs"):
            raise LaketopError(
                f"{step.name} has active runs, and fail_on_active_runs is set",
                hint="wait for them, or cancel them",
            )


def _write_metadata(site: Site, bundle: Bundle, state: State) -> None:
    """Write where the jobs come from, for whoever looks at them in the workspace."""
    jobs = {
        resource.key: {"id": entry.id, "relative_path": resource.position.file}
        for resource in bundle.resources.get("jobs", {}).values()
        if (entry := state.look_up(resource.name)) is not None
    }
    content = {
        "version": 1,
        "config": {
            "bundle": {"name": bundle.name, "target": bundle.target},
            "workspace": {"file_path": bundle.workspace.file_path},
            "resources": {"jobs": jobs},
        },
    }
    path = f"{bundle.workspace.state_path}/metadata.json"
    site.folder.write(path, json.dumps(content, indent=1).encode())


def _remove_files(site: Site, bundle: Bundle) -> None:
    places = bundle.workspace
    if removable(places.root_path):
        site.folder.remove(places.root_path)
        return
    # Somebody's whole folder is never deleted: only what the deployment put into it.
    for path in (places.artifact_path, places.resource_path, places.state_path):
        if removable(path):
            site.folder.remove(path)
