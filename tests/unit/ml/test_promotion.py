"""Who becomes champion, and what a decision is made of."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from laketop.ml import GateFailed, NotFound, Verdict, outcome, promote, require, roll_back
from laketop.ml.promotion import challenge, version_of


class Registry:
    """The aliases of one model, as MlflowClient gives them."""

    def __init__(self, **aliases: str) -> None:
        self.aliases = dict(aliases)
        self.had_champion = [self.aliases.get("champion")]

    def get_model_version_by_alias(self, name: str, alias: str) -> SimpleNamespace:
        del name
        if alias not in self.aliases:
            raise MlflowException("no such alias", error_code=RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(version=self.aliases[alias])

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        del name
        self.aliases[alias] = version
        self.had_champion.append(self.aliases.get("champion"))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        del name
        del self.aliases[alias]
        self.had_champion.append(self.aliases.get("champion"))


PASSED = Verdict(gate="a", passed=True)
FAILED = Verdict(gate="b", passed=False, measured=0.5, limit=0.6, reason="too low")
PENDING = Verdict(gate="c", passed=False, pending=True)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASSED], "approved"),
        ([PASSED, FAILED], "rejected"),
        ([PASSED, PENDING], "pending"),
        ([FAILED, PENDING], "rejected"),
    ],
)
def test_outcome(verdicts: list[Verdict], expected: str) -> None:
    assert outcome(verdicts) == expected


def test_no_verdict_decides_nothing() -> None:
    with pytest.raises(ValueError, match="no gate was asked"):
        outcome([])


def test_require_names_the_first_gate_that_did_not_pass() -> None:
    require([PASSED])
    with pytest.raises(GateFailed, match=r"gate 'b' measured 0\.5, the limit is 0\.6"):
        require([PASSED, FAILED, PENDING])


def test_the_first_champion_has_no_previous() -> None:
    registry = Registry(challenger="1")
    assert promote(registry, "m", "1") is None  # type: ignore[arg-type]  # the aliases are all
    assert registry.aliases == {"champion": "1"}


def test_the_old_champion_becomes_previous() -> None:
    registry = Registry(challenger="2", champion="1")
    assert promote(registry, "m", "2") == "1"  # type: ignore[arg-type]  # the aliases are all
    assert registry.aliases == {"champion": "2", "previous": "1"}
    assert None not in registry.had_champion


def test_promoting_twice_is_promoting_once() -> None:
    registry = Registry(challenger="2", champion="1")
    for _ in range(2):
        assert promote(registry, "m", "2") == "1"  # type: ignore[arg-type]  # the aliases are all
    assert registry.aliases == {"champion": "2", "previous": "1"}


def test_rolling_back_undoes_a_promotion() -> None:
    registry = Registry(challenger="2", champion="1")
    promote(registry, "m", "2")  # type: ignore[arg-type]  # the aliases are all
    assert roll_back(registry, "m") == "1"  # type: ignore[arg-type]  # the aliases are all
    assert registry.aliases == {"champion": "1"}
    assert None not in registry.had_champion


def test_rolling_back_without_a_previous_version_is_not_found() -> None:
    with pytest.raises(NotFound, match="previous version"):
        roll_back(Registry(champion="1"), "m")  # type: ignore[arg-type]  # the aliases are all


def test_a_challenger_is_an_alias() -> None:
    registry = Registry()
    challenge(registry, "m", "3")  # type: ignore[arg-type]  # the aliases are all
    assert version_of(registry, "m", "challenger") == "3"  # type: ignore[arg-type]  # as above
    assert version_of(registry, "m", "champion") is None  # type: ignore[arg-type]  # as above
