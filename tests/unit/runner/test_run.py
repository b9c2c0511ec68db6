"""One run of a job as a state machine; the clock is a number."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from laketop.errors import ConfigError
from laketop.runner import run as run_module
from laketop.runner.context import Outcome
from laketop.runner.run import JobRun, RunRequest, settle

SUCCESS = Outcome("SUCCESS")
FAILED = Outcome("FAILED")
OTHER_TYPES = {"condition_task", "spark_python_task"}


def task(key: str, *parents: str, **more: Any) -> dict[str, Any]:
    """Return a notebook task, or what `more` makes of it; `a=true` waits for an outcome."""
    edges = [parent.split("=") for parent in parents]
    depends_on = [dict(zip(("task_key", "outcome"), edge, strict=False)) for edge in edges]
    kind = {} if more.keys() & OTHER_TYPES else {"notebook_task": {"notebook_path": f"/{key}"}}
    return {"task_key": key, "depends_on": depends_on, **kind, **more}


class Bench:
    """A run, and the hands that carry it out: `now` moves only by hand."""

    def __init__(self, *tasks: dict[str, Any], request: Any = None, **settings: Any) -> None:
        ids = itertools.count(101)
        given = {"job_id": 7, "run_id": 100, "created_ms": 1_000, **(request or {})}
        settings = {"name": "nightly", "tasks": list(tasks), **settings}
        self.run = JobRun(settings, RunRequest(**given), lambda: next(ids))
        self.now = 1_000

    def startable(self) -> list[str]:
        self.run.advance(self.now)
        return [attempt.key for attempt in self.run.startable()]

    def start(self, key: str) -> None:
        self.run.advance(self.now)
        (attempt,) = (attempt for attempt in self.run.startable() if attempt.key == key)
        self.run.task_started(attempt.run_id, self.now)

    def finish(self, key: str, outcome: Outcome = SUCCESS) -> None:
        self.run.task_finished(self.last(key)["run_id"], outcome, self.now)
        self.run.advance(self.now)

    def play(self, key: str, outcome: Outcome = SUCCESS) -> None:
        self.start(key)
        self.finish(key, outcome)

    def stopping(self) -> list[str]:
        return [attempt.key for attempt in self.run.stopping()]

    def attempts(self, key: str) -> list[dict[str, Any]]:
        return [item for item in self.run.snapshot()["tasks"] if item["task_key"] == key]

    def last(self, key: str) -> dict[str, Any]:
        return self.attempts(key)[-1]

    def at(self, key: str) -> tuple[str, str | None]:
        state = self.last(key)["state"]
        return state["life_cycle_state"], state.get("result_state")

    def end(self) -> tuple[str, str | None]:
        state = self.run.snapshot()["state"]
        return state["life_cycle_state"], state.get("result_state")


def test_tasks_start_when_their_parents_have_succeeded() -> None:
    bench = Bench(task("c", "a", "b"), task("a"), task("b", "a"))
    assert bench.startable() == ["a"]
    assert bench.at("c") == ("BLOCKED", None)
    bench.play("a")
    assert bench.startable() == ["b"]
    bench.play("b")
    assert bench.startable() == ["c"]
    bench.play("c")
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_a_failed_task_makes_the_run_an_internal_error_with_its_name() -> None:
    bench = Bench(task("a"), task("b", "a"))
    bench.play("a", FAILED)
    failed = bench.last("a")
    assert bench.at("a") == ("TERMINATED", "FAILED")
    assert failed["state"]["state_message"] == "Workload failed, see run output for details"
    assert failed["status"]["termination_details"]["code"] == "RUN_EXECUTION_ERROR"
    assert bench.at("b") == ("SKIPPED", "UPSTREAM_FAILED")
    whole = bench.run.snapshot()
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")
    message = "Task a failed with message: Workload failed, see run output for details."
    assert whole["state"]["state_message"] == message
    assert whole["status"] == {
        "state": "TERMINATED",
        "termination_details": {
            "code": "RUN_EXECUTION_ERROR",
            "type": "CLIENT_ERROR",
            "message": message,
        },
    }


def test_the_message_names_the_task_that_made_the_leaf_fail_not_one_that_was_handled() -> None:
    bench = Bench(task("a"), task("b", "a", run_if="ALL_DONE"))
    bench.play("a", FAILED)
    bench.now += 5
    bench.play("b", FAILED)
    message = bench.run.snapshot()["state"]["state_message"]
    assert message.startswith("Task b failed")


def test_a_handled_failure_is_a_success_with_failures() -> None:
    bench = Bench(task("a"), task("b", "a", run_if="AT_LEAST_ONE_FAILED"))
    bench.play("a", FAILED)
    bench.play("b")
    assert bench.end() == ("TERMINATED", "SUCCESS_WITH_FAILURES")


def test_only_the_branch_taken_runs() -> None:
    bench = Bench(
        task("if", condition_task={"op": "EQUAL_TO", "left": "1", "right": "1"}),
        task("yes", "if=true"),
        task("no", "if=false"),
        task("join", "yes", "no"),
    )
    bench.play("if", Outcome("SUCCESS", condition=True))
    assert bench.last("if")["condition_task"]["outcome"] == "true"
    assert bench.startable() == ["yes"]
    assert bench.at("no") == ("SKIPPED", "EXCLUDED")
    bench.play("yes")
    bench.play("join")
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_a_condition_that_failed_fails_both_branches_and_is_not_retried() -> None:
    condition = {"op": "LESS_THAN", "left": "a", "right": "1"}
    bench = Bench(
        task("if", condition_task=condition, max_retries=3),
        task("yes", "if=true"),
        task("no", "if=false"),
    )
    bench.play("if", FAILED)
    assert len(bench.attempts("if")) == 1
    assert bench.at("yes") == bench.at("no") == ("SKIPPED", "UPSTREAM_FAILED")


def test_a_disabled_task_disables_what_needs_it_when_the_run_is_created() -> None:
    bench = Bench(
        task("a"),
        task("off", "a", disabled=True),
        task("needs", "off"),
        task("tidies", "off", run_if="ALL_DONE"),
    )
    assert bench.at("off") == bench.at("needs") == ("SKIPPED", "DISABLED")
    assert bench.startable() == ["a", "tidies"]
    bench.play("tidies")
    bench.play("a", FAILED)
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")


def test_a_disabled_parent_counts_neither_for_nor_against() -> None:
    condition = {"op": "EQUAL_TO", "left": "1", "right": "1"}
    bench = Bench(
        task("if", condition_task=condition),
        task("off", disabled=True),
        task("a"),
        task("not_taken", "if=false", "off", run_if="NONE_FAILED"),
        task("runs", "a", "off", run_if="NONE_FAILED"),
    )
    bench.play("if", Outcome("SUCCESS", condition=True))
    bench.play("a")
    assert bench.at("not_taken") == ("SKIPPED", "EXCLUDED")
    assert bench.startable() == ["runs"]


def test_a_run_of_disabled_tasks_alone_is_no_success() -> None:
    bench = Bench(task("off", disabled=True))
    assert bench.startable() == []
    assert bench.end() == ("SKIPPED", "DISABLED")


def test_a_failed_attempt_is_followed_by_another_counted_from_zero() -> None:
    bench = Bench(task("a", max_retries=2), task("b", "a"))
    bench.play("a", FAILED)
    assert bench.startable() == ["a"]
    bench.play("a", FAILED)
    assert bench.at("b") == ("BLOCKED", None)
    bench.play("a")
    attempts = bench.attempts("a")
    assert [each["attempt_number"] for each in attempts] == [0, 1, 2]
    assert len({each["run_id"] for each in attempts}) == 3
    assert {each["original_attempt_run_id"] for each in attempts} == {attempts[0]["run_id"]}
    bench.play("b")
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_without_max_retries_there_is_none_and_minus_one_is_for_ever() -> None:
    bench = Bench(task("a"), task("b", max_retries=-1))
    bench.play("a", FAILED)
    assert len(bench.attempts("a")) == 1 + run_module.MAX_RETRIES_DEFAULT
    for _ in range(50):
        bench.play("b", FAILED)
    assert bench.startable() == ["b"]


def test_the_wait_for_a_retry_counts_from_the_start_of_the_failed_attempt() -> None:
    bench = Bench(task("a", max_retries=1, min_retry_interval_millis=500))
    bench.start("a")
    bench.now += 200
    bench.finish("a", FAILED)
    assert bench.at("a") == ("WAITING_FOR_RETRY", None)
    assert bench.run.due_ms() == 1_500
    bench.now = 1_499
    assert bench.startable() == []
    bench.now = 1_500
    assert bench.startable() == ["a"]


def test_a_submitted_run_never_retries() -> None:
    bench = Bench(task("a", max_retries=3), request={"run_type": "SUBMIT_RUN"})
    bench.play("a", FAILED)
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")


def continuous(*tasks: dict[str, Any], mode: str = "ON_FAILURE") -> Bench:
    return Bench(
        *tasks,
        request={"trigger": "CONTINUOUS"},
        continuous={"pause_status": "UNPAUSED", "task_retry_mode": mode},
    )


def test_a_continuous_run_retries_a_task_while_another_runs_its_first_attempt() -> None:
    bench = continuous(task("a"), task("b"))
    bench.start("b")
    waits = []
    for _ in range(3):
        bench.start("a")
        bench.finish("a", FAILED)
        assert bench.at("a") == ("WAITING_FOR_RETRY", None)
        due_ms = bench.run.due_ms()
        assert due_ms is not None
        waits.append(due_ms - bench.now)
        bench.now = due_ms
    first = run_module.FIRST_BACK_OFF_MS
    assert waits == [first, 2 * first, 4 * first]
    bench.play("a")
    bench.finish("b")
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_a_continuous_run_ends_with_a_task_when_none_runs_its_first_attempt() -> None:
    bench = continuous(task("a"), task("b"), task("c", "a", run_if="ALL_DONE"))
    bench.start("a")
    bench.start("b")
    bench.finish("a", FAILED)
    due_ms = bench.run.due_ms()
    assert due_ms is not None
    bench.now = due_ms
    bench.start("a")
    bench.finish("b", FAILED)  # a runs for the second time, and nothing else
    assert bench.stopping() == ["a"]
    bench.finish("a", SUCCESS)
    assert bench.at("a") == ("TERMINATED", "CANCELED")
    assert bench.at("c") == ("SKIPPED", "UPSTREAM_FAILED")
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")
    message = bench.run.snapshot()["state"]["state_message"]
    assert message.startswith("Task b failed with message: ")


def test_a_continuous_run_keeps_to_the_limit_of_retries() -> None:
    bench = continuous(task("a", max_retries=0), task("b"))
    bench.start("b")
    bench.play("a", FAILED)
    assert bench.stopping() == ["b"]
    bench.finish("b")
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")


def test_a_run_of_a_continuous_job_that_is_started_by_hand_is_like_any_other() -> None:
    settings = {"continuous": {"task_retry_mode": "ON_FAILURE"}}
    bench = Bench(task("a"), task("b"), **settings)
    bench.start("b")
    bench.play("a", FAILED)
    assert len(bench.attempts("a")) == 1
    assert bench.stopping() == []


def test_a_task_past_its_timeout_has_to_stop_and_is_timed_out_whatever_it_says() -> None:
    bench = Bench(task("a", timeout_seconds=2, max_retries=1))
    bench.start("a")
    assert bench.run.due_ms() == 3_000
    bench.now = 2_999
    bench.run.advance(bench.now)
    assert bench.stopping() == []
    bench.now = 3_000
    bench.run.advance(bench.now)
    assert bench.stopping() == ["a"]
    assert bench.at("a") == ("TERMINATING", None)
    bench.finish("a", SUCCESS)
    assert bench.at("a") == ("TERMINATED", "TIMEDOUT")
    assert bench.last("a")["state"]["user_cancelled_or_timedout"]
    assert bench.end() == ("INTERNAL_ERROR", "FAILED")


def test_a_timeout_is_retried_only_if_asked_for() -> None:
    bench = Bench(task("a", timeout_seconds=1, max_retries=1, retry_on_timeout=True))
    bench.start("a")
    bench.now += 1_000
    bench.run.advance(bench.now)
    bench.finish("a")
    assert bench.startable() == ["a"]
    assert [each["state"].get("result_state") for each in bench.attempts("a")] == ["TIMEDOUT", None]


def test_a_run_past_its_timeout_stops_everything_and_is_timed_out() -> None:
    bench = Bench(task("a", max_retries=5), task("b", "a"), timeout_seconds=1)
    bench.start("a")
    assert bench.run.due_ms() == 2_000
    bench.now = 2_000
    bench.run.advance(bench.now)
    assert bench.stopping() == ["a"]
    assert bench.at("b") == ("SKIPPED", "UPSTREAM_FAILED")
    assert bench.end() == ("TERMINATING", None)
    bench.finish("a")
    assert bench.at("a") == ("TERMINATED", "TIMEDOUT")
    assert bench.end() == ("TERMINATED", "TIMEDOUT")
    assert bench.run.snapshot()["run_duration"] == 1_000


def test_the_time_limit_of_a_job_acts_on_a_run_that_is_active() -> None:
    bench = Bench(task("a"))
    bench.start("a")
    bench.run.limit_time(5)
    assert bench.run.due_ms() == 6_000
    bench.run.limit_time(0)
    assert bench.run.due_ms() is None
    bench.run.limit_time(2)
    bench.now = 3_000
    bench.run.advance(bench.now)
    assert bench.stopping() == ["a"]
    bench.finish("a")
    assert bench.end() == ("TERMINATED", "TIMEDOUT")


def test_nothing_is_retried_in_a_run_out_of_time() -> None:
    bench = Bench(task("a", max_retries=-1, retry_on_timeout=True), timeout_seconds=1)
    bench.start("a")
    bench.now = 2_000
    bench.run.advance(bench.now)
    bench.finish("a")
    assert len(bench.attempts("a")) == 1
    assert bench.end() == ("TERMINATED", "TIMEDOUT")


def test_canceling_a_run_stops_what_runs_and_skips_what_waits() -> None:
    bench = Bench(task("a"), task("b"), task("c", "a", run_if="ALL_DONE"))
    bench.start("a")
    bench.run.cancel(bench.now)
    assert bench.stopping() == ["a", "b"]
    assert bench.at("c") == ("SKIPPED", "UPSTREAM_CANCELED")
    bench.finish("b")
    bench.finish("a", FAILED)
    assert bench.at("a") == bench.at("b") == ("TERMINATED", "CANCELED")
    assert bench.end() == ("TERMINATED", "CANCELED")
    code = bench.run.snapshot()["status"]["termination_details"]["code"]
    assert code == "USER_CANCELED"


def test_canceling_a_run_ends_the_wait_for_a_retry() -> None:
    bench = Bench(task("a", max_retries=1, min_retry_interval_millis=9_999))
    bench.play("a", FAILED)
    bench.run.cancel(bench.now)
    assert bench.at("a") == ("TERMINATED", "CANCELED")
    assert bench.end() == ("TERMINATED", "CANCELED")


def test_canceling_a_task_spreads_downstream_but_for_those_that_handle_it() -> None:
    bench = Bench(task("a", max_retries=1), task("b", "a"), task("c", "a", run_if="ALL_DONE"))
    bench.start("a")
    bench.run.cancel(bench.now, bench.last("a")["run_id"])
    assert bench.stopping() == ["a"]
    bench.finish("a", FAILED)
    assert bench.at("a") == ("TERMINATED", "CANCELED")
    assert bench.at("b") == ("SKIPPED", "UPSTREAM_CANCELED")
    bench.play("c")
    assert bench.end() == ("TERMINATED", "CANCELED")


def test_a_blocked_task_can_be_canceled() -> None:
    bench = Bench(task("a"), task("b", "a"), task("c", "b", run_if="ALL_DONE"))
    bench.start("a")
    bench.run.cancel(bench.now, bench.last("b")["run_id"])
    assert bench.at("b") == ("TERMINATED", "CANCELED")
    assert bench.startable() == ["c"]


def test_canceling_what_has_ended_changes_nothing() -> None:
    bench = Bench(task("a"), task("b"))
    bench.play("a")
    bench.run.cancel(bench.now, bench.last("a")["run_id"])
    bench.play("b")
    before = bench.run.snapshot()
    bench.run.cancel(bench.now)
    assert bench.run.snapshot() == before
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_a_run_that_has_not_begun_is_canceled_at_once() -> None:
    bench = Bench(task("a"), task("b", "a"))
    bench.run.queue(1)
    bench.run.cancel(bench.now)
    assert bench.at("a") == ("TERMINATED", "CANCELED")
    assert bench.at("b") == ("SKIPPED", "UPSTREAM_CANCELED")
    assert bench.end() == ("TERMINATED", "CANCELED")


def test_a_queued_run_says_why_and_begins_when_it_leaves_the_queue() -> None:
    bench = Bench(task("a"))
    bench.run.queue(1)
    queued = bench.run.snapshot()
    reason = "Queued due to reaching maximum concurrent runs of 1."
    assert queued["state"]["queue_reason"] == reason
    assert queued["status"] == {
        "state": "QUEUED",
        "queue_details": {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": reason},
    }
    assert bench.startable() == []
    bench.now = 5_000
    bench.run.leave_queue(bench.now)
    assert bench.startable() == ["a"]
    begun = bench.run.snapshot()
    assert (begun["start_time"], begun["queue_duration"]) == (5_000, 4_000)


def test_a_run_over_the_limit_is_skipped() -> None:
    bench = Bench(task("a"))
    bench.run.skip(bench.now)
    assert bench.end() == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
    code = bench.run.snapshot()["status"]["termination_details"]["code"]
    assert code == "MAX_CONCURRENT_RUNS_EXCEEDED"
    assert bench.startable() == []


def test_a_partial_run_holds_the_chosen_tasks_alone() -> None:
    bench = Bench(task("a"), task("b", "a"), task("c", "b"), request={"only": ["b"]})
    assert bench.startable() == ["b"]
    bench.play("b")
    assert [item["task_key"] for item in bench.run.snapshot()["tasks"]] == ["b"]
    assert bench.end() == ("TERMINATED", "SUCCESS")


def test_the_snapshot_has_the_times_of_run_and_tasks() -> None:
    bench = Bench(task("a"))
    assert bench.run.snapshot()["end_time"] == 0
    bench.now = 1_200
    bench.start("a")
    bench.now = 1_900
    bench.finish("a")
    whole, item = bench.run.snapshot(), bench.last("a")
    assert (whole["start_time"], whole["end_time"], whole["run_duration"]) == (1_000, 1_900, 900)
    assert whole["execution_duration"] == whole["setup_duration"] == 0
    assert (item["start_time"], item["end_time"], item["execution_duration"]) == (1_200, 1_900, 700)


def test_the_snapshot_names_the_run_and_its_settings() -> None:
    bench = Bench(task("a", description="first"))
    whole = bench.run.snapshot()
    assert whole["run_id"] == whole["number_in_job"] == 100
    assert (whole["job_id"], whole["run_name"], whole["run_type"]) == (7, "nightly", "JOB_RUN")
    item = whole["tasks"][0]
    assert (item["description"], item["run_if"], item["depends_on"]) == ("first", "ALL_SUCCESS", [])


def test_a_clock_that_goes_back_yields_no_negative_duration() -> None:
    bench = Bench(task("a"))
    bench.start("a")
    bench.now = 10
    bench.finish("a")
    assert bench.last("a")["execution_duration"] == 0
    assert bench.run.snapshot()["run_duration"] == 0


def test_changes_count_what_a_listener_would_have_to_hear() -> None:
    bench = Bench(task("a"))
    bench.startable()
    before = bench.run.changes
    bench.startable()
    assert bench.run.changes == before
    bench.start("a")
    assert bench.run.changes > before


def test_parameters_have_a_default_and_a_value() -> None:
    bench = Bench(
        task("a"),
        parameters=[{"name": "p", "default": "x"}, {"name": "q", "default": "y"}],
        request={"parameters": {"q": "z", "extra": "e"}},
    )
    assert bench.run.snapshot()["job_parameters"] == [
        {"name": "p", "default": "x", "value": "x"},
        {"name": "q", "default": "y", "value": "z"},
        {"name": "extra", "value": "e"},
    ]
    assert bench.run.job_parameters == {"p": "x", "q": "z", "extra": "e"}


def test_a_parameter_may_refer_to_the_job() -> None:
    parameters = [{"name": "day", "default": "{{job.start_time.iso_date}}"}]
    assert Bench(task("a"), parameters=parameters).run.job_parameters == {"day": "1970-01-01"}


def test_references_lead_to_job_task_parameters_and_what_is_upstream() -> None:
    bench = Bench(
        task("a"),
        task("b", "a"),
        task(
            "c",
            "b",
            notebook_task={
                "notebook_path": "/c",
                "base_parameters": {
                    "job": "{{job.id}}/{{job.run_id}}/{{job.name}}/{{job.repair_count}}",
                    "task": "{{task.name}}/{{task.run_id}}/{{task.execution_count}}",
                    "p": "{{job.parameters.p}}",
                    "v": "{{tasks.a.values.n}}/{{tasks.a.result_state}}/{{tasks.b.error_code}}",
                    "path": "{{tasks.b.notebook_path}}",
                    "old": "{{job_id}}/{{parent_run_id}}/{{run_id}}/{{task_key}}/{{start_time}}",
                    "w": "{{workspace.id}}/{{job.trigger.type}}",
                },
            },
        ),
        parameters=[{"name": "p", "default": "x"}],
        request={"workspace": {"id": "42"}},
    )
    bench.play("a", Outcome("SUCCESS", values={"n": 12}))
    bench.play("b")
    bench.startable()
    (attempt,) = bench.run.startable()
    assert bench.run.resolved(attempt)["notebook_task"]["base_parameters"] == {
        "job": "7/100/nightly/0",
        "task": "c/103/1",
        "p": "x",
        "v": "12/success/SUCCESS",
        "path": "/b",
        "old": "7/100/103/c/1000",
        "w": "42/onetime",
    }
    assert bench.run.task_values("c") == {"a": {"n": 12}}


def test_a_task_that_is_not_upstream_cannot_be_referred_to() -> None:
    notebook = {"notebook_path": "{{tasks.a.values.n}}"}
    bench = Bench(task("a"), task("b", notebook_task=notebook))
    bench.play("a", Outcome("SUCCESS", values={"n": 12}))
    (attempt,) = bench.run.startable()
    with pytest.raises(ConfigError, match="leads to nothing"):
        bench.run.resolved(attempt)


def test_an_operand_of_a_condition_has_to_be_a_number_text_or_boolean() -> None:
    condition = {"op": "EQUAL_TO", "left": "{{tasks.a.values.n}}", "right": "[1]"}
    bench = Bench(task("a"), task("if", "a", condition_task=condition))
    bench.play("a", Outcome("SUCCESS", values={"n": [1]}))
    (attempt,) = bench.run.startable()
    with pytest.raises(ConfigError, match=r"the left operand .* stands for"):
        bench.run.resolved(attempt)


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        ([], "job 'nightly' has no tasks"),
        ([{"task_key": "a"}], "task 'a' has nothing to run"),
        ([task("a", sql_task={})], "task 'a' is of several types: notebook_task, sql_task"),
        ([task("a", run_if="SOMETIMES")], "'SOMETIMES'"),
        ([task("a", "b"), task("b", "a")], "wait for each other"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(tasks: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Bench(*tasks)


def test_a_run_that_was_active_at_a_crash_is_settled() -> None:
    bench = Bench(task("a"), task("b"), task("c", "b"))
    bench.play("a")
    bench.start("b")
    settled = settle(bench.run.snapshot(), now_ms=4_000)
    a, b, c = settled["tasks"]
    assert a == bench.last("a")
    for item in (b, c, settled):
        assert item["state"]["life_cycle_state"] == "INTERNAL_ERROR"
        assert item["state"]["result_state"] == "FAILED"
        assert item["state"]["state_message"] == "laketop stopped while the run was active"
        assert item["status"]["termination_details"]["code"] == "INTERNAL_ERROR"
        assert item["end_time"] == 4_000
    assert (settled["run_duration"], b["execution_duration"]) == (3_000, 3_000)
    assert settle(settled, now_ms=9_000) == settled


def test_a_run_that_had_ended_before_a_crash_stays_as_it_was() -> None:
    bench = Bench(task("a"))
    bench.play("a")
    snapshot = bench.run.snapshot()
    assert settle(snapshot, now_ms=4_000) == snapshot


def test_references_read_the_rows_of_a_sql_task_and_the_state_of_an_alert() -> None:
    said = "{{tasks.a.output.rows}} {{tasks.a.output.first_row.n}} {{tasks.a.output.alert_state}}"
    bench = Bench(task("a"), task("b", "a", spark_python_task={"parameters": [said]}))
    rows = [{"n": 1, "s": "x"}, {"n": 2, "s": "y"}]
    bench.play("a", Outcome("SUCCESS", output={"rows": rows, "alert_state": "OK"}))
    bench.run.advance(bench.now)
    (attempt,) = bench.run.startable()
    (resolved,) = bench.run.resolved(attempt)["spark_python_task"]["parameters"]
    assert resolved == '[{"n": 1, "s": "x"}, {"n": 2, "s": "y"}] 1 OK'
