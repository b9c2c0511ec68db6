"""What chaos did to a run that was started with a seed; Databricks has no such route."""

from __future__ import annotations

import json
from typing import Any

from laketop.runner.chaos import NOTES_FILE
from laketop.workspace.service import Service, route


class Chaos(Service):
    """Faults on purpose, asked for by `chaos_seed` of run-now."""

    @route("GET /api/laketop/1/runs/{run_id}/chaos")
    def show(self, run_id: int) -> dict[str, Any]:
        """Return what was done to the attempts of a run, in the order of their tasks."""
        file = self.workspace.state / "runs" / str(run_id) / NOTES_FILE
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        notes = [json.loads(line) for line in lines]
        notes.sort(key=lambda note: (note["task_key"], note["place"], note["attempt"]))
        return {"notes": notes}
