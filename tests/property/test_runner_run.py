"""Random jobs, played in random order: they end as a small model of the Jobs API says.

The model knows nothing of how a run is carried out: it maps a job, and what each attempt
would answer, to the results. It was written from sections 1 to 3 and 6, not from the code.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.errors import ConfigError
from laketop.runner.attempt import Attempt
from laketop.runner.context import Outcome
from laketop.runner.graph import Graph
from laketop.runner.repair import Wish, chosen
from laketop.runner.run import JobRun, Repair, RunRequest, settle

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

thorough = settings(max_examples=max(500, settings().max_examples), deadline=None)
lighter = settings(max_examples=max(150, settings().max_examples), deadline=None)

# ---- the model ------------------------------------------------------------------------------

F_WORDS = ("FAILED", "TIMEDOUT", "UPSTREAM_FAILED")
C_WORDS = ("CANCELED", "UPSTREAM_CANCELED")


@dataclasses.dataclass(frozen=True)
class Step:
    """A task of the model; its parents come earlier in the job."""

    key: str
    parents: tuple[tuple[str, str | None], ...]
    run_if: str
    is_condition: bool
    is_disabled: bool
    answers: tuple[str, ...]
    """What its attempts answer, then SUCCESS."""
    says: bool
    """The outcome, if it is a condition."""
    max_retries: int
    retry_on_timeout: bool
    interval_ms: int


def plays(step: Step) -> list[str]:
    """Return the results of the attempts of a task that runs."""
    played: list[str] = []
    for answer in itertools.chain(step.answers, itertools.repeat("SUCCESS")):
        played.append(answer)
        again = answer == "FAILED" or (answer == "TIMEDOUT" and step.retry_on_timeout)
        allowed = step.max_retries == -1 or len(played) <= step.max_retries
        if step.is_condition or not again or not allowed:
            break
    return played


def seen_along(edge: tuple[str, str | None], steps: dict[str, Step], ended: dict[str, str]) -> str:
    """Return how a parent looks to one child: the branch not taken is EXCLUDED."""
    key, wanted = edge
    taken = {True: "true", False: "false"}[steps[key].says]
    not_taken = ended[key] == "SUCCESS" and wanted not in {None, taken}
    return "EXCLUDED" if not_taken else ended[key]


def fate(step: Step, parents: list[str]) -> str:
    """Return R for a task that runs, or the result it gets without running."""
    off = parents.count("DISABLED")
    left = [parent for parent in parents if parent != "DISABLED"]
    failed = sum(parent in F_WORDS for parent in left)
    bad = failed + sum(parent in C_WORDS for parent in left)
    good = len(left) - bad
    if step.is_disabled:
        return "DISABLED"
    if off and step.run_if in {"ALL_SUCCESS", "ALL_FAILED"}:
        return "DISABLED"
    if off and not left and step.run_if != "ALL_DONE":
        return "DISABLED"
    if not left:
        return "R"
    if left.count("EXCLUDED") == len(left):
        return "EXCLUDED"
    upstream = "UPSTREAM_FAILED" if failed else "UPSTREAM_CANCELED"
    return {
        "ALL_SUCCESS": "R" if bad == 0 else upstream,
        "AT_LEAST_ONE_SUCCESS": "R" if good >= 1 else upstream,
        "NONE_FAILED": "R" if bad == 0 else upstream,
        "ALL_DONE": "R",
        "AT_LEAST_ONE_FAILED": "R" if bad >= 1 else "EXCLUDED",
        "ALL_FAILED": "R" if good == 0 else "EXCLUDED",
    }[step.run_if]


def expected_tasks(steps: list[Step], canceled: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the results of the attempts of each task; a canceled one has that last."""
    by_key = {step.key: step for step in steps}
    ended: dict[str, str] = {}
    attempts: dict[str, list[str]] = {}
    for step in steps:
        word = fate(step, [seen_along(edge, by_key, ended) for edge in step.parents])
        attempts[step.key] = plays(step) if word == "R" else [word]
        if step.key in canceled:
            attempts[step.key] = ["CANCELED"]
        ended[step.key] = attempts[step.key][-1]
    return attempts


def expected_repair(
    steps: list[Step], before: dict[str, list[str]], again: set[str]
) -> dict[str, list[str]]:
    """Return the results of all attempts once the tasks `again` of an ended run ran again.

    Then everything answers SUCCESS at once. What is switched off stays so, wherever it is asked
    for.
    """
    by_key = {step.key: step for step in steps}
    ended: dict[str, str] = {}
    attempts: dict[str, list[str]] = {}
    for step in steps:
        attempts[step.key] = list(before[step.key])
        if step.key in again:
            word = fate(step, [seen_along(edge, by_key, ended) for edge in step.parents])
            attempts[step.key].append("SUCCESS" if word == "R" else word)
        ended[step.key] = attempts[step.key][-1]
    return attempts


def expected_run(steps: list[Step], ended: dict[str, str]) -> str:
    """Return the result of the run whose tasks have ended so."""
    on = [step for step in steps if ended[step.key] != "DISABLED"]
    inner = {parent for step in on for parent, _ in step.parents}
    leaves = [ended[step.key] for step in on if step.key not in inner]
    if not on:
        return "DISABLED"
    if any(leaf in F_WORDS for leaf in leaves):
        return "FAILED"
    if any(leaf in C_WORDS for leaf in leaves):
        return "CANCELED"
    if any(word in F_WORDS + C_WORDS for word in ended.values()):
        return "SUCCESS_WITH_FAILURES"
    return "SUCCESS"


# ---- jobs, and the hands that play them -----------------------------------------------------

RUN_IF = [
    "ALL_SUCCESS",
    "ALL_DONE",
    "NONE_FAILED",
    "AT_LEAST_ONE_SUCCESS",
    "AT_LEAST_ONE_FAILED",
    "ALL_FAILED",
]
seldom = st.integers(0, 7).map(lambda number: number == 7)


@st.composite
def jobs(draw: st.DrawFn) -> list[Step]:
    """Draw a job of up to nine tasks."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 9))):
        parents = draw(st.lists(st.sampled_from(steps), max_size=3, unique=True)) if steps else []
        edges = tuple(
            (
                step.key,
                draw(st.sampled_from([None, "true", "false"])) if step.is_condition else None,
            )
            for step in parents
        )
        answers = st.lists(
            st.sampled_from(["SUCCESS", "FAILED", "FAILED", "TIMEDOUT", "CANCELED"]), max_size=4
        )
        steps.append(
            Step(
                key=f"t{number}",
                parents=edges,
                run_if=draw(st.sampled_from(RUN_IF)),
                is_condition=draw(seldom),
                is_disabled=draw(seldom),
                answers=tuple(draw(answers)),
                says=draw(st.booleans()),
                max_retries=draw(st.integers(-1, 3)),
                retry_on_timeout=draw(st.booleans()),
                interval_ms=draw(st.sampled_from([0, 0, 40, 1_500])),
            )
        )
    return steps


def settings_of(step: Step) -> dict[str, Any]:
    """Return a task of the model as the Jobs API has it; a second is its timeout."""
    return {
        "task_key": step.key,
        "depends_on": [
            {"task_key": key, **({"outcome": outcome} if outcome else {})}
            for key, outcome in step.parents
        ],
        "run_if": step.run_if,
        "disabled": step.is_disabled,
        "max_retries": step.max_retries,
        "retry_on_timeout": step.retry_on_timeout,
        "min_retry_interval_millis": step.interval_ms,
        "timeout_seconds": 1,
        "condition_task" if step.is_condition else "notebook_task": {},
    }


class Hands:
    """Plays a job in random order. Nothing that it does takes longer than its timeout by itself."""

    def __init__(self, steps: list[Step], chance: random.Random) -> None:
        self.steps = {step.key: step for step in steps}
        self.chance = chance
        self.now = 1_000
        tasks = [settings_of(step) for step in steps]
        chance.shuffle(tasks)
        request = RunRequest(job_id=7, run_id=1, created_ms=self.now)
        self.settings = {"tasks": tasks}
        self.request = request
        self.ids = itertools.count(2)
        self.run = JobRun(self.settings, request, self.ids.__next__)
        self.running: dict[int, tuple[str, str]] = {}

    def tasks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the attempts of each task, as the snapshot has them."""
        found: dict[str, list[dict[str, Any]]] = {key: [] for key in self.steps}
        for item in self.run.snapshot()["tasks"]:
            found[item["task_key"]].append(item)
        return found

    def step(self) -> None:
        """Do one of the things that can be done."""
        self.run.advance(self.now)
        startable = self.run.startable()
        if startable and self.chance.random() < 0.6:
            attempt = self.chance.choice(startable)
            step = self.steps[attempt.key]
            answers = (*step.answers, *["SUCCESS"] * (attempt.retry + 1))
            self.running[attempt.run_id] = (attempt.key, answers[attempt.retry])
            self.run.task_started(attempt.run_id, self.now)
        elif self.running:
            task_run_id = self.chance.choice(list(self.running))
            self.finish(task_run_id, *self.running.pop(task_run_id))
        elif not startable:
            due_ms = self.run.due_ms()
            self.now = max(self.now, due_ms or 0)
        self.run.advance(self.now)

    def finish(self, task_run_id: int, key: str, answer: str) -> None:
        """Let a running attempt answer; out of time by the clock, or by its own word."""
        if answer == "TIMEDOUT" and not self.run.stopping() and len(self.running) == 0:
            self.now += 1_000
            self.run.advance(self.now)
            assert [attempt.run_id for attempt in self.run.stopping()] == [task_run_id]
            answer = "SUCCESS"
        outcome = Outcome(answer, condition=self.steps[key].says)
        self.run.task_finished(task_run_id, outcome, self.now)

    def repair(self, again: set[str]) -> None:
        """Let the tasks `again` of the ended run run once more, each with success."""
        snapshot = self.run.snapshot()
        past: dict[str, list[Attempt]] = {}
        for item in json.loads(json.dumps(snapshot["tasks"])):
            past.setdefault(item["task_key"], []).append(Attempt.restored(item, {}))
        repair = Repair(
            begin_ms=self.now, start_ms=snapshot["start_time"], past=past, tasks=again, count=1
        )
        self.run = JobRun(self.settings, self.request, self.ids.__next__, repair)
        self.steps = {
            key: dataclasses.replace(step, answers=()) for key, step in self.steps.items()
        }

    def stop_the_rest(self) -> None:
        """Let everything end that has been told to stop."""
        for attempt in self.run.stopping():
            self.running.pop(attempt.run_id, None)
            self.run.task_finished(attempt.run_id, Outcome("SUCCESS"), self.now)
        self.run.advance(self.now)


def play_to_the_end(hands: Hands) -> None:
    """Let the run go on until it has ended."""
    while not hands.run.is_final:
        hands.step()


def words(items: Iterable[dict[str, Any]]) -> list[str]:
    """Return the results of final attempts."""
    return [item["state"]["result_state"] for item in items]


@thorough
@given(jobs(), st.randoms(use_true_random=False))
def test_a_job_ends_as_the_model_says(steps: list[Step], chance: random.Random) -> None:
    hands = Hands(steps, chance)
    while not hands.run.is_final:
        hands.step()
    expected = expected_tasks(steps)
    assert {key: words(items) for key, items in hands.tasks().items()} == expected
    ended = {key: attempts[-1] for key, attempts in expected.items()}
    assert hands.run.result == expected_run(steps, ended)
    failed = hands.run.result == "FAILED"
    life_cycle = hands.run.snapshot()["state"]["life_cycle_state"]
    assert (life_cycle == "INTERNAL_ERROR") is failed


@lighter
@given(jobs(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_canceled_tasks_spread_as_the_model_says(
    steps: list[Step], chance: random.Random, after: int
) -> None:
    hands = Hands(steps, chance)
    canceled: set[str] = set()
    for _ in range(after):
        hands.step()
    if not hands.run.is_final:
        key, attempts = chance.choice(list(hands.tasks().items()))
        if "result_state" not in attempts[-1]["state"]:
            canceled.add(key)
        hands.run.cancel(hands.now, attempts[-1]["run_id"])
        hands.stop_the_rest()
    while not hands.run.is_final:
        hands.step()
    expected = {key: each[-1] for key, each in expected_tasks(steps, canceled).items()}
    assert {key: words(items)[-1] for key, items in hands.tasks().items()} == expected
    assert hands.run.result == expected_run(steps, expected)


@thorough
@given(jobs(), st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_a_repaired_run_ends_as_the_model_says(
    steps: list[Step], chance: random.Random, all_failed: bool, dependents: bool
) -> None:
    hands = Hands(steps, chance)
    play_to_the_end(hands)
    before = {key: words(items) for key, items in hands.tasks().items()}
    shown = hands.run.snapshot()["tasks"]
    named = chance.sample(sorted(before), chance.randint(1, len(before)))
    again = {key for key in before if before[key][-1] in F_WORDS + C_WORDS}
    again = again if all_failed else set(named)
    for step in steps if dependents else ():
        if any(parent in again for parent, _ in step.parents):
            again.add(step.key)
    wish = Wish(tasks=() if all_failed else named, all_failed=all_failed, dependents=dependents)
    ended = {key: each[-1] for key, each in before.items()}
    if not again:
        with pytest.raises(ConfigError):
            chosen(wish, Graph.of(hands.settings["tasks"]), ended)
        return
    assert chosen(wish, Graph.of(hands.settings["tasks"]), ended) == again
    hands.repair(again)
    play_to_the_end(hands)
    expected = expected_repair(steps, before, again)
    assert {key: words(items) for key, items in hands.tasks().items()} == expected
    ended = {key: each[-1] for key, each in expected.items()}
    assert hands.run.result == expected_run(steps, ended)
    assert all(item in hands.run.snapshot()["tasks"] for item in shown)


@lighter
@given(jobs(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_canceled_run_keeps_what_has_ended_and_ends_the_rest(
    steps: list[Step], chance: random.Random, after: int
) -> None:
    hands = Hands(steps, chance)
    for _ in range(after):
        hands.step()
    was_final = hands.run.is_final
    before = {item["run_id"]: item for item in hands.run.snapshot()["tasks"]}
    hands.run.cancel(hands.now)
    hands.stop_the_rest()
    assert hands.run.is_final
    assert hands.run.startable() == hands.run.stopping() == []
    for item in hands.run.snapshot()["tasks"]:
        was = before[item["run_id"]]
        if was["state"].get("result_state"):
            assert item == was
        else:
            assert words([item])[0] in C_WORDS
    assert was_final or hands.run.result == "CANCELED"


@lighter
@given(jobs(), st.randoms(use_true_random=False))
def test_on_its_way_a_run_keeps_its_promises(steps: list[Step], chance: random.Random) -> None:
    hands = Hands(steps, chance)
    while not hands.run.is_final:
        before, changes = hands.run.snapshot(), hands.run.changes
        hands.step()
        after = hands.run.snapshot()
        assert (before == after) or hands.run.changes > changes
        for key, attempts in hands.tasks().items():
            assert [each["attempt_number"] for each in attempts] == list(range(len(attempts)))
            for earlier, later in itertools.pairwise(attempts):
                assert earlier["state"]["result_state"] in {"FAILED", "TIMEDOUT"}
                wait_ms = hands.steps[key].interval_ms
                if later["start_time"]:
                    assert later["start_time"] >= earlier["start_time"] + wait_ms
            if attempts[-1]["state"]["life_cycle_state"] == "RUNNING":
                for parent, _ in hands.steps[key].parents:
                    assert hands.tasks()[parent][-1]["state"].get("result_state")


@lighter
@given(jobs(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_a_run_that_is_settled_is_final_in_every_part(
    steps: list[Step], chance: random.Random, after: int
) -> None:
    hands = Hands(steps, chance)
    for _ in range(after):
        hands.step()
    snapshot = hands.run.snapshot()
    settled = settle(snapshot, now_ms=hands.now + 5)
    for was, item in zip([snapshot, *snapshot["tasks"]], [settled, *settled["tasks"]], strict=True):
        if was["state"].get("result_state"):
            assert item["state"] == was["state"]
        else:
            assert item["state"]["life_cycle_state"] == "INTERNAL_ERROR"
            assert item["end_time"] >= item["start_time"] > 0
