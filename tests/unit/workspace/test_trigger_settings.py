"""Which triggers a job's settings name, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.trigger_settings import of_continuous_run, states_of, triggers_of
from laketop.workspace.triggers import Always, Every, Mark, OnArrival, OnModel, OnSchedule, OnUpdate

CRON = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}
FILES = {"url": "/Volumes/a/b/c/", "min_time_between_triggers_seconds": 120}
READY = {"condition": "MODEL_VERSION_READY", "securable_name": "c.s"}
ALIAS = {"condition": "MODEL_ALIAS_SET", "aliases": ["champion"]}
TABLES = {"table_names": ["c.s.t"], "condition": "ALL_UPDATED"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"schedule": CRON}, OnSchedule),
        ({"continuous": {}}, Always),
        ({"trigger": {"periodic": {"interval": 2, "unit": "DAYS"}}}, Every),
        ({"trigger": {"file_arrival": FILES}}, OnArrival),
        ({"trigger": {"table_update": TABLES, "pause_status": "UNPAUSED"}}, OnUpdate),
        ({"trigger": {"model": {"condition": "MODEL_CREATED"}}}, OnModel),
        ({"trigger": {"model": READY}}, OnModel),
        ({"triggers": [{"schedule": CRON}]}, OnSchedule),
    ],
)
def test_each_kind_is_read(settings: dict[str, Any], kind: type) -> None:
    assert [type(trigger) for _, trigger in triggers_of(settings)] == [kind]


def test_a_paused_trigger_does_not_count() -> None:
    paused = {"pause_status": "PAUSED"}
    assert triggers_of({"schedule": {**CRON, **paused}}) == []
    assert triggers_of({"trigger": {"file_arrival": FILES, **paused}}) == []
    listed = [{"schedule": CRON, **paused}, {"file_arrival": FILES}]
    assert [type(trigger) for _, trigger in triggers_of({"triggers": listed})] == [OnArrival]


@pytest.mark.parametrize(
    "trigger",
    [
        {"trigger": {"job_completion": {"job_ids": [1]}}},
        {"schedule": {**CRON, "sql_condition": {"sql_query_id": "1", "warehouse_id": "2"}}},
    ],
)
def test_what_is_not_built_is_refused_by_name_unless_it_is_paused(trigger: dict[str, Any]) -> None:
    with pytest.raises(NotServed, match="does not have the trigger"):
        triggers_of(trigger)
    ((kind, given),) = trigger.items()
    assert triggers_of({kind: {**given, "pause_status": "PAUSED"}}) == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"schedule": {**CRON, "quartz_cron_expression": "0 6 * * *"}}, "5 fields"),
        ({"schedule": {**CRON, "timezone_id": "Nowhere"}}, "'Nowhere'"),
        ({"trigger": {"periodic": {"interval": 0, "unit": "DAYS"}}}, "less than 1"),
        ({"trigger": {"file_arrival": {"url": "s3://bucket/x"}}}, "not on this machine"),
        (
            {"trigger": {"file_arrival": {**FILES, "wait_after_last_change_seconds": 5}}},
            "less than 60",
        ),
        ({"trigger": {"table_update": {"table_names": ["t"]}}}, "catalog.schema.table"),
        ({"trigger": {"table_update": {"table_names": []}}}, "0 tables"),
        (
            {"trigger": {"model": {"condition": "MODEL_GONE"}}},
            "'MODEL_GONE' .* is none of",
        ),
        ({"trigger": {"model": {**READY, "aliases": ["a"]}}}, "takes no aliases"),
        ({"trigger": {"model": {**ALIAS, "aliases": []}}}, "0 aliases, not from 1 to 10"),
        ({"trigger": {"model": {**ALIAS, "securable_name": "m"}}}, "'m' of a model trigger is nei"),
        ({"trigger": {"pause_status": "UNPAUSED"}}, "not 0 of them"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidParameterValue, match=why):
        triggers_of(settings)


def test_a_continuous_run_does_not_retry_its_tasks_unless_it_says_so() -> None:
    tasks: list[dict[str, Any]] = [{"task_key": "a", "max_retries": 3}, {"task_key": "b"}]
    settings: dict[str, Any] = {"name": "n", "continuous": {}, "tasks": tasks}
    changed = of_continuous_run(settings)
    assert [task["max_retries"] for task in changed["tasks"]] == [0, 0]
    assert tasks[0]["max_retries"] == 3
    asking = {**settings, "continuous": {"task_retry_mode": "ON_FAILURE"}}
    assert of_continuous_run(asking) == asking


def test_how_triggers_stand_is_told_in_their_order() -> None:
    listed = [
        {"continuous": {}},
        {"table_update": {"table_names": ["c.s.t", "c.s.u"]}},
        {"file_arrival": FILES, "pause_status": "PAUSED"},
        {"schedule": CRON},
    ]
    marks = dict(
        zip(
            (text for text, _ in triggers_of({"triggers": listed})),
            (
                Mark(since_ms=1, failures=2, next_ms=9),
                Mark(since_ms=1, changed_ms={"c.s.u": 5}),
                Mark(since_ms=1),
            ),
            strict=True,
        )
    )
    tables = [
        {"table_name": "c.s.t", "has_seen_updates": False},
        {"table_name": "c.s.u", "has_seen_updates": True},
    ]
    waits = {"consecutive_failures": 2, "is_backing_off": True, "next_attempt_ms": 9}
    assert states_of({"triggers": listed}, marks.get) == [
        {"continuous": waits, "pause_status": "UNPAUSED"},
        {
            "table_update": {"last_seen_table_states": tables, "using_scalable_monitoring": False},
            "pause_status": "UNPAUSED",
        },
        {"file_arrival": {"using_file_events": False}, "pause_status": "PAUSED"},
        {"schedule": {}, "pause_status": "UNPAUSED"},
    ]


def test_a_continuous_job_with_a_run_does_not_back_off() -> None:
    mark = Mark(since_ms=1, failures=2, next_ms=9, run_id=4)
    (state,) = states_of({"continuous": {}}, lambda _text: mark)
    assert state["continuous"] == {"consecutive_failures": 2, "is_backing_off": False}
