"""The workspace's clock, and what it sets off; Databricks has no such routes."""

from __future__ import annotations

import collections
from typing import Any

from databricks.sdk.errors.platform import InvalidParameterValue, ResourceConflict

from laketop.runner.paths import Places
from laketop.workspace import scheduler
from laketop.workspace.clock import wall_ms
from laketop.workspace.replay import Replay, Replayer
from laketop.workspace.scheduler import Scheduler
from laketop.workspace.service import Service, route
from laketop.workspace.workspace import Workspace

_MOST_MS = 253_402_300_799_000
"""The end of the year 9999."""
_KEY = "clock"


class Clock(Service):
    """What time it is, and what is due. Source: Databricks docs, job triggers."""

    schema = scheduler.SCHEMA

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.scheduler = Scheduler(
            self.store,
            Places.of_state(workspace.state),
            workspace.now_ms,
            models=workspace.state / "mlflow.db",
            start=lambda job_id, firing: int(workspace.jobs.start_triggered(job_id, firing)),
            end_of=lambda run_id: workspace.jobs.end_of(run_id),  # noqa: PLW0108 - made later
            keep_clock=self._keep,
            skip_late=lambda: workspace.jobs.runs.skip_late(),  # noqa: PLW0108 - the same
        )
        self._replayer = Replayer(
            workspace.now_ms, self.scheduler, lambda: workspace.jobs.runs, self._keep_alone
        )

    def start(self) -> None:
        """Go on with the time and the triggers that the last process had."""
        with self.store.transaction(write=True):
            self.workspace.now_ms.offset_ms = self.store.table("workspace").get(_KEY, 0)
            self.scheduler.load(self.workspace.jobs.settings_of_all())

    def shutdown(self) -> None:
        """Let nothing fire any more."""
        self._replayer.stop()
        self.scheduler.close()

    @route("GET /api/laketop/1/clock")
    def show(self) -> dict[str, Any]:
        """Return what time it is, how the last move went, and what is due next."""
        last = self._replayer.last
        jobs = self.workspace.jobs.settings_of_all()
        return {
            "now_ms": self.workspace.now_ms(),
            "offset_ms": self.workspace.now_ms.offset_ms,
            "is_moving": self._replayer.is_moving,
            "last_move": None if last is None else self._told(last),
            "coming": [
                {
                    "due_ms": due_ms,
                    "job_id": job_id,
                    "name": jobs.get(job_id, {}).get("name", "Untitled"),
                    "trigger": word,
                }
                for due_ms, job_id, word in self.scheduler.coming()
            ],
        }

    @route("POST /api/laketop/1/clock/set")
    def set(self, now_ms: int | None = None) -> dict[str, Any]:
        """Let it be another time, None for the machine's own.

        On the way ahead everything fires, as with `advance`; going back nothing does, and each
        trigger counts from the new time on. That wants a workspace without active runs.
        """
        wanted = wall_ms() if now_ms is None else now_ms
        if wanted > self.workspace.now_ms():
            return self._begin(Replay(target_ms=_checked(wanted)))
        if self._replayer.is_moving:
            raise ResourceConflict("The clock is being moved already.")
        if self.store.execute("SELECT 1 FROM runs WHERE is_active LIMIT 1"):
            raise ResourceConflict("The clock does not go back while runs are active.")
        self.workspace.now_ms.move_to(_checked(wanted))
        if now_ms is None:
            self.workspace.now_ms.offset_ms = 0
        self._keep()
        self.scheduler.restart()
        return self.show()

    @route("POST /api/laketop/1/clock/advance")
    def advance(self, by_ms: int) -> dict[str, Any]:
        """Begin to move the clock ahead, firing everything on the way; returns at once."""
        if by_ms < 0:
            raise InvalidParameterValue("by_ms is less than 0.")
        return self._begin(Replay(target_ms=_checked(self.workspace.now_ms() + by_ms)))

    @route("POST /api/laketop/1/clock/run")
    def run(self, firings: int = 1) -> dict[str, Any]:
        """Begin to move the clock ahead until so many triggers have fired; returns at once."""
        if firings < 1:
            raise InvalidParameterValue("firings is less than 1.")
        return self._begin(Replay(firings=firings))

    @route("POST /api/laketop/1/clock/stop", write=False)
    def stop(self) -> None:
        """End the move that is under way where it is."""
        self._replayer.stop_soon()

    def _begin(self, replay: Replay) -> dict[str, Any]:
        if not self._replayer.start(replay):
            raise ResourceConflict("The clock is being moved already.")
        return {"now_ms": self.workspace.now_ms(), "is_moving": True}

    def _keep(self) -> None:
        self.store.table("workspace")[_KEY] = self.workspace.now_ms.offset_ms

    def _keep_alone(self) -> None:
        with self.store.transaction(write=True):
            self._keep()

    def _told(self, replay: Replay) -> dict[str, Any]:
        results: collections.Counter[str] = collections.Counter()
        if replay.runs:
            rows = self.store.execute(
                "SELECT json_extract(snapshot, '$.state.result_state'), count(*) FROM runs"
                " WHERE run_id IN (SELECT value FROM json_each(?)) GROUP BY 1",
                (str(replay.runs),),
            )
            results.update({word or "ACTIVE": count for word, count in rows})
        return {
            "target_ms": replay.target_ms,
            "runs": len(replay.runs),
            "results": dict(results),
            "error": replay.error,
        }


def _checked(now_ms: int) -> int:
    if not 0 <= now_ms <= _MOST_MS:
        raise InvalidParameterValue("The clock goes from 1970 to 9999.")
    return now_ms
