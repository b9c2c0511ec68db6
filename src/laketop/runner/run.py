"""One run of a job as a state machine: what may start, what has to stop, how it ends.

No clock, no thread, no process: whoever carries the run out tells it what happened and when,
then calls `advance` and does what `startable` and `stopping` say. Every `now_ms` is of the run's
own clock, which is steady; `ahead_ms` leads from it to the time of day. Source: Jobs API 2.2.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any, Final

from laketop.errors import ConfigError
from laketop.runner.attempt import Attempt, type_of
from laketop.runner.graph import Graph
from laketop.runner.notifications import (
    ON_DURATION,
    ON_START,
    Event,
    name_of_end,
    warning_seconds,
)
from laketop.runner.references import Scope, has_reference, resolve, text_of, values_in
from laketop.runner.scope import job_scope, task_scope
from laketop.runner.states import (
    FAILURES,
    FINAL,
    LIFE_CYCLE_OF_A_TASK_THAT_NEVER_RAN,
    MESSAGES,
    NEVER_RAN,
    RUN_IF,
    both_spellings,
    decide,
    is_disabled_by,
    result_of_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from laketop.runner.context import Outcome

MAX_RETRIES_DEFAULT: Final = 0
"""Unverified."""
FIRST_BACK_OFF_MS: Final = 15_000
"""From the start of a failed attempt to the next one in a continuous run; doubles each time.

Unverified, as is the longest.
"""
LONGEST_BACK_OFF_MS: Final = 3_600_000
REPAIRS_COUNT_AS_ATTEMPTS: Final = True
"""Whether `attempt_number` goes on where it was before a repair; unverified."""
EVERY_ATTEMPT_IS_LISTED: Final = True
"""Whether `tasks` holds the attempts before the last one too; unverified."""
LIFE_CYCLE_OF_A_FAILED_RUN: Final = "INTERNAL_ERROR"
"""Recorded: where the task is TERMINATED, the run is this."""
LIFE_CYCLE_OF_A_STOPPED_RUN: Final = "TERMINATED"
"""Of canceled and timed-out runs; unverified."""
QUEUED_MESSAGE: Final = "Queued due to reaching maximum concurrent runs of {limit}."
"""Unverified."""
STOPPED_WHILE_ACTIVE: Final = "laketop stopped while the run was active"

_UPSTREAM_OF: Final = {
    "CANCELED": "UPSTREAM_CANCELED",
    "TIMEDOUT": "UPSTREAM_FAILED",
    "FAILED": "UPSTREAM_FAILED",
}
_ENDS_A_CONTINUOUS_RUN: Final = frozenset({"FAILED", "TIMEDOUT"})
CONTINUOUS: Final = ("CONTINUOUS", "CONTINUOUS_RESTART")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What is known of a run before it starts, besides the job's settings."""

    job_id: int
    run_id: int
    created_ms: int
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Values of job parameters; one that the job does not declare is taken all the same."""
    only: Sequence[str] = ()
    """The tasks to run, as `Graph.select` reads them; none = all."""
    trigger: str = "ONE_TIME"
    trigger_ms: int | None = None
    """When the trigger fired; None = `created_ms`."""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """More that references lead to, as JSON: `trigger` for `{{job.trigger.…}}`, and `backfill`."""
    run_type: str = "JOB_RUN"
    """SUBMIT_RUN never retries."""
    workspace: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What `{{workspace.…}}` says: id and url."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repair:
    """What a run that is repaired goes on with. Source: Jobs API 2.2, repair."""

    begin_ms: int
    """When this repair began."""
    start_ms: int
    """When the run first did."""
    past: Mapping[str, Sequence[Attempt]] = dataclasses.field(default_factory=dict)
    """The attempts of each task so far, all final."""
    tasks: Collection[str] = ()
    """The tasks that run again; one without a past runs in any case."""
    count: int = 0
    """How many repairs there were, this one included."""
    past_ms: int = 0
    """The duration of the run before."""
    is_resumed: bool = False
    """It is no repair: the run was cut off, and what was running then is retried."""


class JobRun:
    """One run of a job; `settings` are those of Jobs 2.2, `new_run_id` gives each attempt its id.

    With a `repair` it goes on with a run that had ended: only the tasks of the repair run again.
    Errors: ConfigError for settings that cannot be run, with every problem of the graph at once.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        request: RunRequest,
        new_run_id: Callable[[], int],
        repair: Repair | None = None,
    ) -> None:
        tasks = settings.get("tasks") or ()
        if not tasks:
            raise ConfigError(f"job {settings.get('name')!r} has no tasks")
        graph = Graph.of(tasks)
        left_out = set(graph.edges) - graph.select(request.only) if request.only else set()
        self.request = request
        self.changes = 0
        """Counts up with every change of the snapshot."""
        self.ahead_ms = 0
        """How far the time of day is ahead of the times that the run is told: 0 until it jumps."""
        self.settings = settings
        """Those of the job that the run was made with."""
        self.new_run_id = new_run_id
        self._graph = graph.without(left_out)
        self._life_cycle = "RUNNING" if repair is not None and repair.is_resumed else "PENDING"
        self._result: str | None = None
        self._coming: str | None = None
        self._message = ""
        self._queue_limit = 0
        self._stop_result = ""
        self._stop_message = ""
        continuous = settings.get("continuous") or {}
        self._retries_while_others_run = (
            request.trigger in CONTINUOUS and continuous.get("task_retry_mode") == "ON_FAILURE"
        )
        self._repair = repair or Repair(begin_ms=request.created_ms, start_ms=request.created_ms)
        self._start_ms = self._repair.start_ms
        self._begin_ms = self._repair.begin_ms
        self._queued_ms = self._start_ms - request.created_ms
        self._lasted_ms = 0
        self._end_ms = 0
        self._scope, self._parameters = self._read_parameters()
        self._attempts = {
            task["task_key"]: self._first_attempts(task)
            for task in tasks
            if task["task_key"] not in left_out
        }
        every = [attempt for attempts in self._attempts.values() for attempt in attempts]
        self._by_run_id = {attempt.run_id: attempt for attempt in every}
        self._open = {attempt.run_id: attempt for attempt in every if not attempt.is_final}
        self._undecided = collections.deque(self._attempts)
        self._events: list[Event] = []
        self._warned: set[int] = set()
        self._disable()

    # What there is to do.

    def advance(self, now_ms: int) -> None:
        """Do what is due at `now_ms`: begin, time out, retry, decide who runs, conclude."""
        if self.is_final or self._life_cycle == "QUEUED":
            return
        if self._life_cycle == "PENDING":
            self._change_run("RUNNING")
            self._events.append(Event(name=ON_START, at_ms=now_ms + self.ahead_ms))
        self._time_out(now_ms)
        self._warn(now_ms)
        for attempt in list(self._open.values()):
            if attempt.life_cycle == "WAITING_FOR_RETRY" and attempt.retry_ms <= now_ms:
                self._change(attempt, "PENDING")
        self._decide(now_ms)
        self._conclude(now_ms)

    def startable(self) -> list[Attempt]:
        """Return the attempts that may start now, in the order of the job, retries last."""
        return [attempt for attempt in self._open.values() if attempt.life_cycle == "PENDING"]

    def stopping(self) -> list[Attempt]:
        """Return the attempts that have to stop; each still owes its `task_finished`."""
        return [attempt for attempt in self._open.values() if attempt.life_cycle == "TERMINATING"]

    def due_ms(self) -> int | None:
        """Return when `advance` has something to do though nothing was reported, if ever."""
        due = [self._timeout_ms()] if self._life_cycle == "RUNNING" else []
        due += [at_ms for at_ms, _ in self._warnings()]
        for attempt in self._open.values():
            if attempt.life_cycle == "RUNNING":
                due.append(attempt.timeout_ms())
            elif attempt.life_cycle == "WAITING_FOR_RETRY":
                due.append(attempt.retry_ms)
        return min((at for at in due if at is not None), default=None)

    # What happened.

    def task_started(self, task_run_id: int, now_ms: int) -> None:
        """Take note that an attempt has started."""
        attempt = self._open[task_run_id]
        attempt.begin(now_ms, self.ahead_ms)
        if attempt.life_cycle == "PENDING":
            self._change(attempt, "RUNNING")
            self._tell(attempt, ON_START, now_ms)

    def iterations_told(
        self, task_run_id: int, iterations: Sequence[Mapping[str, Any]], stats: Mapping[str, Any]
    ) -> None:
        """Take note of how the iterations of a for_each task stand."""
        if task_run_id in self._open:
            self._open[task_run_id].show_iterations(iterations, stats)
            self.changes += 1

    def task_finished(self, task_run_id: int, outcome: Outcome, now_ms: int) -> None:
        """Take note of the end of an attempt, started or not, and plan its retry.

        An attempt that had to stop ends as that demands, whatever its outcome says.
        """
        attempt = self._open[task_run_id]
        told_to_stop = attempt.life_cycle == "TERMINATING" and attempt.result
        result = told_to_stop or outcome.result_state
        attempt.values = outcome.values
        attempt.output = outcome.output
        attempt.error = outcome.error
        attempt.reason = outcome.reason if result == "FAILED" else None
        if "condition_task" in attempt.task and result == "SUCCESS":
            attempt.outcome = "true" if outcome.condition else "false"
        self._end(attempt, "TERMINATED", result, now_ms)
        if self._is_retried(attempt):
            self._retry(attempt)
        elif self._retries_while_others_run and result in _ENDS_A_CONTINUOUS_RUN:
            self._give_up(attempt, now_ms)
        name = name_of_end(result)
        if name is not None:
            self._tell(attempt, name, now_ms)

    def cancel(self, now_ms: int, task_run_id: int | None = None) -> None:
        """Cancel the run, or one attempt of it; nothing happens to one that is final.

        Errors: KeyError for a `task_run_id` that is not of this run.
        """
        if self.is_final:
            return
        if task_run_id is None:
            self._stop("CANCELED", now_ms)
        elif not self._by_run_id[task_run_id].is_final:
            self._stop_attempt(self._by_run_id[task_run_id], "CANCELED", now_ms)

    def limit_time(self, timeout_seconds: int) -> None:
        """Let the run time out after so many seconds since its start, 0 = never.

        It is the one setting of a job that acts on runs which are active.
        Source: Jobs API 2.2, retries.
        """
        self.settings = {**self.settings, "timeout_seconds": timeout_seconds}

    def queue(self, limit: int) -> None:
        """Let a run that has not begun wait: `limit` runs of its job are active."""
        self._queue_limit = limit
        self._change_run("QUEUED")

    def leave_queue(self, now_ms: int) -> None:
        """Let a queued run begin with the next `advance`."""
        self._start_ms = now_ms + self.ahead_ms
        self._queued_ms = now_ms - self.request.created_ms
        self._begin_ms = now_ms
        self._change_run("PENDING")

    def skip(self, now_ms: int) -> None:
        """End a run that may not begin, since too many of its job are active."""
        self._open.clear()
        self._attempts.clear()
        self._finish(now_ms)
        self._change_run("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
        self._tell_end(now_ms)

    def take_events(self) -> list[Event]:
        """Return what happened since this was asked last."""
        events, self._events = self._events, []
        return events

    # How it stands.

    @property
    def is_queued(self) -> bool:
        """Whether the run waits for others of its job."""
        return self._life_cycle == "QUEUED"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self._life_cycle in FINAL

    @property
    def result(self) -> str | None:
        """The result of the run, once it is final."""
        return self._result

    @property
    def tasks(self) -> list[Mapping[str, Any]]:
        """The settings of the tasks that may still run."""
        return [attempt.task for attempt in self._open.values()]

    @property
    def job_parameters(self) -> Mapping[str, str]:
        """The value of each job parameter."""
        return {name: entry["value"] for name, entry in self._parameters.items()}

    def resolved(self, attempt: Attempt) -> dict[str, Any]:
        """Return the task's settings with the references in them resolved; the attempt tells them.

        Errors: ConfigError for a reference that leads to nothing, and for an operand of a
        condition that stands for neither number, text nor boolean.
        """
        field = f"{type_of(attempt.task)}_task"
        settings = attempt.task[field]
        if field == "for_each_task":
            # The nested task is resolved for each of its iterations.
            outer = {name: settings[name] for name in settings if name != "task"}
            settings = {**settings, **resolve(outer, self.scope_of(attempt))}
        elif has_reference(settings):
            scope = self.scope_of(attempt)
            if field == "condition_task":
                _check_operands(settings, scope)
            settings = resolve(settings, scope)
            attempt.show_resolved({field: settings})
        return {**attempt.task, field: settings}

    def scope_of(self, attempt: Attempt) -> Scope:
        """Return what the settings of an attempt may refer to."""
        upstream = (self._attempts[key][-1] for key in self._graph.upstream(attempt.key))
        return task_scope(self._scope, self.job_parameters, attempt, upstream)

    def task_values(self, key: str) -> dict[str, Mapping[str, Any]]:
        """Return the task values of everything upstream of the task `key`."""
        last = {above: attempts[-1].values for above, attempts in self._attempts.items()}
        upstream = self._graph.upstream(key) if any(last.values()) else ()
        return {above: last[above] for above in upstream if last[above]}

    def has(self, task_run_id: int) -> bool:
        """Return whether this is an attempt of this run."""
        return task_run_id in self._by_run_id

    def snapshot(self) -> dict[str, Any]:
        """Return the run as `runs/get` answers it; the items of `tasks` are not to be changed."""
        return {
            "job_id": self.request.job_id,
            "run_id": self.request.run_id,
            "number_in_job": self.request.run_id,
            "original_attempt_run_id": self.request.run_id,
            "run_name": self.settings.get("name", "Untitled"),
            "run_type": self.request.run_type,
            "trigger": self.request.trigger,
            "format": "MULTI_TASK",
            **self._states(),
            "start_time": self._start_ms,
            "queue_duration": self._queued_ms,
            "setup_duration": 0,
            "execution_duration": 0,
            "cleanup_duration": 0,
            "run_duration": self._run_duration_ms(),
            "end_time": self._end_ms,
            "job_parameters": list(self._parameters.values()),
            "tasks": [
                attempt.view()
                for attempts in self._attempts.values()
                for attempt in (attempts if EVERY_ATTEMPT_IS_LISTED else attempts[-1:])
            ],
        }

    # How it is done.

    def _read_parameters(self) -> tuple[Scope, dict[str, dict[str, str]]]:
        request = self.request
        trigger_ms = request.created_ms if request.trigger_ms is None else request.trigger_ms
        name = self.settings.get("name", "Untitled")
        scope = job_scope(
            {
                "id": request.job_id,
                "name": name,
                "run_id": request.run_id,
                "repair_count": self._repair.count,
            },
            trigger=request.trigger,
            start_ms=request.created_ms,
            trigger_ms=trigger_ms,
            workspace=Scope(request.workspace),
            facts=request.facts,
        )
        declared = {each["name"]: each for each in self.settings.get("parameters") or ()}
        entries: dict[str, dict[str, str]] = {}
        for name in [*declared, *(given for given in request.parameters if given not in declared)]:
            entry = {"name": name}
            if name in declared:
                entry["default"] = text_of(declared[name].get("default", ""))
            value = request.parameters.get(name, entry.get("default", ""))
            entries[name] = {**entry, "value": resolve(text_of(value), scope)}
        return scope, entries

    def _first_attempts(self, task: Mapping[str, Any]) -> list[Attempt]:
        # Those of before a repair, and the one with which the task begins, if it does.
        past = list(self._repair.past.get(task["task_key"], ()))
        if past and task["task_key"] not in self._repair.tasks:
            return past
        if past and self._repair.is_resumed:
            return [*past, self._following(task, past[-1], wait_ms=_interval_ms(task))]
        number = past[-1].number + 1 if past and REPAIRS_COUNT_AS_ATTEMPTS else 0
        return [*past, self._first_attempt(task, number)]

    def _first_attempt(self, task: Mapping[str, Any], number: int) -> Attempt:
        type_of(task)
        run_id = self.new_run_id()
        attempt = Attempt(task=task, run_id=run_id, number=number, original_run_id=run_id)
        if attempt.run_if not in RUN_IF:
            raise ConfigError(
                f"task {attempt.key!r} has the run_if {attempt.run_if!r}, which does not exist",
                hint=f"one of {', '.join(RUN_IF)}",
            )
        return attempt

    def _disable(self) -> None:
        disabled: set[str] = set()
        for key in self._graph.order():
            attempt = self._attempts[key][-1]
            if attempt.is_final:  # of before a repair
                disabled |= {key} if attempt.result == "DISABLED" else set()
                continue
            flags = [parent in disabled for parent in self._graph.parents(key)]
            if attempt.task.get("disabled") or is_disabled_by(attempt.run_if, flags):
                disabled.add(key)
                self._end(
                    attempt,
                    LIFE_CYCLE_OF_A_TASK_THAT_NEVER_RAN,
                    "DISABLED",
                    self._begin_ms,
                )
        self._disabled = disabled

    def _decide(self, now_ms: int) -> None:
        while self._undecided:
            key = self._undecided.popleft()
            attempt = self._attempts[key][-1]
            edges = [edge for edge in self._graph.edges[key] if edge.parent not in self._disabled]
            parents = [(edge, self._attempts[edge.parent][-1]) for edge in edges]
            if attempt.life_cycle != "BLOCKED" or not all(above.is_final for _, above in parents):
                continue
            results = [_result_along(edge.outcome, above) for edge, above in parents]
            decision = decide(attempt.run_if, results)
            if decision == "RUN":
                self._change(attempt, "PENDING")
            else:
                self._end(attempt, LIFE_CYCLE_OF_A_TASK_THAT_NEVER_RAN, decision, now_ms)

    def _conclude(self, now_ms: int) -> None:
        if self._open or self.is_final:
            return
        graph = self._graph.without(self._disabled)
        results = {key: self._attempts[key][-1].result or "" for key in graph.edges}
        leaves = graph.leaves()
        result = self._stop_result or result_of_run(
            [results[key] for key in leaves],
            [result for key, result in results.items() if key not in leaves],
        )
        self._finish(now_ms)
        if self._stop_message:
            self._change_run(LIFE_CYCLE_OF_A_FAILED_RUN, result, self._stop_message)
        elif self._stop_result:
            self._change_run(LIFE_CYCLE_OF_A_STOPPED_RUN, result)
        elif not results:
            self._change_run("SKIPPED", "DISABLED")
        elif result == "FAILED":
            self._change_run(LIFE_CYCLE_OF_A_FAILED_RUN, result, self._why(results, leaves))
        else:
            self._change_run("TERMINATED", result)
        self._tell_end(now_ms)

    def _tell(self, attempt: Attempt, name: str, now_ms: int) -> None:
        if "condition_task" in attempt.task:
            return
        is_last = attempt is self._attempts[attempt.key][-1]
        event = Event(
            name=name,
            at_ms=now_ms + self.ahead_ms,
            task=attempt.task,
            task_run_id=attempt.run_id,
            result=attempt.result,
            is_retry=attempt.retry > 0,
            will_retry=not is_last,
        )
        self._events.append(event)

    def _tell_end(self, now_ms: int) -> None:
        name = name_of_end(self._result or "")
        if name is not None:
            self._events.append(Event(name=name, at_ms=now_ms + self.ahead_ms, result=self._result))

    def _warnings(self) -> list[tuple[int, Attempt | None]]:
        # When the run, as None, or a task of it has run for longer than its health rule says.
        if self._life_cycle != "RUNNING":
            return []
        running: list[tuple[int, int, Mapping[str, Any], Attempt | None]] = [
            (self.request.run_id, self._begin_ms, self.settings, None)
        ]
        running += [
            (attempt.run_id, attempt.start_ms, attempt.task, attempt)
            for attempt in self._open.values()
            if attempt.life_cycle == "RUNNING" and attempt.task.get("health")
        ]
        return [
            (start_ms + seconds * 1000 + 1, attempt)
            for run_id, start_ms, settings, attempt in running
            if (seconds := warning_seconds(settings)) is not None and run_id not in self._warned
        ]

    def _warn(self, now_ms: int) -> None:
        for at_ms, attempt in self._warnings():
            if at_ms > now_ms:
                continue
            if attempt is None:
                self._warned.add(self.request.run_id)
                self._events.append(Event(name=ON_DURATION, at_ms=now_ms + self.ahead_ms))
            else:
                self._warned.add(attempt.run_id)
                self._tell(attempt, ON_DURATION, now_ms)
            self.changes += 1  # so that it is told

    def _why(self, results: Mapping[str, str], leaves: Sequence[str]) -> str:
        # The first to fail of those that made a leaf fail.
        suspects = set(leaves)
        for leaf in leaves:
            if results[leaf] == "UPSTREAM_FAILED":
                suspects |= self._graph.upstream(leaf)
        # After a repair it may be that they all succeeded, and the leaf was not asked for.
        bad = [key for key in results if key in suspects and results[key] in FAILURES]
        ran = [key for key in bad if results[key] not in NEVER_RAN]
        failed = [self._attempts[key][-1] for key in ran or bad]
        first = min(failed, key=lambda attempt: attempt.end_ms)
        return f"Task {first.key} failed with message: {first.message}."

    def _time_out(self, now_ms: int) -> None:
        deadline = self._timeout_ms()
        if deadline is not None and deadline <= now_ms:
            self._stop("TIMEDOUT", now_ms)
        for attempt in list(self._open.values()):
            if attempt.life_cycle == "RUNNING":
                deadline = attempt.timeout_ms()
                if deadline is not None and deadline <= now_ms:
                    self._stop_attempt(attempt, "TIMEDOUT", now_ms)

    def _timeout_ms(self) -> int | None:
        seconds = self.settings.get("timeout_seconds") or 0
        return self._begin_ms + seconds * 1000 if seconds else None

    def _finish(self, now_ms: int) -> None:
        self._lasted_ms = max(now_ms - self._begin_ms, 0)
        # Never before the start by more than it lasted, even where the time of day went back.
        self._end_ms = max(now_ms + self.ahead_ms, self._start_ms + self._lasted_ms)

    def _run_duration_ms(self) -> int:
        # The total, repairs included.
        return self._repair.past_ms + self._lasted_ms if self._end_ms else 0

    def _stop(self, result: str, now_ms: int) -> None:
        if self._stop_result:
            return
        self._stop_result = result
        begun = self._life_cycle == "RUNNING"
        self._decide(now_ms)  # so that what is still blocked has a parent that is stopped
        for attempt in list(self._open.values()):
            if attempt.life_cycle == "BLOCKED":
                upstream = _UPSTREAM_OF[result]
                self._end(attempt, LIFE_CYCLE_OF_A_TASK_THAT_NEVER_RAN, upstream, now_ms)
            elif begun:
                stopped = "CANCELED" if result == "FAILED" else result
                self._stop_attempt(attempt, stopped, now_ms)
            else:
                self._end(attempt, "TERMINATED", result, now_ms)
        if begun:
            self._change_run("TERMINATING", result)
        self._conclude(now_ms)

    def _stop_attempt(self, attempt: Attempt, result: str, now_ms: int) -> None:
        if attempt.life_cycle in {"PENDING", "RUNNING"}:
            self._change(attempt, "TERMINATING", result)
        elif attempt.life_cycle != "TERMINATING":
            self._end(attempt, "TERMINATED", result, now_ms)

    def _is_retried(self, attempt: Attempt) -> bool:
        if self._stop_result or self.request.run_type == "SUBMIT_RUN":
            return False
        if "condition_task" in attempt.task:
            return False
        wanted = attempt.result == "FAILED" or (
            attempt.result == "TIMEDOUT" and attempt.task.get("retry_on_timeout", False)
        )
        if self._retries_while_others_run:
            most = attempt.task.get("max_retries", -1)
            wanted = wanted and any(
                other.life_cycle == "RUNNING" and other.retry == 0 for other in self._open.values()
            )
        else:
            most = attempt.task.get("max_retries", MAX_RETRIES_DEFAULT)
        return wanted and (most < 0 or attempt.retry < most)

    def _give_up(self, attempt: Attempt, now_ms: int) -> None:
        # The run of a continuous job ends with a task that is not retried; another is started.
        if not self._stop_result and not self.is_final:
            self._stop_message = f"Task {attempt.key} failed with message: {attempt.message}."
            self._stop("FAILED", now_ms)

    def _retry(self, attempt: Attempt) -> None:
        wait_ms = _interval_ms(attempt.task)
        if self._retries_while_others_run:
            wait_ms = max(wait_ms, FIRST_BACK_OFF_MS << min(attempt.retry, 20))
            wait_ms = min(wait_ms, LONGEST_BACK_OFF_MS)
        following = self._following(attempt.task, attempt, wait_ms=wait_ms)
        self._attempts[attempt.key].append(following)
        self._by_run_id[following.run_id] = self._open[following.run_id] = following
        self.changes += 1

    def _following(self, task: Mapping[str, Any], attempt: Attempt, *, wait_ms: int) -> Attempt:
        return Attempt(
            task=task,
            run_id=self.new_run_id(),
            number=attempt.number + 1,
            retry=attempt.retry + 1,
            original_run_id=attempt.original_run_id,
            life_cycle="WAITING_FOR_RETRY",
            retry_ms=max(attempt.end_ms, attempt.start_ms + wait_ms),
        )

    def _change(self, attempt: Attempt, life_cycle: str, result: str | None = None) -> None:
        attempt.change(life_cycle, result)
        self.changes += 1

    def _end(self, attempt: Attempt, life_cycle: str, result: str, now_ms: int) -> None:
        del self._open[attempt.run_id]
        attempt.end(life_cycle, result, now_ms, self.ahead_ms)
        self._undecided.extend(self._graph.children(attempt.key))
        self.changes += 1

    def _change_run(self, life_cycle: str, result: str | None = None, message: str = "") -> None:
        self._life_cycle = life_cycle
        self._result = result if life_cycle in FINAL else None
        self._coming = result
        self._message = message or MESSAGES.get(result or "", "")
        self.changes += 1

    def _states(self) -> dict[str, Any]:
        spelled = both_spellings(self._life_cycle, self._coming, message=self._message)
        if self._life_cycle == "QUEUED":
            reason = QUEUED_MESSAGE.format(limit=self._queue_limit)
            spelled["state"]["queue_reason"] = reason
            details = {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": reason}
            spelled["status"]["queue_details"] = details
        return spelled


def _check_operands(condition: Mapping[str, Any], scope: Scope) -> None:
    for side in ("left", "right"):
        for value in values_in(text_of(condition.get(side, "")), scope):
            if not isinstance(value, str | int | float):
                raise ConfigError(
                    f"the {side} operand {condition[side]!r} stands for {value!r}",
                    hint="compare numbers, texts or booleans",
                )


def _result_along(outcome: str | None, parent: Attempt) -> str:
    # A branch not taken is EXCLUDED for whoever waits for it.
    if outcome is not None and parent.result == "SUCCESS" and parent.outcome != outcome:
        return "EXCLUDED"
    return parent.result or ""


def _interval_ms(task: Mapping[str, Any]) -> int:
    return task.get("min_retry_interval_millis") or 0


def settle(
    snapshot: Mapping[str, Any], message: str = STOPPED_WHILE_ACTIVE, *, now_ms: int
) -> dict[str, Any]:
    """Return the snapshot of a run that nobody carries out any more, ended at `now_ms`.

    All that was not final, the run and its tasks, is INTERNAL_ERROR with `message`.
    Source: reliability R3.
    """
    tasks = [_settled(task, message, now_ms) for task in snapshot.get("tasks", ())]
    for task in tasks:
        if "iterations" in task:
            task["iterations"] = [_settled(one, message, now_ms) for one in task["iterations"]]
    return _settled({**snapshot, "tasks": tasks}, message, now_ms)


def _settled(item: Mapping[str, Any], message: str, now_ms: int) -> dict[str, Any]:
    if item["state"]["life_cycle_state"] in FINAL:
        return dict(item)
    start_ms = item["start_time"] or now_ms
    end_ms = max(now_ms, start_ms)
    duration = "run_duration" if "run_duration" in item else "execution_duration"
    return {
        **item,
        **both_spellings("INTERNAL_ERROR", "FAILED", message=message, internal=True),
        "start_time": start_ms,
        "end_time": end_ms,
        duration: end_ms - start_ms,
    }
