"""A search under a budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from laketop.ml import Budget, search

if TYPE_CHECKING:
    import optuna


def space(trial: optuna.Trial) -> dict[str, float]:
    return {"x": trial.suggest_float("x", -5, 5)}


def far_from_two(parameters: Mapping[str, Any]) -> float:
    return float((parameters["x"] - 2) ** 2)


def test_it_finds_what_is_better_than_where_it_began() -> None:
    found = search(far_from_two, space, budget=Budget(trials=30), first={"x": -5.0})
    assert found.tried[0] == 49
    assert found.value == min(found.tried) < 1
    assert far_from_two(found.parameters) == found.value


def test_it_never_returns_anything_worse_than_the_first() -> None:
    found = search(far_from_two, space, budget=Budget(trials=3), first={"x": 2.0})
    assert found.parameters == {"x": 2.0}


def test_the_same_seed_tries_the_same() -> None:
    once, again, other = (
        search(far_from_two, space, budget=Budget(trials=5), seed=seed).tried for seed in (1, 1, 2)
    )
    assert once == again != other


def test_time_that_is_up_ends_it_after_the_trial_that_runs() -> None:
    found = search(far_from_two, space, budget=Budget(trials=50, seconds=1e-9))
    assert len(found.tried) == 1


def test_trials_that_come_to_no_number_are_passed_over() -> None:
    values = iter([float("nan"), 3.0, float("nan")])
    found = search(lambda _: next(values), space, budget=Budget(trials=3))
    assert found.value == 3
    with pytest.raises(ValueError, match="none of 2 trials"):
        search(lambda _: float("nan"), space, budget=Budget(trials=2))


@pytest.mark.parametrize(("trials", "seconds"), [(0, 1.0), (1, 0.0)])
def test_a_budget_of_nothing_is_an_error(trials: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="tries nothing"):
        Budget(trials=trials, seconds=seconds)
