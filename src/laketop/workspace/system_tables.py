"""The tables of the `system` catalog: their columns, and the rows that go there.

Column names and types are Databricks'. Source: Databricks docs, system tables.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

ACCOUNT = "00000000-0000-0000-0000-000000000000"

_END = """source_table_full_name STRING, source_table_catalog STRING, source_table_schema STRING,
    source_table_name STRING, source_path STRING, source_type STRING"""
_BEFORE = """account_id STRING, metastore_id STRING, workspace_id STRING, entity_type STRING,
    entity_id STRING, entity_run_id STRING,"""
_AFTER = """created_by STRING, event_time TIMESTAMP, event_date DATE, record_id STRING,
    event_id STRING, statement_id STRING, entity_metadata STRUCT<job_info: STRUCT<job_id: STRING,
    job_run_id: STRING>, dashboard_id: STRING, legacy_dashboard_id: STRING, notebook_id: STRING,
    sql_query_id: STRING, dlt_pipeline_info: STRUCT<dlt_pipeline_id: STRING,
    dlt_update_id: STRING>>"""
_TARGET = _END.replace("source_", "target_")
TABLE_LINEAGE = "system.access.table_lineage"
COLUMN_LINEAGE = "system.access.column_lineage"
LINEAGE_TABLES: Mapping[str, str] = {
    TABLE_LINEAGE: f"{_BEFORE} {_END}, {_TARGET}, {_AFTER}",
    COLUMN_LINEAGE: f"{_BEFORE} {_END}, source_column_name STRING, {_TARGET},"
    f" target_column_name STRING, {_AFTER}",
}
"""The two tables of lineage, whose rows `lineage.py` makes."""

TABLES: Mapping[str, str] = {
    "system.access.audit": """account_id STRING, workspace_id STRING, version STRING,
        event_time TIMESTAMP, event_date DATE, source_ip_address STRING, user_agent STRING,
        session_id STRING, user_identity STRUCT<email: STRING, subject_name: STRING>,
        service_name STRING, action_name STRING, request_id STRING,
        request_params MAP<STRING, STRING>,
        response STRUCT<status_code: INT, error_message: STRING, result: STRING>,
        audit_level STRING, event_id STRING,
        identity_metadata STRUCT<run_by: STRING, run_as: STRING>""",
    "system.lakeflow.jobs": """account_id STRING, workspace_id STRING, job_id STRING, name STRING,
        description STRING, creator_id STRING, tags MAP<STRING, STRING>, change_time TIMESTAMP,
        delete_time TIMESTAMP, run_as STRING""",
    "system.lakeflow.job_tasks": """account_id STRING, workspace_id STRING, job_id STRING,
        task_key STRING, depends_on_keys ARRAY<STRING>, change_time TIMESTAMP,
        delete_time TIMESTAMP""",
    "system.lakeflow.pipelines": """account_id STRING, workspace_id STRING, pipeline_id STRING,
        pipeline_type STRING, name STRING, created_by STRING, run_as STRING,
        tags MAP<STRING, STRING>, settings STRUCT<photon: BOOLEAN, development: BOOLEAN,
        continuous: BOOLEAN, serverless: BOOLEAN, edition: STRING, channel: STRING>,
        configuration MAP<STRING, STRING>, change_time TIMESTAMP, delete_time TIMESTAMP""",
    "system.lakeflow.job_run_timeline": """account_id STRING, workspace_id STRING, job_id STRING,
        run_id STRING, period_start_time TIMESTAMP, period_end_time TIMESTAMP,
        trigger_type STRING, run_type STRING, run_name STRING, compute_ids ARRAY<STRING>,
        result_state STRING, termination_code STRING, job_parameters MAP<STRING, STRING>""",
    "system.lakeflow.job_task_run_timeline": """account_id STRING, workspace_id STRING,
        job_id STRING, run_id STRING, job_run_id STRING, parent_run_id STRING, task_key STRING,
        period_start_time TIMESTAMP, period_end_time TIMESTAMP, compute_ids ARRAY<STRING>,
        result_state STRING, termination_code STRING""",
    "system.billing.usage": """record_id STRING, account_id STRING, workspace_id STRING,
        sku_name STRING, cloud STRING, usage_start_time TIMESTAMP, usage_end_time TIMESTAMP,
        usage_date DATE, custom_tags MAP<STRING, STRING>, usage_unit STRING,
        usage_quantity DECIMAL(38, 18), usage_metadata STRUCT<job_id: STRING, job_run_id: STRING,
        job_name: STRING, warehouse_id: STRING, endpoint_name: STRING, endpoint_id: STRING>,
        identity_metadata STRUCT<run_as: STRING, owned_by: STRING,
        created_by: STRING>, record_type STRING, ingestion_date DATE,
        billing_origin_product STRING, product_features STRUCT<is_serverless: BOOLEAN,
        is_photon: BOOLEAN, sql_tier: STRING, serving_type: STRING>, usage_type STRING""",
    "system.billing.list_prices": """account_id STRING, price_start_time TIMESTAMP,
        price_end_time TIMESTAMP, sku_name STRING, cloud STRING, currency_code STRING,
        usage_unit STRING, pricing STRUCT<default: DECIMAL(38, 18),
        promotional: STRUCT<default: DECIMAL(38, 18)>,
        effective_list: STRUCT<default: DECIMAL(38, 18)>>""",
    "system.query.history": """account_id STRING, workspace_id STRING, statement_id STRING,
        executed_by STRING, session_id STRING, execution_status STRING,
        compute STRUCT<type: STRING, cluster_id: STRING, warehouse_id: STRING>,
        executed_by_user_id STRING, statement_text STRING, statement_type STRING,
        error_message STRING, client_application STRING, client_driver STRING,
        total_duration_ms BIGINT, waiting_for_compute_duration_ms BIGINT,
        waiting_at_capacity_duration_ms BIGINT, execution_duration_ms BIGINT,
        compilation_duration_ms BIGINT, total_task_duration_ms BIGINT,
        result_fetch_duration_ms BIGINT, start_time TIMESTAMP, end_time TIMESTAMP,
        update_time TIMESTAMP, read_partitions BIGINT, pruned_files BIGINT, read_files BIGINT,
        read_rows BIGINT, produced_rows BIGINT, read_bytes BIGINT, read_io_cache_percent TINYINT,
        from_result_cache BOOLEAN, spilled_local_bytes BIGINT, written_bytes BIGINT,
        shuffle_read_bytes BIGINT, query_source STRUCT<job_info: STRUCT<job_id: STRING,
        job_run_id: STRING, job_task_run_id: STRING>, legacy_dashboard_id: STRING,
        dashboard_id: STRING, alert_id: STRING, notebook_id: STRING, sql_query_id: STRING,
        genie_space_id: STRING>, executed_as_user_id STRING, executed_as STRING""",
    "system.serving.served_entities": """served_entity_id STRING, account_id STRING,
        workspace_id STRING, created_by STRING, endpoint_name STRING, endpoint_id STRING,
        served_entity_name STRING, entity_type STRING, entity_name STRING, entity_version STRING,
        endpoint_config_version INT, task STRING, change_time TIMESTAMP,
        endpoint_delete_time TIMESTAMP""",
    **LINEAGE_TABLES,
}
"""The columns of each table, as SQL."""
QUERY_HISTORY = "system.query.history"
SERVED_ENTITIES = "system.serving.served_entities"

KEPT_MS = 365 * 24 * 3_600_000
"""How long statements and lineage are kept. Source: Databricks docs, system tables."""
_TIMES = {QUERY_HISTORY: "end_time", TABLE_LINEAGE: "event_time", COLUMN_LINEAGE: "event_time"}
"""The tables whose rows have an end, and what says how old a row is."""

_HOUR_MS = 3_600_000
_NAMES = {"JOB_RUN": "JOB_RUN", "SUBMIT_RUN": "SUBMIT_RUN", "WORKFLOW_RUN": "WORKFLOW_RUN"}


def expiry(name: str, now_ms: int) -> str | None:
    """Return the statement that ends the rows of a table that are too old, None if none are."""
    column = _TIMES.get(name)
    if column is None:
        return None
    oldest = f"{_time(now_ms - KEPT_MS):%Y-%m-%d %H:%M:%S}"
    return f"DELETE FROM {name} WHERE {column} < TIMESTAMP '{oldest} UTC'"  # noqa: S608 - our own words


def audit_row(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of `system.access.audit` that was noted."""
    at = _time(body["event_ms"])
    return {
        "account_id": ACCOUNT,
        "workspace_id": str(body["workspace_id"]),
        "version": body["version"],
        "event_time": at,
        "event_date": at.date(),
        "source_ip_address": body["source_ip_address"],
        "user_agent": body["user_agent"],
        "session_id": None,
        "user_identity": {"email": body["email"], "subject_name": None},
        "service_name": body["service_name"],
        "action_name": body["action_name"],
        "request_id": body["request_id"],
        "request_params": body["request_params"],
        "response": {
            "status_code": body["status_code"],
            "error_message": body["error_message"],
            "result": None,
        },
        "audit_level": body["audit_level"],
        "event_id": body["event_id"],
        "identity_metadata": {"run_by": body["email"], "run_as": body["email"]},
    }


def run_rows(run: Mapping[str, Any], workspace_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield table and row of everything that a run which has ended leaves.

    `run` is a run as the Jobs API tells it, with its tasks. A row covers at most an hour of the
    clock; the last one of a run or task has its result.
    """
    own = {"account_id": ACCOUNT, "workspace_id": workspace_id}
    job_id = str(run.get("job_id", ""))
    whole: dict[str, Any] = {
        **own,
        "job_id": job_id,
        "run_id": str(run["run_id"]),
        "trigger_type": run.get("trigger"),
        "run_type": _NAMES.get(str(run.get("run_type"))),
        "run_name": run.get("run_name"),
        "compute_ids": [],
        "job_parameters": {
            one["name"]: str(one.get("value", one.get("default", "")))
            for one in run.get("job_parameters") or ()
        },
    }
    for row in _slices(run, whole):
        yield "system.lakeflow.job_run_timeline", row
    for task in run.get("tasks") or ():
        fixed = {
            **own,
            "job_id": job_id,
            "run_id": str(task["run_id"]),
            "job_run_id": str(run["run_id"]),
            "parent_run_id": str(run["run_id"]),
            "task_key": task["task_key"],
            "compute_ids": [],
        }
        for row in _slices(task, fixed):
            yield "system.lakeflow.job_task_run_timeline", row


def _slices(run: Mapping[str, Any], fixed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    start, end = run.get("start_time") or 0, run.get("end_time") or 0
    if not start or end < start:
        return
    details = (run.get("status") or {}).get("termination_details") or {}
    while True:
        until = min(end, (start // _HOUR_MS + 1) * _HOUR_MS)
        is_last = until == end
        yield {
            **fixed,
            "period_start_time": _time(start),
            "period_end_time": _time(until),
            "result_state": _RESULTS.get(str(run["state"].get("result_state")), "ERROR")
            if is_last
            else None,
            "termination_code": details.get("code") if is_last else None,
        }
        if is_last:
            return
        start = until


_RESULTS = {
    "SUCCESS": "SUCCEEDED",
    "SUCCESS_WITH_FAILURES": "SUCCEEDED",
    "FAILED": "FAILED",
    "UPSTREAM_FAILED": "SKIPPED",
    "UPSTREAM_CANCELED": "SKIPPED",
    "DISABLED": "SKIPPED",
    "EXCLUDED": "SKIPPED",
    "SKIPPED": "SKIPPED",
    "CANCELED": "CANCELLED",
    "TIMEDOUT": "TIMED_OUT",
}
"""The words of the system tables for those of the Jobs API."""


def query_row(told: Mapping[str, Any], workspace_id: str) -> dict[str, Any]:
    """Return the row of `system.query.history` of a statement that has ended.

    What is not measured stays null: nothing here tells what Spark read.
    """
    return {
        "account_id": ACCOUNT,
        "workspace_id": workspace_id,
        "statement_id": told["id"],
        "executed_by": told["user"],
        "executed_as": told["user"],
        "execution_status": told["status"],
        "compute": {"type": "WAREHOUSE", "warehouse_id": told["warehouse_id"]},
        "statement_text": told["text"],
        "statement_type": told["type"],
        "error_message": told.get("error_message"),
        "client_application": told.get("agent"),
        "total_duration_ms": told["end_ms"] - told["start_ms"],
        "waiting_for_compute_duration_ms": told.get("waited_ms"),
        "execution_duration_ms": told.get("execution_ms"),
        "start_time": _time(told["start_ms"]),
        "end_time": _time(told["end_ms"]),
        "update_time": _time(told["end_ms"]),
        "produced_rows": told.get("rows"),
        "from_result_cache": False,
    }


def job_row(
    job: Mapping[str, Any], workspace_id: str, *, now_ms: int, is_deleted: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return how a job is from now on, or that it is gone."""
    settings = job["settings"]
    return "system.lakeflow.jobs", {
        "account_id": ACCOUNT,
        "workspace_id": workspace_id,
        "job_id": str(job["job_id"]),
        "name": settings.get("name"),
        "description": settings.get("description"),
        "creator_id": job.get("creator_user_name"),
        "tags": {key: str(value) for key, value in (settings.get("tags") or {}).items()},
        "change_time": _time(now_ms),
        "delete_time": _time(now_ms) if is_deleted else None,
        "run_as": job.get("run_as_user_name"),
    }


Depends = Mapping[str, list[str]]
"""The tasks of a job by their keys, each with the keys that it depends on."""


def tasks_of(job: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what `system.lakeflow.job_tasks` tells of the tasks of a job."""
    return {
        str(task["task_key"]): sorted(str(one["task_key"]) for one in task.get("depends_on") or ())
        for task in job["settings"].get("tasks") or ()
    }


def task_rows(
    job_id: str, before: Depends, now: Depends, *, workspace_id: str, now_ms: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of the tasks that are not what they were, those that are gone too."""
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            yield (
                "system.lakeflow.job_tasks",
                {
                    "account_id": ACCOUNT,
                    "workspace_id": workspace_id,
                    "job_id": job_id,
                    "task_key": key,
                    "depends_on_keys": now.get(key, before.get(key)),
                    "change_time": _time(now_ms),
                    "delete_time": None if key in now else _time(now_ms),
                },
            )


_SETTINGS = ("photon", "development", "continuous", "serverless", "edition", "channel")


def pipeline_row(
    pipeline: Mapping[str, Any], workspace_id: str, *, now_ms: int, is_deleted: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return how a pipeline is from now on, or that it is gone."""
    spec = pipeline["spec"]
    return "system.lakeflow.pipelines", {
        "account_id": ACCOUNT,
        "workspace_id": workspace_id,
        "pipeline_id": pipeline["pipeline_id"],
        "pipeline_type": "ETL_PIPELINE",
        "name": spec.get("name"),
        "created_by": pipeline.get("creator_user_name"),
        "run_as": pipeline.get("run_as_user_name"),
        "tags": {key: str(value) for key, value in (spec.get("tags") or {}).items()},
        "settings": {name: spec.get(name) for name in _SETTINGS},
        "configuration": {k: str(v) for k, v in (spec.get("configuration") or {}).items()},
        "change_time": _time(now_ms),
        "delete_time": _time(now_ms) if is_deleted else None,
    }


def served_entity_row(told: Mapping[str, Any], *, now_ms: int) -> dict[str, Any]:
    """Return that an endpoint serves an entity from now on; `told` has names and ids."""
    kind = {"account_id": ACCOUNT, "entity_type": "CUSTOM_MODEL", "change_time": _time(now_ms)}
    return {**told, **kind}


def digest(job: Mapping[str, Any]) -> str:
    """Return what of a job a row tells, to find whether it has changed."""
    settings = job["settings"]
    told = [settings.get(name) for name in ("name", "description", "tags")]
    return json.dumps([*told, job.get("creator_user_name"), job.get("run_as_user_name")])


def _time(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
