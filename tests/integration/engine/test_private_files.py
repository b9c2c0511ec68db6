"""What a run leaves on the disk is its owner's alone. Source: reliability S13."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import OperationFailed

from laketop.settings import Settings

_NOTEBOOK = """
import mlflow
spark.range(5).write.saveAsTable("{table}")
spark.sql("CREATE VIEW {table}_v AS SELECT * FROM {table}")
with open("/Volumes/{volume}/plain.txt", "w") as file:
    file.write("x")
dbutils.fs.put("/Volumes/{volume}/put.txt", "x")
mlflow.set_experiment("/Shared/private-files")
with mlflow.start_run():
    mlflow.log_metric("m", 1)
    mlflow.log_text("x", "note.txt")
"""


def test_no_file_of_the_state_folder_is_anybody_elses_after_a_run(
    *,
    laketop_project: Path,
    laketop_client: WorkspaceClient,
    make_table: Callable[..., Any],
    make_volume: Callable[..., Any],
    make_notebook: Callable[..., str],
    make_job: Callable[..., Any],
) -> None:
    table, volume = make_table(), make_volume()
    code = _NOTEBOOK.format(
        table=f"{table.catalog_name}.{table.schema_name}.made",
        volume=volume.full_name.replace(".", "/"),
    )
    job = make_job(path=make_notebook(content=code))
    run_id = laketop_client.jobs.run_now(job.job_id).run_id
    try:
        laketop_client.jobs.wait_get_run_job_terminated_or_skipped(run_id)
    except OperationFailed as failed:
        tasks = laketop_client.jobs.get_run(run_id).tasks or []
        told = [laketop_client.jobs.get_run_output(task.run_id or 0).error for task in tasks]
        pytest.fail(f"{failed}: {told}")
    state = Settings.read(laketop_project).state
    open_to_others = [
        (oct(stat.S_IMODE(file.lstat().st_mode)), str(file.relative_to(state)))
        for file in (state, *state.rglob("*"))
        if not file.is_symlink()
        and file.exists()
        and file.stat().st_mode & 0o077
        # Spark lets everybody execute a jar of a session, in a folder that is its owner's alone.
        and not any(part.startswith("userFiles-") for part in file.parent.parts)
    ]
    assert open_to_others == []
