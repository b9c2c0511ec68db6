"""What a job may be made of, and how its settings are changed and paged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.workspace.job_settings import PAGE, checked, limit_of, paged, queues, updated


def _tasks(*keys: str) -> list[dict[str, Any]]:
    return [{"task_key": key} for key in keys]


def test_settings_stay_as_they_were_sent() -> None:
    sent = {"name": "j", "tasks": _tasks("a"), "from_the_future": {"x": [1]}}
    assert checked(sent) == sent


def test_what_is_not_of_the_job_is_left_out() -> None:
    assert checked({"access_control_list": [], "idempotency_token": "t"}) == {}


def test_the_form_of_a_single_task_is_refused_by_name() -> None:
    with pytest.raises(NotServed, match="notebook_task outside of tasks"):
        checked({"notebook_task": {"notebook_path": "/x"}})


def test_a_schedule_and_continuous_exclude_each_other() -> None:
    schedule = {"quartz_cron_expression": "0 0 0 * * ?", "timezone_id": "UTC"}
    with pytest.raises(InvalidParameterValue, match="not both"):
        checked({"schedule": schedule, "continuous": {"pause_status": "PAUSED"}})


def test_one_run_at_once_is_the_default_and_it_queues() -> None:
    assert limit_of({}) == 1
    assert limit_of({"max_concurrent_runs": 0}) == 0
    assert queues({}, None)
    assert not queues({"queue": {"enabled": False}}, None)
    assert queues({"queue": {"enabled": False}}, {"enabled": True})


def test_an_update_replaces_fields_and_merges_arrays_by_key() -> None:
    old = {"name": "old", "tags": {"a": "1"}, "tasks": _tasks("a", "b", "c")}
    new = {"name": "new", "tasks": [{"task_key": "b", "timeout_seconds": 5}, {"task_key": "d"}]}
    changed = updated(old, new, ["tags", "tasks/c", "nothing", "tasks/nothing"])
    assert changed == {
        "name": "new",
        "tasks": [
            {"task_key": "a"},
            {"task_key": "b", "timeout_seconds": 5},
            {"task_key": "d"},
        ],
    }


def test_an_update_with_one_key_twice_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="task_key"):
        updated({}, {"tasks": _tasks("a", "a")}, [])


@given(st.integers(0, 450), st.integers(0, 450))
@settings(max_examples=30)
def test_the_pages_together_are_the_whole(tasks: int, parameters: int) -> None:
    whole = {"name": "j", "tasks": list(range(tasks)), "parameters": list(range(parameters))}
    found: dict[str, list[int]] = {"tasks": [], "parameters": []}
    token: str | None = None
    while True:
        page, token = paged(whole, ("tasks", "parameters", "environments"), token)
        assert page["name"] == "j"
        assert "environments" not in page
        for name in found:
            assert len(page[name]) <= PAGE
            found[name] += page[name]
        if token is None:
            break
    assert found == {"tasks": whole["tasks"], "parameters": whole["parameters"]}


def test_a_page_token_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="'x'"):
        paged({}, (), "x")


def _nested(task: dict[str, Any]) -> dict[str, Any]:
    return {"task_key": "each", "for_each_task": {"inputs": "[1]", "task": task}}


@pytest.mark.parametrize("placed", [lambda task: task, _nested])
def test_base_parameters_of_a_notebook_have_a_megabyte_at_most(
    placed: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    def job(size: int) -> dict[str, Any]:
        given = {"x": "y" * (size - len('{"x": ""}'))}
        notebook = {"notebook_path": "/n", "base_parameters": given}
        return {"tasks": [placed({"task_key": "a", "notebook_task": notebook})]}

    assert checked(job(2**20))
    with pytest.raises(InvalidParameterValue, match="base_parameters of task a have more than 1"):
        checked(job(2**20 + 1))


def test_environment_variables_that_cannot_be_are_refused() -> None:
    entry = {"environment_variables_key": "a", "spec": {"variables": {"A B": "x"}}}
    with pytest.raises(InvalidParameterValue, match="'A B' cannot be an environment variable"):
        checked({"environment_variables": [entry]})


def test_a_job_has_a_thousand_tasks_at_most() -> None:
    keys = [f"t{number}" for number in range(1001)]
    assert checked({"tasks": _tasks(*keys[:1000])})
    with pytest.raises(InvalidParameterValue, match="at most 1000 tasks"):
        checked({"tasks": _tasks(*keys)})


@pytest.mark.parametrize("placed", [lambda hooks: hooks, lambda hooks: {"tasks": [hooks]}])
def test_an_event_has_three_webhooks_at_most(
    placed: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    def job(count: int) -> dict[str, Any]:
        hooks = {"on_failure": [{"id": str(number)} for number in range(count)]}
        return placed({"task_key": "a", "webhook_notifications": hooks})

    assert checked(job(3))
    with pytest.raises(InvalidParameterValue, match="on_failure has at most 3 webhooks"):
        checked(job(4))


@pytest.mark.parametrize(
    "beside",
    [
        {"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}},
        {"trigger": {"periodic": {"interval": 1, "unit": "DAYS"}}},
        {"continuous": {}},
    ],
)
def test_triggers_exclude_what_they_take_the_place_of(beside: dict[str, Any]) -> None:
    triggers = [{"periodic": {"interval": 1, "unit": "HOURS"}, "pause_status": "PAUSED"}]
    checked({"triggers": triggers})
    with pytest.raises(InvalidParameterValue, match=f"triggers or a {next(iter(beside))}"):
        checked({"triggers": triggers, **beside})
