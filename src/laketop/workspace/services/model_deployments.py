"""The job that a new model version starts, how it stands, and who has approved the version."""

from __future__ import annotations

import contextvars
import dataclasses
import hashlib
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import (
    ERROR_CODE_MAPPING,
    BadRequest,
    InvalidParameterValue,
    NotFound,
)

from laketop.errors import LaketopError
from laketop.ml.approvals import approver
from laketop.ml.gates.approval import APPROVED_BY
from laketop.ml.promotion import CHAMPION
from laketop.ml.promotion_log import Decision
from laketop.workspace.principals import Principals
from laketop.workspace.service import Fields, Service, route

if TYPE_CHECKING:
    from laketop.workspace.registry import Registry
    from laketop.workspace.workspace import Workspace

PARAMETERS = ("model_name", "model_version")
APPROVED = "Approved"
"""What the tag that is named as the approval task holds once somebody has approved."""

_RUNNING = {"RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"}

_BEGINNING = {"PENDING", "QUEUED"}
_LOOK_SECONDS = 0.2

log = logging.getLogger("laketop.workspace")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """How the deployment job of a version stands, in the words of MLflow's protocol.

    `run_state` is PENDING, RUNNING, APPROVAL, SUCCEEDED, FAILED or NO_VALID_DEPLOYMENT_JOB_FOUND.
    """

    job_id: int
    run_id: int | None = None
    run_state: str = "NO_VALID_DEPLOYMENT_JOB_FOUND"
    task: str = ""


class ModelDeployments(Service):
    """Deployment jobs of registered models. Source: Databricks' MLflow 3 deployment jobs.

    A job is connected by the `deployment_job_id` of the model and has the job parameters
    `model_name` and `model_version`. A task whose key begins with "approval" fails until the
    version's tag of that name says "Approved"; to approve sets it, and the run goes on.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._ended = threading.Event()

    def start(self) -> None:
        """Start the jobs of versions that were opened when the last process stopped."""
        with self.store.transaction(write=False):
            waiting = [key for key, told in self.table("versions").items() if not told["run_id"]]
        if waiting:  # loading the registry takes seconds, which nobody should wait for
            threading.Thread(target=self._start_waiting, args=(waiting,), daemon=True).start()

    def shutdown(self) -> None:
        """Let go of the runs that are waited for."""
        self._ended.set()

    def check(self, job_id: str) -> None:
        """Check that a job can deploy models.

        Errors: InvalidParameterValue for a job that is not there, or lacks a parameter.
        """
        if not job_id:
            return
        if not job_id.isdecimal():
            raise InvalidParameterValue(f"deployment_job_id {job_id!r} is not the id of a job.")
        settings = self._settings(int(job_id))
        if settings is None:
            raise InvalidParameterValue(f"Job {job_id} does not exist.")
        missing = _missing(settings)
        if missing:
            raise InvalidParameterValue(
                f"Job {job_id} lacks the job parameters {', '.join(missing)}, which a deployment "
                "job must have."
            )

    def connection(self, job_id: str | None) -> str:
        """Return how model and job stand, as NOT_SET_UP, CONNECTED or NOT_FOUND."""
        if not job_id:
            return "NOT_SET_UP"
        settings = self._settings(int(job_id))
        if settings is None:
            return "NOT_FOUND"
        return "REQUIRED_PARAMETERS_CHANGED" if _missing(settings) else "CONNECTED"

    def expect(self, name: str, version: int, job_id: str, user: str) -> None:
        """Write down that the version is about to open, so that its job is never forgotten."""
        with self.store.transaction(write=True):
            versions = self.table("versions")
            if _key(name, version) not in versions:
                told = {"job_id": int(job_id), "run_id": None, "user": user}
                versions[_key(name, version)] = told

    def opened(self, name: str, version: int) -> None:
        """Start the job of a version that is READY; a second call changes nothing."""
        # In a copy of the context, since the thread goes on to serve others.
        contextvars.copy_context().run(self._start_run, name, version)

    def _start_run(self, name: str, version: int) -> None:
        with self.store.transaction(write=True):
            versions = self.table("versions")
            told = versions[_key(name, version)]
            if told["run_id"]:
                return
            self.workspace.act_for(told["user"])
            token = hashlib.sha256(_key(name, version).encode()).hexdigest()
            try:
                run = self.workspace.jobs.run_now(
                    job_id=told["job_id"],
                    job_parameters={"model_name": name, "model_version": str(version)},
                    idempotency_token=token,
                    fields=Fields(),
                )
            except DatabricksError as error:
                log.warning("version %s of %s starts no job: %s", version, name, error)
                del versions[_key(name, version)]
                return
            versions[_key(name, version)] = {**told, "run_id": run["run_id"]}

    def failed(self, name: str, version: int) -> None:
        """Forget a version that did not open."""
        with self.store.transaction(write=True):
            versions = self.table("versions")
            if _key(name, version) in versions:
                del versions[_key(name, version)]

    def of(self, name: str, version: int) -> Deployment | None:
        """Return how the job of a version stands, None where it never had one."""
        with self.store.transaction(write=False):
            return self._stands(name, version)

    def _stands(self, name: str, version: int) -> Deployment | None:
        versions = self.table("versions")
        if _key(name, version) not in versions:
            return None
        told = versions[_key(name, version)]
        known = Deployment(job_id=told["job_id"], run_id=told["run_id"])
        if not known.run_id:
            return known
        try:
            run = self.workspace.jobs.get_run(known.run_id)
        except DatabricksError:
            return known
        state, task = _state_of(run)
        return dataclasses.replace(known, run_state=state, task=task)

    @route("GET /api/laketop/1/models/{full_name}/versions/{version}/deployment")
    def get(self, full_name: str, version: int) -> dict[str, Any]:
        """Return job, run, state and current task of a version's deployment."""
        found = self._stands(full_name, version)
        if found is None:
            raise NotFound(f"Version {version} of {full_name!r} has started no deployment job.")
        return dataclasses.asdict(found)

    @route("POST /api/laketop/1/models/{full_name}/versions/{version}/approve")
    async def approve(
        self, full_name: str, version: int, approver: str | None = None, reason: str = ""
    ) -> dict[str, Any]:
        """Approve a version as somebody other than its author; a run that waits goes on.

        Without `approver` it is who sends the request; admins may give the name of somebody else,
        a user or service principal. It is a row of `promotions` in the schema of the model.
        """
        by = approver or self.workspace.user
        if by != self.workspace.user:
            self.workspace.require_admin()
            self._check_is_there(by)
            reason = f"{reason} (sent by {self.workspace.user})".lstrip()
        return await anyio.to_thread.run_sync(lambda: self._approve(full_name, version, by, reason))

    def _check_is_there(self, name: str) -> None:
        with self.store.transaction(write=False):
            found = Principals(self.store).find(name)
        if found is None or found[1].get("active") is False:
            raise InvalidParameterValue(
                f"There is no active user or service principal {name!r} who could approve."
            )

    def _approve(self, name: str, version: int, by: str, reason: str) -> dict[str, Any]:
        registry = self.workspace.model_registry.registry
        from mlflow.exceptions import MlflowException

        try:
            author = registry.version(name, version).owner
            who = approver(by, author=author, model=name, version=str(version))
            deployment = self.of(name, version)
            decision = Decision(
                model=name,
                version=str(version),
                outcome="approved",
                previous=_champion(registry, name),
                approved_by=who,
                reason=reason,
            )
            # The row first: an approval that an accident cuts short has no effect, and is repeated.
            self.workspace.serving_endpoints.payloads.add_decision(
                name.rpartition(".")[0], registry.owner_of(name), decision
            )
            registry.set_version_tag(name, version, APPROVED_BY, who)
            if deployment is not None and deployment.run_state == "APPROVAL":
                registry.set_version_tag(name, version, deployment.task, APPROVED)
        except MlflowException as error:
            kind = ERROR_CODE_MAPPING.get(error.error_code, BadRequest)
            raise kind(error.message, error_code=error.error_code) from error
        except LaketopError as error:
            raise InvalidParameterValue(str(error)) from error
        told = {"model": name, "version": str(version), "approved_by": who, "author": author}
        return {**told, "run_id": self._go_on(deployment)}

    def _go_on(self, deployment: Deployment | None) -> int | None:
        """Repair the run of a deployment that has failed, or is failing, without an approval."""
        if deployment is None or deployment.run_state != "APPROVAL":
            return None
        if not self._repaired(deployment.run_id):
            # Its task may have looked at the tag before it was there: its end will tell.
            threading.Thread(
                target=self._repair_at_its_end, args=(deployment.run_id,), daemon=True
            ).start()
        return deployment.run_id

    def _repair_at_its_end(self, run_id: int | None) -> None:
        while not self._repaired(run_id):
            if self._ended.wait(_LOOK_SECONDS):
                return

    def _repaired(self, run_id: int | None) -> bool:
        """Repair the run if it waits for an approval; return False while it is in progress."""
        with self.store.transaction(write=True):
            run = self.workspace.jobs.get_run(run_id, include_history=True)
            if run["state"]["life_cycle_state"] in _RUNNING | _BEGINNING:
                return False
            if _state_of(run)[0] == "APPROVAL":
                self.workspace.jobs.repair_run(
                    run_id=run_id,
                    rerun_all_failed_tasks=True,
                    latest_repair_id=_latest_repair(run),
                )
        return True

    def _settings(self, job_id: int) -> Mapping[str, Any] | None:
        with self.store.transaction(write=False):
            try:
                settings: Mapping[str, Any] = self.workspace.jobs.get(job_id)["settings"]
            except DatabricksError:
                return None
        return settings

    def _start_waiting(self, keys: list[str]) -> None:
        registry = self.workspace.model_registry.registry
        from mlflow.exceptions import MlflowException

        for key in keys:
            name, _, version = key.rpartition("/")
            try:
                is_open = registry.version(name, int(version)).status == "READY"
            except MlflowException:
                is_open = False
            if is_open:
                self.opened(name, int(version))


def _champion(registry: Registry, name: str) -> str | None:
    """Return the version that is champion, None where none is."""
    from mlflow.exceptions import MlflowException

    try:
        return str(registry.by_alias(name, CHAMPION).version)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _key(name: str, version: int) -> str:
    return f"{name}/{version}"


def _missing(settings: Mapping[str, Any]) -> list[str]:
    there = {one.get("name") for one in settings.get("parameters") or ()}
    return [name for name in PARAMETERS if name not in there]


def _latest_repair(run: Mapping[str, Any]) -> int | None:
    done = [one["id"] for one in run.get("repair_history") or () if one.get("type") == "REPAIR"]
    return done[-1] if done else None


def _state_of(run: Mapping[str, Any]) -> tuple[str, str]:
    """Return the state of a deployment's run, and the task that it is at."""
    state = run["state"]
    # Of a task that was repaired the last attempt counts, and comes last.
    tasks = {one["task_key"]: one["state"] for one in run.get("tasks") or ()}.items()
    if state["life_cycle_state"] in _BEGINNING:
        return "PENDING", ""
    if state["life_cycle_state"] in _RUNNING:
        now = [key for key, told in tasks if told["life_cycle_state"] in _RUNNING]
        current = now[0] if now else ""
        return ("APPROVAL" if _is_approval(current) else "RUNNING"), current
    if state.get("result_state") == "SUCCESS":
        return "SUCCEEDED", ""
    failed = [key for key, told in tasks if told.get("result_state") in {"FAILED", "TIMEDOUT"}]
    waiting = [key for key in failed if _is_approval(key)]
    if waiting and len(waiting) == len(failed):
        return "APPROVAL", waiting[0]
    return "FAILED", failed[0] if failed else ""


def _is_approval(task: str) -> bool:
    return task.casefold().startswith("approval")
