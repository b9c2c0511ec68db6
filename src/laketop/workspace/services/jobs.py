"""Jobs and their runs."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import itertools
import json
import logging
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.jobs import RunType

from laketop.engine import java
from laketop.engine.runtime import Runtime
from laketop.errors import ConfigError, LaketopError, Refused
from laketop.runner.alerts import Finding
from laketop.runner.context import ChildRun
from laketop.runner.execute import JobCall, Site
from laketop.runner.forks import ForkServers
from laketop.runner.own_environment import own_environment
from laketop.runner.paths import Places, notebook_name
from laketop.runner.pool import Pool
from laketop.runner.references import moment
from laketop.runner.repair import Wish
from laketop.runner.request import NOTEBOOK
from laketop.runner.run import JobRun, RunRequest
from laketop.runner.tasks import refuse_unknown
from laketop.runner.tasks.dbt import ARTIFACTS as DBT_ARTIFACTS
from laketop.workspace import job_settings, outbox, repairs, resumed, run_records, run_view
from laketop.workspace.clock import wall_ms
from laketop.workspace.dispatch import Dispatcher
from laketop.workspace.file_slice import FileSlice
from laketop.workspace.git import check_url
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.notebook_formats import to_html
from laketop.workspace.run_output import LOG_FILE, outcome_of, output_of
from laketop.workspace.run_records import MADE_MS, RunFilter, RunRecord, RunRecords
from laketop.workspace.run_settings import (
    given_to_tasks,
    run_as_of,
    with_environments,
    with_parameters,
)
from laketop.workspace.scheduler import Firing
from laketop.workspace.service import Fields, Reply, Service, route
from laketop.workspace.trigger_settings import of_continuous_run, states_of, triggers_of
from laketop.workspace.triggers import Ended, OnModel
from laketop.workspace.workspace import Workspace

log = logging.getLogger("laketop.workspace")

_OLDER = ("2.1", "2.0")
_HOLD_SECONDS = 1.0
_LOOK_SECONDS = 0.02
_CLOSE_SECONDS = 30.0
_LINK_MS = 30 * 60_000
"""How long artifacts of dbt can be fetched by their link. Source: databricks-sdk, `DbtOutput`."""
_MOST_JOBS_LISTED = 100
_MOST_RUNS_LISTED = 25
_LONGEST_TOKEN = 64
_KEPT_MS = 60 * 86_400_000
_FORGETTING_MS = 3_600_000
"""How often old runs are looked for."""
_EVERY_RUN = 1_000_000
_SHORT_ROOTS = re.compile(r"/(Users|Shared|Repos)(/|$)")


class Jobs(Service):
    """Jobs and their runs. Source: Jobs API 2.2."""

    schema = (
        """CREATE TABLE IF NOT EXISTS jobs (
            job_id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            creator TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            settings TEXT NOT NULL
        )""",
        *run_records.SCHEMA,
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._records = RunRecords(self.store)
        self._forgot_ms = 0
        self._places = Places.of_state(workspace.state)
        self._pool = Pool()
        self._forks = ForkServers()
        self._dispatcher = Dispatcher(
            self.store,
            self._records,
            self._site,
            limit_of=self._limit_of,
            start_child=self._start_child,
            notify=self._notify,
            site_for=self._site_for,
        )

    def start(self) -> None:
        """End the runs that were active when the last process stopped, but those that go on."""
        with self.store.transaction(write=True):
            self._records.load_ids(self.workspace.first_id)
            self._dispatcher.settle(self.workspace.now_ms(), but=_goes_on)
            self._forget_old()

    def begin(self) -> None:
        """Go on with the runs that were cut off and whose tasks are to be retried.

        One that cannot go on, for whatever reason, is ended: the workspace starts all the same.
        """
        with self.store.transaction(write=True):
            for record in self._dispatcher.left_active():
                try:
                    self._resume(record)
                except (LaketopError, DatabricksError) as error:
                    log.warning("run %s does not go on: %s", record.run_id, error)
                except Exception:
                    log.exception("run %s does not go on", record.run_id)
            self._dispatcher.settle(self.workspace.now_ms())

    def _resume(self, record: RunRecord) -> None:
        ground = self._ground(record, with_environments(self._settings_of(record)))
        now_ms = self.workspace.now_ms()
        run = resumed.resumed(ground, new_id=self._records.new_id, now_ms=now_ms)
        refuse_unknown(run.tasks)
        self._dispatcher.go_on(run, dataclasses.replace(record, snapshot=run.snapshot()))
        self._records.drop(resumed.not_begun(record))

    def shutdown(self) -> None:
        """Cancel what is running and wait until none of it is left."""
        self._dispatcher.close(_CLOSE_SECONDS)
        self._forks.close()

    # --- jobs ---

    @route("POST /api/2.2/jobs/create", also=_OLDER)
    def create(self, fields: Fields) -> dict[str, Any]:
        """Keep a new job."""
        settings = job_settings.checked(fields)
        self._check_run_as(settings)
        self._check_watching(settings)
        job_id = self._records.new_id()
        self._records.keep_ids()
        self.store.execute(
            "INSERT INTO jobs (job_id, name, creator, created_ms, settings) VALUES (?, ?, ?, ?, ?)",
            (
                job_id,
                settings.get("name") or "Untitled",
                self.workspace.user,
                self.workspace.now_ms(),
                json.dumps(settings),
            ),
        )
        self.workspace.clock.scheduler.follow(job_id, settings)
        return {"job_id": job_id}

    @route("GET /api/2.2/jobs/get", also=_OLDER)
    def get(
        self, job_id: int, page_token: str | None = None, include_trigger_state: bool = False
    ) -> dict[str, Any]:
        """Return a job with its settings as they were sent, arrays by pages of 100."""
        job = self._require(job_id, "CAN_VIEW")
        if include_trigger_state:
            job |= self._trigger_state(job_id, job["settings"])
        settings, more = job_settings.paged(job["settings"], job_settings.ARRAYS, page_token)
        return {**job, "settings": settings, **({"next_page_token": more} if more else {})}

    @route("GET /api/2.2/jobs/list", also=_OLDER)
    def list(
        self,
        limit: int = 20,
        page_token: str | None = None,
        offset: int = 0,
        name: str | None = None,
        expand_tasks: bool = False,
    ) -> dict[str, Any]:
        """Return the newest jobs first that the caller may see; tasks only if asked for."""
        if not 1 <= limit <= _MOST_JOBS_LISTED:
            raise InvalidParameterValue(f"limit is not from 1 to {_MOST_JOBS_LISTED}.")
        found = self._seen(_before(page_token), name, limit + 1, _not_negative(offset))
        jobs = [self._listed(job_id, is_whole=expand_tasks) for job_id in found[:limit]]
        return _page("jobs", jobs, "job_id", has_more=len(found) > limit)

    @route("POST /api/2.2/jobs/reset", also=_OLDER)
    def reset(self, job_id: int, new_settings: dict[str, Any]) -> None:
        """Replace a job's settings; an omitted `run_as` stays."""
        old = self._require(job_id, "CAN_MANAGE")["settings"]
        kept = {"run_as": old["run_as"]} if "run_as" in old else {}
        self._change(job_id, {**kept, **new_settings})

    @route("POST /api/2.2/jobs/update", also=_OLDER)
    def update(
        self,
        job_id: int,
        new_settings: dict[str, Any] | None = None,
        fields_to_remove: list[str] | None = None,  # type: ignore[valid-type]  # not the method
    ) -> None:
        """Change some of a job's settings."""
        old = self._require(job_id, "CAN_MANAGE")["settings"]
        changed = job_settings.updated(old, new_settings or {}, fields_to_remove or [])
        self._change(job_id, changed)

    @route("POST /api/2.2/jobs/delete", also=_OLDER)
    def delete(self, job_id: int) -> None:
        """Delete a job; its runs stay."""
        self._require(job_id, "CAN_MANAGE")
        self.store.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))
        self.workspace.clock.scheduler.follow(job_id, {})

    # --- runs ---

    @route("POST /api/2.2/jobs/run-now", also=_OLDER)
    def run_now(
        self,
        *,
        job_id: int,
        job_parameters: dict[str, str] | None = None,
        only: list[str] | None = None,  # type: ignore[valid-type]  # not the method
        idempotency_token: str | None = None,
        queue: dict[str, Any] | None = None,
        chaos_seed: int | None = None,
        fields: Fields,
    ) -> dict[str, Any]:
        """Make a run of a job, and return at once; the same token finds the same run.

        `chaos_seed` is laketop's own: faults on purpose. The parameters of tasks are in `fields`.
        """
        legacy = given_to_tasks(fields)
        job = self._require(job_id, "CAN_MANAGE_RUN")
        found = self._run_of(idempotency_token)
        if found is not None:
            return {"run_id": found, "number_in_job": found}
        run_id = self._add(
            with_parameters(job["settings"], legacy),
            self._request(job_id, parameters=job_parameters or {}, only=tuple(only or ())),
            queue=queue,
            more={} if chaos_seed is None else {"chaos_seed": chaos_seed},
        )
        self._keep_token(idempotency_token, run_id)
        return {"run_id": run_id, "number_in_job": run_id}

    @route("POST /api/2.2/jobs/runs/submit", also=_OLDER)
    def submit(self, fields: Fields, idempotency_token: str | None = None) -> dict[str, Any]:
        """Make a run of tasks that belong to no job."""
        found = self._run_of(idempotency_token)
        if found is not None:
            return {"run_id": found}
        sent = {**fields, "name": fields.get("run_name") or "Untitled"}
        settings = job_settings.checked(sent)
        self._check_run_as(settings)
        request = self._request(self._records.new_id(), run_type="SUBMIT_RUN")
        run_id = self._add(settings, request, queue=None, more={"settings": settings})
        self._keep_token(idempotency_token, run_id)
        return {"run_id": run_id}

    @route("GET /api/2.2/jobs/runs/get", also=_OLDER, hold="_until_changed")
    def get_run(
        self,
        run_id: int,
        page_token: str | None = None,
        include_history: bool = False,
        include_resolved_values: bool = False,
    ) -> dict[str, Any]:
        """Return how a run stands; of an active one on its next change, or after a second."""
        record = self._records.get(run_id)
        if record is None:
            return self._task_run(run_id)
        self._require_run(record, "CAN_VIEW")
        whole = self._shown(record)
        trouble = self._dispatcher.trouble(run_id)
        if trouble is not None and not record.is_final:
            whole["state"] = {**whole["state"], "state_message": trouble}
        if include_history:
            whole["repair_history"] = repairs.history_of(record)
        if include_resolved_values:
            whole = run_view.with_resolved(whole, record.tasks)
        page, more = job_settings.paged(whole, ("tasks", "job_parameters"), page_token)
        return {**page, **({"next_page_token": more} if more else {})}

    @route("GET /api/2.2/jobs/runs/list", also=_OLDER)
    def list_runs(
        self,
        *,
        job_id: int | None = None,
        active_only: bool = False,
        completed_only: bool = False,
        limit: int = 20,
        page_token: str | None = None,
        offset: int = 0,
        run_type: RunType | None = None,
        expand_tasks: bool = False,
        start_time_from: int | None = None,
        start_time_to: int | None = None,
    ) -> dict[str, Any]:
        """Return the newest runs first; tasks only if asked for."""
        if active_only and completed_only:
            raise InvalidParameterValue("active_only and completed_only exclude each other.")
        if not 0 <= limit <= _MOST_RUNS_LISTED:
            raise InvalidParameterValue(f"limit is not from 0 to {_MOST_RUNS_LISTED}.")
        limit = limit or _MOST_RUNS_LISTED
        wanted = RunFilter(
            job_id=job_id,
            run_type=run_type.value if run_type is not None else None,
            is_active=True if active_only else False if completed_only else None,
            from_ms=start_time_from,
            to_ms=start_time_to,
            before=_before(page_token),
        )
        found = self._newest(wanted, limit + 1, _not_negative(offset))
        runs = [self._shown(record) for record in found[:limit]]
        if not expand_tasks:
            runs = [{k: v for k, v in run.items() if k != "tasks"} for run in runs]
        return _page("runs", runs, "run_id", has_more=len(found) > limit)

    @route("GET /api/2.2/jobs/runs/get-output", also=_OLDER)
    def get_run_output(self, run_id: int) -> dict[str, Any]:
        """Return what an attempt of a task left; a run with one task stands for its attempt.

        Of one that goes on, the run that it has started is told already.
        """
        record, task = self._attempt(run_id)
        folder = self._folder(record.run_id, task["run_id"])
        told = {"metadata": self._as_run(record, task), **output_of(folder, task)}
        if (child := self._dispatcher.started_by(task["run_id"])) is not None:
            told["run_job_output"] = {"run_id": child}
        if (folder / DBT_ARTIFACTS).is_file():
            place = f"/api/laketop/1/runs/{task['run_id']}/dbt-artifacts"
            until_ms = self.workspace.now_ms() + _LINK_MS
            user = self.workspace.user
            link = self.workspace.links.signed("GET", place, user=user, until_ms=until_ms)
            told["dbt_output"] = {"artifacts_link": self.workspace.host + link}
        return told

    @route("GET /api/2.2/jobs/runs/export", also=_OLDER)
    def export_run(
        self, run_id: int, views_to_export: Literal["CODE", "DASHBOARDS", "ALL"] = "CODE"
    ) -> dict[str, Any]:
        """Return the page of the notebook that an attempt ran, as it was; it has no dashboards."""
        record, task = self._attempt(run_id)
        told = task.get("notebook_task")
        if told is None:
            raise InvalidParameterValue(f"Run {run_id} is not of a notebook.")
        if views_to_export == "DASHBOARDS":
            return {"views": []}
        name = notebook_name(str(told["notebook_path"])).rpartition("/")[2]
        for file in self._folder(record.run_id, task["run_id"]).glob(f"{NOTEBOOK}.*"):
            page = to_html(file.read_bytes(), suffix=file.suffix, name=name)
            return {"views": [{"content": page.decode(), "name": name, "type": "NOTEBOOK"}]}
        raise InvalidParameterValue(f"Run {run_id} has not read its notebook.")

    @route("POST /api/2.2/jobs/runs/repair", also=_OLDER)
    def repair_run(
        self,
        *,
        run_id: int,
        rerun_tasks: list[str] | None = None,  # type: ignore[valid-type]  # not the method
        rerun_all_failed_tasks: bool = False,
        rerun_dependent_tasks: bool = False,
        latest_repair_id: int | None = None,
        job_parameters: dict[str, str] | None = None,
        fields: Fields,
    ) -> dict[str, Any]:
        """Run tasks of a run that has ended again, under the run's own id, and return at once."""
        record = self._records.get(run_id)
        if record is None:
            raise _no_run(run_id)
        self._require_run(record, "CAN_MANAGE_RUN")
        repairs.check_repairable(record, latest_repair_id)
        legacy = given_to_tasks(fields)
        settings = with_environments(with_parameters(self._settings_of(record), legacy))
        wish = Wish(
            tasks=tuple(rerun_tasks or ()),
            all_failed=rerun_all_failed_tasks,
            dependents=rerun_dependent_tasks,
        )
        ground = self._ground(record, settings)
        now_ms = self.workspace.now_ms()
        repair_id = self._records.new_id()
        with _refusals():
            new_id = self._records.new_id
            given = job_parameters or {}
            run = repairs.repaired(ground, wish, given, new_id=new_id, now_ms=now_ms)
            refuse_unknown(run.tasks)
        runs_as = self._acts_as(self._settings_of(record), record.job_id, record.creator)
        more = {**repairs.with_repair(record, repair_id, now_ms), "run_as": runs_as}
        again = dataclasses.replace(record, more=more, snapshot=run.snapshot())
        self._dispatcher.go_on(run, again)
        return {"repair_id": repair_id}

    @route("POST /api/2.2/jobs/runs/cancel", also=_OLDER)
    def cancel_run(self, run_id: int) -> None:
        """Ask for the end of a run or of an attempt, and return at once."""
        record = self._records.get(run_id)
        task_run_id = None
        if record is None:
            record, task_run_id = self._records.of_task_run(run_id), run_id
        if record is None:
            raise _no_run(run_id)
        self._require_run(record, "CAN_MANAGE_RUN")
        self._dispatcher.cancel(record.run_id, task_run_id)

    @route("POST /api/2.2/jobs/runs/cancel-all", also=_OLDER)
    def cancel_all_runs(self, job_id: int | None = None, all_queued_runs: bool = False) -> None:
        """Ask for the end of the runs of a job, or of what is queued, of it or of all."""
        if job_id is None and not all_queued_runs:
            raise InvalidParameterValue("cancel-all needs a job_id or all_queued_runs.")
        if job_id is not None:
            self._require(job_id, "CAN_MANAGE_RUN")
        for run_id in self._records.active():
            record = self._records.get(run_id)
            if record is None or job_id not in {None, record.job_id}:
                continue
            if not self._allows_run(record, "CAN_MANAGE_RUN"):
                continue
            if not all_queued_runs or record.life_cycle == "QUEUED":
                self._dispatcher.cancel(run_id, None)

    @route("POST /api/2.2/jobs/runs/delete", also=_OLDER)
    def delete_run(self, run_id: int) -> None:
        """Forget a run that has ended, and what its tasks left."""
        record = self._records.get(run_id)
        if record is None:
            raise _no_run(run_id)
        self._require_run(record, "CAN_MANAGE")
        if not record.is_final:
            raise InvalidParameterValue(f"Run {run_id} is active and cannot be deleted.")
        self._forget(run_id)

    def _forget(self, run_id: int) -> None:
        self._records.delete(run_id)
        folder = self.workspace.state / "runs" / str(run_id)
        self.store.after_commit(lambda: shutil.rmtree(folder, ignore_errors=True))

    def _forget_old(self) -> None:
        """Forget the runs that are older than 60 days. Source: Jobs API 2.2, limits.

        Of the machine's own days: whoever moves the clock of the workspace loses no run.
        """
        now_ms = wall_ms()
        if now_ms - self._forgot_ms > _FORGETTING_MS:
            self._forgot_ms = now_ms
            for run_id in self._records.made_before(now_ms - _KEPT_MS):
                self._forget(run_id)

    @route("GET /api/laketop/1/runs/{run_id}/log")
    def log(self, run_id: int, offset: int = 0) -> Reply:
        """Return what an attempt has printed so far, as it printed it, from a byte on."""
        record, task = self._attempt(run_id)
        file = self._folder(record.run_id, task["run_id"]) / LOG_FILE
        size = file.stat().st_size if file.is_file() else 0
        start = min(_not_negative(offset), size)
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(size - start),
            "x-laketop-next-offset": str(size),
        }
        body = FileSlice(file.open("rb"), start, size - start) if size else b""
        return Reply(body, 200, headers)

    @route("GET /api/laketop/1/runs/{run_id}/dbt-artifacts")
    def dbt_artifacts(self, run_id: int) -> Reply:
        """Return what dbt has written in an attempt, `target` and `logs`, as a tar.gz."""
        record, task = self._attempt(run_id)
        file = self._folder(record.run_id, task["run_id"]) / DBT_ARTIFACTS
        if not file.is_file():
            raise NotFound(f"Run {run_id} has no artifacts of dbt.")
        size = file.stat().st_size
        headers = {"content-type": "application/gzip", "content-length": str(size)}
        return Reply(FileSlice(file.open("rb"), 0, size), 200, headers)

    async def _until_changed(
        self,
        run_id: int,
        page_token: str | None = None,
        include_history: bool = False,  # noqa: ARG002 - it takes what `get_run` does
        include_resolved_values: bool = False,  # noqa: ARG002 - the same
    ) -> None:
        before = self._dispatcher.changes(run_id)
        end = time.monotonic() + _HOLD_SECONDS
        while page_token is None and before is not None and time.monotonic() < end:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._dispatcher.changes(run_id) != before:
                return

    # --- who may do what ---

    def creator_of(self, job_id: int) -> str:
        """Return who made a job. Errors: InvalidParameterValue if there is none."""
        return str(self._existing(job_id)["creator_user_name"])

    def require(self, job_id: int, level: str) -> dict[str, Any]:
        """Return a job to callers who have a level on it, to no others; errors as on the wire."""
        found = self._existing(job_id)
        self.workspace.permissions.require("jobs", str(job_id), level)
        return found

    _require = require

    def _allows_run(self, record: RunRecord, level: str) -> bool:
        """Tell whether the caller has a level on a run: by its job, or having made one of none."""
        if self.workspace.is_admin:
            return True
        if not self.store.execute("SELECT 1 FROM jobs WHERE job_id = ?", (record.job_id,)):
            return record.creator == self.workspace.user
        return bool(self.workspace.permissions.allows("jobs", str(record.job_id), level))

    def _require_run(self, record: RunRecord, level: str) -> None:
        if not self._allows_run(record, level):
            user = self.workspace.user
            raise PermissionDenied(
                f"User {user} does not have {level} permission on run {record.run_id}."
            )

    def _seen(self, before: int, name: str | None, count: int, offset: int) -> Sequence[int]:
        """Return the newest jobs that the caller may see; an admin's are not looked through."""
        rows = self.store.execute(
            "SELECT job_id FROM jobs WHERE job_id < ? AND (? IS NULL OR lower(name) = lower(?))"
            " ORDER BY job_id DESC",
            (before, name, name),
        )
        allows = self.workspace.permissions.allows
        seen = (job_id for (job_id,) in rows if allows("jobs", str(job_id), "CAN_VIEW"))
        return [*itertools.islice(seen, offset, offset + count)]

    def _newest(self, wanted: RunFilter, count: int, offset: int) -> Sequence[RunRecord]:
        """Return the newest runs that the caller may see."""
        if self.workspace.is_admin:
            return [*self._records.newest(wanted, limit=count, offset=offset)]
        found = self._records.newest(wanted, limit=_EVERY_RUN, offset=0)
        seen = (record for record in found if self._allows_run(record, "CAN_VIEW"))
        return [*itertools.islice(seen, offset, offset + count)]

    def _check_run_as(self, settings: Mapping[str, Any]) -> None:
        """Let only admins run as somebody else. Errors: PermissionDenied."""
        wanted = run_as_of(settings)
        if wanted not in {None, self.workspace.user} and not self.workspace.is_admin:
            raise PermissionDenied(
                f"User {self.workspace.user} is not an admin, and cannot run as {wanted}."
            )

    def _check_watching(self, settings: Mapping[str, Any]) -> None:
        """Let only callers pass who may know of the models that triggers watch."""
        for _, trigger in triggers_of(settings):
            if isinstance(trigger, OnModel):
                ModelRights(self.workspace).require_watching(trigger.scope)

    # --- how jobs are kept ---

    def _existing(self, job_id: int) -> dict[str, Any]:
        rows = self.store.execute(
            "SELECT creator, created_ms, settings FROM jobs WHERE job_id = ?", (job_id,)
        )
        if not rows:
            raise InvalidParameterValue(f"Job {job_id} does not exist.")
        creator, created_ms, settings = rows[0]
        found = json.loads(settings)
        return {
            "job_id": job_id,
            "creator_user_name": creator,
            "run_as_user_name": run_as_of(found) or creator,
            "created_time": created_ms,
            "settings": found,
        }

    def _trigger_state(self, job_id: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        scheduler = self.workspace.clock.scheduler
        states = states_of(settings, lambda text: scheduler.mark_of(job_id, text))
        if settings.get("triggers"):
            return {"trigger_details": [{"state": state} for state in states]}
        # The one of a job with a single trigger has fewer kinds, and another name for tables.
        named = {"file_arrival": "file_arrival", "table_update": "table", "pause_status": None}
        told = {
            named[name] or name: value
            for state in states
            for name, value in state.items()
            if name in named
        }
        return {"trigger_state": told} if told else {}

    def _listed(self, job_id: int, *, is_whole: bool) -> dict[str, Any]:
        job = self._existing(job_id)
        settings, more = job_settings.paged(job["settings"], job_settings.ARRAYS, None)
        if not is_whole:
            settings = {k: v for k, v in settings.items() if k not in job_settings.ARRAYS}
        job = {name: value for name, value in job.items() if name != "run_as_user_name"}
        return {**job, "settings": settings, **({"has_more": True} if more else {})}

    def _change(self, job_id: int, wanted: Mapping[str, Any]) -> None:
        settings = job_settings.checked(wanted)
        if run_as_of(settings) != run_as_of(self._existing(job_id)["settings"]):
            self._check_run_as(settings)
        self._check_watching(settings)
        self.store.execute(
            "UPDATE jobs SET name = ?, settings = ? WHERE job_id = ?",
            (settings.get("name") or "Untitled", json.dumps(settings), job_id),
        )
        self.workspace.clock.scheduler.follow(job_id, settings)
        self._dispatcher.limit_time(job_id, settings.get("timeout_seconds") or 0)
        self._dispatcher.promote(job_id)

    def _limit_of(self, job_id: int) -> int:
        rows = self.store.execute("SELECT settings FROM jobs WHERE job_id = ?", (job_id,))
        return job_settings.limit_of(json.loads(rows[0][0])) if rows else 1

    # --- what the clock asks ---

    @property
    def runs(self) -> Dispatcher:
        """The runs that are not final yet."""
        return self._dispatcher

    def settings_of(self, job_id: int) -> dict[str, Any]:
        """Return the settings of a job; InvalidParameterValue if there is none."""
        return dict(self._existing(job_id)["settings"])

    def start_backfill(self, job_id: int, at_ms: int, parameters: Mapping[str, str]) -> int:
        """Make a run of a job for a time that is past, inside a transaction; it may queue."""
        facts = {"backfill": dict(moment(at_ms))}
        request = self._request(job_id, parameters=parameters, facts=facts)
        settings = self._existing(job_id)["settings"]
        return self._add(settings, request, queue={"enabled": True}, more={"facts": facts})

    def settings_of_all(self) -> dict[int, dict[str, Any]]:
        """Return the settings of each job by its id."""
        rows = self.store.execute("SELECT job_id, settings FROM jobs")
        return {job_id: json.loads(settings) for job_id, settings in rows}

    def all_jobs(self) -> dict[int, dict[str, Any]]:
        """Return each job by its id."""
        rows = self.store.execute("SELECT job_id FROM jobs")
        return {job_id: self._existing(job_id) for (job_id,) in rows}

    def ended_runs(self, query: str) -> Iterator[dict[str, Any]]:
        """Yield the runs whose ids a query finds, as they are shown, with whom they ran as."""
        for (run_id,) in self.store.execute(query):
            record = self._records.get(run_id)
            if record is not None and record.is_final:
                yield {**self._shown(record), "run_as_user_name": record.more.get("run_as")}

    def start_triggered(self, job_id: int, firing: Firing) -> int:
        """Make the run of a trigger that fires, inside a transaction, and return its id."""
        job = self._existing(job_id)
        request = self._request(
            job_id, trigger=firing.word, trigger_ms=firing.at_ms, facts=firing.scope
        )
        settings = job["settings"]
        schedule = settings.get("schedule") if firing.word == "PERIODIC" else None
        more = {"facts": firing.scope, **({"schedule": schedule} if schedule else {})}
        if firing.is_continuous:
            settings = of_continuous_run(settings)
        owner = job["creator_user_name"]
        return self._add(settings, request, queue=None, more=more, creator=owner)

    def end_of(self, run_id: int) -> Ended | None:
        """Return how a run has ended, None if it has not."""
        record = self._records.get(run_id)
        if record is None or not record.is_final:
            return None
        told = record.snapshot
        return Ended(
            result=told["state"].get("result_state", "FAILED"),
            start_ms=told["end_time"] - told["run_duration"],
            end_ms=told["end_time"],
        )

    # --- how runs are made ---

    def _request(self, job_id: int, **more: Any) -> RunRequest:
        return RunRequest(
            job_id=job_id,
            run_id=self._records.new_id(),
            created_ms=self.workspace.now_ms(),
            workspace=self._workspace_scope(),
            **more,
        )

    def _ground(self, record: RunRecord, settings: Mapping[str, Any]) -> repairs.Ground:
        return repairs.Ground(
            record=record,
            settings=settings,
            outcome_of=lambda task_run_id: outcome_of(self._folder(record.run_id, task_run_id)),
            workspace=self._workspace_scope(),
        )

    def _workspace_scope(self) -> dict[str, str]:
        host = self.workspace.host  # as `workspace.url`, whose form is unverified
        return {"id": self.workspace.workspace_id, "url": host}

    def _settings_of(self, record: RunRecord) -> dict[str, Any]:
        """Return the settings of a run's job as they are now, or those that were submitted."""
        submitted = record.more.get("settings")
        found: dict[str, Any] = submitted or self._existing(record.job_id)["settings"]
        return found

    def _add(
        self,
        settings: Mapping[str, Any],
        request: RunRequest,
        *,
        queue: Mapping[str, Any] | None,
        more: Mapping[str, Any] | None = None,
        creator: str | None = None,
    ) -> int:
        settings = with_environments(settings)
        runs_as = self._acts_as(settings, request.job_id, creator or self.workspace.user)
        with _refusals():
            run = JobRun(settings, request, self._records.new_id)
            refuse_unknown(run.tasks)  # of those alone that `only` asks for
        if request.run_type == "JOB_RUN":
            self._obey_limit(run, settings, queue)
        record = RunRecord(
            run_id=request.run_id,
            job_id=request.job_id,
            creator=creator or self.workspace.user,
            run_type=request.run_type,
            more={**(more or {}), "run_as": runs_as, MADE_MS: wall_ms()},
            snapshot=run.snapshot(),
        )
        self._dispatcher.add(run, record)
        self._forget_old()
        return request.run_id

    def _acts_as(self, settings: Mapping[str, Any], job_id: int, sender: str) -> str:
        """Return whose rights tasks have: of `run_as`, else of the job's creator, or of `sender`.

        A `run_as` that is nobody's in this workspace, and that an admin's job has, is left to
        whoever is at the laptop, so that a bundle with principals of another workspace runs.
        Errors: PermissionDenied where whoever it was is no more.
        """
        rows = self.store.execute("SELECT creator FROM jobs WHERE job_id = ?", (job_id,))
        creator = str(rows[0][0]) if rows else sender
        named = run_as_of(settings)
        principals = self.workspace.principals
        if principals.find(named or creator) is not None:
            return named or creator
        if named is not None and principals.is_admin(creator):
            return str(self.workspace.settings.user)
        raise PermissionDenied(
            f"{named or creator}, as whom this would run, is no principal of this workspace."
        )

    def _obey_limit(
        self, run: JobRun, settings: Mapping[str, Any], queue: Mapping[str, Any] | None
    ) -> None:
        limit = job_settings.limit_of(settings)
        if self._records.count_active(run.request.job_id) < limit:
            return
        if limit > 0 and job_settings.queues(settings, queue):
            run.queue(limit)
        else:
            run.skip(self.workspace.now_ms())

    def _start_child(self, call: JobCall, chain: tuple[int, ...]) -> int:
        try:
            job = self._existing(call.job_id)
            self._check_caller(call)
            more = {"chain": chain, "trigger_info": {"run_id": call.task_run_id}}
            request = self._request(
                call.job_id, parameters=dict(call.parameters), trigger="RUN_JOB_TASK"
            )
            parent = self._records.get(call.run_id)
            creator = parent.creator if parent is not None else None
            settings = with_parameters(job["settings"], given_to_tasks(call.of_tasks))
            return self._add(settings, request, queue=None, more=more, creator=creator)
        except DatabricksError as error:
            raise LaketopError(str(error)) from error

    def _check_caller(self, call: JobCall) -> None:
        """Let a run_job task start only what whoever its run acts as may start."""
        record = self._records.get(call.run_id)
        acts_as = record.more.get("run_as") if record is not None else None

        def check() -> None:
            self.workspace.act_for(str(acts_as or self.workspace.settings.user))
            self._require(call.job_id, "CAN_MANAGE_RUN")

        contextvars.copy_context().run(check)

    def _notify(self, run: JobRun, snapshot: Mapping[str, Any]) -> None:
        outbox.deliver(self.workspace.state, run.settings, snapshot, run.take_events())

    def _run_of(self, token: str | None) -> int | None:
        if token is None:
            return None
        if len(token) > _LONGEST_TOKEN:
            raise InvalidParameterValue(
                f"The idempotency_token has more than {_LONGEST_TOKEN} characters."
            )
        found = self._records.run_of_token(token)
        if found is not None and self._records.get(found) is None:
            raise InvalidParameterValue(
                f"Run {found} does not exist: it was made for this idempotency_token, and deleted."
            )
        return found

    def _keep_token(self, token: str | None, run_id: int) -> None:
        if token is not None:
            self._records.keep_token(token, run_id)

    def _site(self, run_job: Callable[[JobCall], ChildRun]) -> Site:
        return Site(
            runs=self.workspace.state / "runs",
            environment=lambda _task: self.workspace.environment_for_tasks(),
            python=lambda _task: Path(sys.executable),
            resolve=self._resolved,
            run_job=run_job,
            now_ms=self.workspace.now_ms,
            steady_ms=self.workspace.now_ms.steady_ms,
            pool=self._pool,
            engine=self._engine,
            java=self._java,
            saved=self._saved,
            found=self._found,
            cache=self.workspace.settings.cache / "environments",
            fork=self._forks,
        )

    def _java(self) -> Path:
        settings = self.workspace.settings
        return java.find(settings, Runtime.load(settings.runtime))

    def _engine(self) -> object:
        return self.workspace.engine.pid()

    def _site_for(self, site: Site, record: RunRecord) -> Site:
        """Return a site with the rights of whom a run runs as, and the project's environment."""
        user = record.more.get("run_as") or self.workspace.settings.user
        settings = self.workspace.settings
        return dataclasses.replace(
            site,
            environment=lambda _task: self.workspace.environment_as(user),
            git=lambda provider, url: self._shown_to_git(user, provider, url),
            own=own_environment(settings.root, settings.environment),
        )

    def _shown_to_git(self, user: str, provider: str, url: str) -> Mapping[str, str]:
        """Return how a user's stored credential is shown, if the settings allow the remote.

        A job may name any address: without that, a bundle from elsewhere would be sent the token.
        """
        try:
            check_url(url, self.workspace.settings.git_remotes)
        except DatabricksError:
            return {}
        found = self.workspace.git_credentials.of_user(user, provider)
        return {} if found is None or not url.startswith("https://") else found.settings(url)

    def _saved(self, kind: str, name: str) -> Mapping[str, Any]:
        """Return a saved query or alert, or a warehouse; called by tasks, outside of any request.

        Every warehouse is the engine: one of another workspace's id stands for the first one here.
        """
        try:
            with self.store.transaction(write=False):
                found: Mapping[str, Any]
                if kind == "warehouse":
                    found = self.workspace.warehouses.standing_for(name)
                elif kind == "query":
                    found = self.workspace.queries.get(name)
                else:
                    found = self._alert(name)
        except DatabricksError as error:
            raise LaketopError(str(error)) from error
        return found

    def _found(self, finding: Finding) -> None:
        """Keep the state in which a task has found an alert, and tell the task's subscribers."""
        with self.store.transaction(write=True):
            for service in (self.workspace.alerts_v2, self.workspace.alerts):
                service.evaluated(finding.alert_id, finding.state)
            record = self._records.get(finding.run_id)
        name = str(record.snapshot["run_name"]) if record is not None else ""
        outbox.deliver_finding(self.workspace.state, finding, name, self.workspace.now_ms())

    def _alert(self, name: str) -> Mapping[str, Any]:
        """Return an alert on a saved query, or one with a query of its own: ids are unlike."""
        own: Mapping[str, Any] | None = self.workspace.alerts_v2.active(name)
        found: Mapping[str, Any] = self.workspace.alerts.get(name) if own is None else own
        return found

    def _resolved(self, path: str) -> Path:
        return self._places.file(f"/Workspace{path}" if _SHORT_ROOTS.match(path) else path)

    # --- how runs are shown ---

    def _shown(self, record: RunRecord) -> dict[str, Any]:
        return run_view.shown(record, self.workspace.host, self._run_folder(record.run_id))

    def _as_run(self, record: RunRecord, task: Mapping[str, Any]) -> dict[str, Any]:
        return run_view.shown_attempt(record, task, self.workspace.host)

    def _task_run(self, task_run_id: int) -> dict[str, Any]:
        record = self._records.of_task_run(task_run_id)
        task = record.task(task_run_id) if record is not None else None
        if record is None or task is None:
            raise _no_run(task_run_id)
        self._require_run(record, "CAN_VIEW")
        return run_view.with_iterations(self._as_run(record, task), task)

    def _attempt(self, run_id: int) -> tuple[RunRecord, Mapping[str, Any]]:
        record = self._records.of_task_run(run_id)
        task = record.task(run_id) if record is not None else None
        if record is not None and task is not None:
            self._require_run(record, "CAN_VIEW")
            return record, task
        record = self._records.get(run_id)
        if record is None:
            raise _no_run(run_id)
        self._require_run(record, "CAN_VIEW")
        if len({one["task_key"] for one in record.tasks}) != 1:
            raise InvalidParameterValue(
                "Retrieving the output of runs with multiple tasks is not supported."  # unverified
                " Please retrieve the output of each individual task run instead."
            )
        return record, record.tasks[-1]

    def _run_folder(self, run_id: int) -> Path:
        return self.workspace.state / "runs" / str(run_id)

    def _folder(self, run_id: int, task_run_id: int) -> Path:
        return self._run_folder(run_id) / str(task_run_id)


def _goes_on(record: RunRecord) -> bool:
    try:
        return resumed.goes_on(record)
    except Exception:  # of what an older laketop wrote, perhaps
        log.exception("run %s does not go on", record.run_id)
        return False


def _no_run(run_id: int) -> InvalidParameterValue:
    return InvalidParameterValue(f"Run {run_id} does not exist.")


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the runner refuses into the errors of the API."""
    try:
        yield
    except Refused as error:
        hint = f" Hint: {error.hint}." if error.hint else ""
        raise NotServed(f"laketop does not run this job: {error.message}.{hint}") from error
    except ConfigError as error:
        raise InvalidParameterValue(error.message) from error


def _before(page_token: str | None) -> int:
    if not page_token:
        return 2**63 - 1
    if not re.fullmatch("[0-9]{1,18}", page_token):
        raise InvalidParameterValue(f"The page token {page_token[:100]!r} is not one.")
    return int(page_token)


def _not_negative(offset: int) -> int:
    if offset < 0:
        raise InvalidParameterValue("offset is less than 0.")
    return offset


def _page(
    name: Literal["jobs", "runs"], items: list[dict[str, Any]], key: str, *, has_more: bool
) -> dict[str, Any]:
    more = {"next_page_token": str(items[-1][key])} if has_more else {}
    return {name: items, "has_more": has_more, **more}
