"""Who becomes champion: one winner, and a champion at every moment, whoever is killed."""

from __future__ import annotations

import dataclasses
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from laketop.errors import LaketopError
from laketop.ml import NotFound, Superseded
from laketop.ml.approvals import approver, wait_for_approval
from laketop.ml.promotion import (
    challenge_in,
    promote_in,
    record_promotion,
    roll_back_in,
    settle_in,
    start_over_in,
    version_of,
)
from laketop.ml.promotion_log import DONE, PROMOTING, ROLLING_BACK, STARTING_OVER, Decision


class Killed(BaseException):
    """What `kill -9` is to a process, here to a thread of control: nothing catches it."""


class Steps:
    """Counts the writes, and kills the one that is wanted."""

    def __init__(self, kill_at: int = -1) -> None:
        self.left = kill_at

    def take(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


class Registry:
    """The aliases and tags of one model, as MlflowClient gives them."""

    def __init__(self, **aliases: str) -> None:
        self.aliases = dict(aliases)
        self.tags: dict[str, str] = {}
        self.steps = Steps()
        self.had_champion = [self.aliases.get("champion")]

    def get_model_version(self, name: str, version: str) -> SimpleNamespace:
        del name, version
        return SimpleNamespace(user_id="ann", tags=self.tags)

    def get_model_version_by_alias(self, name: str, alias: str) -> SimpleNamespace:
        del name
        if alias not in self.aliases:
            raise MlflowException("no such alias", error_code=RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(version=self.aliases[alias])

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        del name
        self.steps.take()
        self.aliases[alias] = version
        self.had_champion.append(self.aliases.get("champion"))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        del name
        self.steps.take()
        if self.aliases.pop(alias, None) is None:
            raise MlflowException("no such alias", error_code=RESOURCE_DOES_NOT_EXIST)
        self.had_champion.append(self.aliases.get("champion"))


class Memory:
    """The log in a dictionary, whose one lock is what Delta's conflict check is to a table."""

    def __init__(self) -> None:
        self.rows: dict[int, Decision] = {}
        self.others: list[Decision] = []
        self.steps = Steps()
        self._writing = threading.Lock()

    def newest(self, model: str) -> Decision | None:
        del model
        return self.rows[max(self.rows)] if self.rows else None

    def claim(self, decision: Decision) -> bool:
        self.steps.take()
        assert decision.number is not None
        with self._writing:
            return self.rows.setdefault(decision.number, decision) is decision

    def finish(self, decision: Decision) -> None:
        self.steps.take()
        assert decision.number is not None
        with self._writing:
            done = dataclasses.replace(decision, outcome=DONE[decision.outcome])
            self.rows[decision.number] = done

    def add(self, decision: Decision) -> None:
        self.others.append(decision)


def promotion(version: str, against: str | None) -> Decision:
    return Decision(model="m", version=version, outcome=PROMOTING, previous=against)


def rollback() -> Decision:
    return Decision(model="m", version="", outcome=ROLLING_BACK)


def client(registry: Registry) -> Any:
    return registry


def test_the_first_champion_has_no_previous() -> None:
    registry, log = Registry(challenger="1"), Memory()
    done = promote_in(log, client(registry), promotion("1", None))
    assert (done.outcome, done.previous, done.number) == ("promoted", None, 1)
    assert registry.aliases == {"champion": "1"}


def test_the_old_champion_becomes_previous() -> None:
    registry, log = Registry(challenger="2", champion="1"), Memory()
    assert promote_in(log, client(registry), promotion("2", "1")).previous == "1"
    assert registry.aliases == {"champion": "2", "previous": "1"}
    assert None not in registry.had_champion


def test_promoting_twice_is_promoting_once() -> None:
    registry, log = Registry(challenger="2", champion="1"), Memory()
    first, second = (promote_in(log, client(registry), promotion("2", "1")) for _ in range(2))
    assert first.promotion == second.promotion
    assert registry.aliases == {"champion": "2", "previous": "1"}
    assert len(log.rows) == 1


def test_a_version_compared_with_an_old_champion_is_not_promoted() -> None:
    registry, log = Registry(champion="2"), Memory()
    with pytest.raises(Superseded, match=r"compared with version '1', and now it is version '2'"):
        promote_in(log, client(registry), promotion("3", "1"))
    with pytest.raises(Superseded, match="no champion"):
        promote_in(log, client(registry), promotion("3", None))
    assert registry.aliases == {"champion": "2"}
    assert not log.rows


def test_a_champion_whose_alias_vanished_meanwhile_is_told_and_nothing_moves() -> None:
    registry, log = Registry(challenger="3", champion="2"), Memory()
    del registry.aliases["champion"]
    with pytest.raises(Superseded, match=r"compared with version '2', and now there is none"):
        promote_in(log, client(registry), promotion("3", "2"))
    assert registry.aliases == {"challenger": "3"}
    assert not log.rows


def test_rolling_back_undoes_a_promotion() -> None:
    registry, log = Registry(challenger="2", champion="1"), Memory()
    promote_in(log, client(registry), promotion("2", "1"))
    done = roll_back_in(log, client(registry), rollback())
    assert (done.outcome, done.version, done.previous) == ("rolled back", "1", "2")
    assert registry.aliases == {"champion": "1"}
    assert None not in registry.had_champion


def test_rolling_back_without_a_previous_version_is_not_found() -> None:
    with pytest.raises(NotFound, match="previous version"):
        roll_back_in(Memory(), client(Registry(champion="1")), rollback())


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("where", ["registry", "log"])
def test_killed_at_any_step_there_is_a_champion_and_the_next_call_completes_the_record(
    where: str, step: int
) -> None:
    registry, log = Registry(challenger="2", champion="1"), Memory()
    killed = registry if where == "registry" else log
    killed.steps = Steps(step)
    was_killed = False
    try:
        promote_in(log, client(registry), promotion("2", "1"))
    except Killed:
        was_killed = True
    assert was_killed == (step < {"registry": 3, "log": 2}[where])
    assert registry.aliases["champion"] in {"1", "2"}
    assert None not in registry.had_champion
    registry.steps = log.steps = Steps()
    settle_in(log, client(registry), "m")
    if log.rows:
        assert [row.outcome for row in log.rows.values()] == ["promoted"]
        assert registry.aliases == {"champion": "2", "previous": "1"}
    else:
        assert registry.aliases == {"champion": "1", "challenger": "2"}


@pytest.mark.parametrize("step", range(2))
def test_killed_while_rolling_back_there_is_a_champion_and_the_next_call_completes_it(
    step: int,
) -> None:
    registry, log = Registry(challenger="2", champion="1"), Memory()
    promote_in(log, client(registry), promotion("2", "1"))
    registry.steps = Steps(step)
    with pytest.raises(Killed):
        roll_back_in(log, client(registry), rollback())
    registry.steps = Steps()
    settle_in(log, client(registry), "m")
    assert registry.aliases == {"champion": "1"}
    assert log.rows[2].outcome == "rolled back"
    assert None not in registry.had_champion


def test_of_eight_at_once_one_is_promoted() -> None:
    registry, log = Registry(champion="1"), Memory()
    together, lost = threading.Barrier(8), []

    def act(version: str) -> None:
        together.wait()
        try:
            promote_in(log, client(registry), promotion(version, "1"))
        except Superseded:
            lost.append(version)

    threads = [threading.Thread(target=act, args=(str(n),)) for n in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    assert list(log.rows) == [1]
    assert registry.aliases == {"champion": log.rows[1].version, "previous": "1"}


def test_a_slow_promotion_does_not_undo_the_one_after_it() -> None:
    registry, log = Registry(champion="1"), Memory()
    registry.steps = Steps(0)  # stopped after it has taken its number
    with pytest.raises(Killed):
        promote_in(log, client(registry), promotion("2", "1"))
    registry.steps = Steps()
    slow = log.newest("m")
    assert slow is not None
    settle_in(log, client(registry), "m")
    promote_in(log, client(registry), promotion("3", "2"))
    from laketop.ml.promotion import _complete

    _complete(log, client(registry), slow)  # it wakes up
    assert registry.aliases["champion"] == "3"
    assert registry.aliases["previous"] == "2"


def test_a_challenger_is_an_alias_and_a_row() -> None:
    registry, log = Registry(challenger="2"), Memory()
    challenge_in(log, client(registry), Decision(model="m", version="3", outcome="challenger"))
    assert version_of(client(registry), "m", "challenger") == "3"
    assert version_of(client(registry), "m", "champion") is None
    assert [(one.version, one.previous) for one in log.others] == [("3", "2")]
    assert log.rows == {}


def start_over() -> Decision:
    return Decision(model="m", version="", outcome=STARTING_OVER)


def test_starting_over_takes_the_aliases_away_and_is_a_row() -> None:
    registry, log = Registry(champion="1", previous="0", challenger="2"), Memory()
    done = start_over_in(log, client(registry), start_over())
    assert done is not None
    assert (done.outcome, done.previous, done.number) == ("started over", "1", 1)
    assert registry.aliases == {}
    assert start_over_in(log, client(registry), start_over()) is None
    assert list(log.rows) == [1]
    assert promote_in(log, client(registry), promotion("3", None)).number == 2
    assert registry.aliases == {"champion": "3"}


@pytest.mark.parametrize("steps", range(5))
def test_starting_over_that_was_killed_is_completed_and_leaves_the_next_challenger(
    steps: int,
) -> None:
    registry, log = Registry(champion="1", previous="0", challenger="2"), Memory()
    registry.steps = log.steps = Steps(steps)
    with pytest.raises(Killed):
        start_over_in(log, client(registry), start_over())
    registry.steps = log.steps = Steps()
    challenge_in(log, client(registry), Decision(model="m", version="3", outcome="challenger"))
    settle_in(log, client(registry), "m")
    assert registry.aliases.pop("challenger") == "3"
    assert registry.aliases == ({} if log.rows else {"champion": "1", "previous": "0"})


def test_a_move_of_aliases_is_recorded_by_the_move_alone() -> None:
    nowhere: Any = None
    with pytest.raises(ValueError, match="recorded by the move"):
        record_promotion(nowhere, "c.s", model="m", version="1", outcome="promoted")


@pytest.mark.parametrize(("who", "why"), [("", "nobody"), ("Ann ", "is the author")])
def test_nobody_and_the_author_do_not_approve(who: str, why: str) -> None:
    with pytest.raises(LaketopError, match=why):
        approver(who, author="ann", model="m", version="1")


def test_waiting_for_an_approval_ends_with_it_or_says_that_nobody_came() -> None:
    registry = Registry()
    with pytest.raises(LaketopError, match=r"nobody has approved version '1'"):
        wait_for_approval(client(registry), model="m", version="1", timeout_seconds=0)
    registry.tags = {"approved_by": "bea"}
    assert wait_for_approval(client(registry), model="m", version="1", timeout_seconds=0) == "bea"
