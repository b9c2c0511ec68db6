"""Backfills: runs of a job for times that are past; Databricks has no public routes for them."""

from __future__ import annotations

from typing import Any

from laketop.workspace import backfill
from laketop.workspace.service import Service, route


class Backfills(Service):
    """Runs of a job for times that are past.

    Source: Databricks docs, dynamic values and job triggers.
    """

    @route("POST /api/laketop/1/backfills")
    def create(
        self,
        *,
        job_id: int,
        from_ms: int,
        to_ms: int,
        every_ms: int | None = None,
        job_parameters: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make a run for each time, all or none of them, and return at once."""
        self.workspace.jobs.require(job_id, "CAN_MANAGE_RUN")
        settings = self.workspace.jobs.settings_of(job_id)
        parameters = backfill.parameters(settings, job_parameters or {})
        return {
            "runs": [
                {
                    "time_ms": at_ms,
                    "run_id": self.workspace.jobs.start_backfill(job_id, at_ms, parameters),
                }
                for at_ms in backfill.times(settings, from_ms, to_ms, every_ms)
            ]
        }
