"""An experiment is settled before the first look."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from laketop.ml.experiments import Experiment, proportion_spread

PLAN = Experiment(
    name="fewer late gates",
    hypothesis="the retrained model has a lower squared error",
    metric="1 - squared error",
    minimum_effect=0.03,
    spread=proportion_spread(0.2),
    started_at=datetime(2013, 7, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        ({"hypothesis": " "}, "a hypothesis"),
        ({"minimum_effect": 0}, "a minimum effect above 0"),
        ({"spread": 0}, "a spread above 0"),
        ({"share": 1}, "a share between 0 and 1"),
        ({"power": 0.01}, "a power between alpha and 1"),
        ({"looks": 0}, "one look at least"),
        ({"novelty_hours": -1}, "no negative novelty window"),
        ({"started_at": datetime(2013, 7, 1)}, "a start with a time zone"),  # noqa: DTZ001
    ],
)
def test_what_makes_no_experiment_is_told(changed: dict[str, Any], needs: str) -> None:
    with pytest.raises(ValueError, match=needs):
        dataclasses.replace(PLAN, **changed)


def test_smaller_effects_more_power_and_uneven_arms_need_more_keys() -> None:
    keys = PLAN.sample_size()
    assert dataclasses.replace(PLAN, minimum_effect=0.015).sample_size() == pytest.approx(
        4 * keys, rel=0.001
    )
    assert dataclasses.replace(PLAN, power=0.95).sample_size() > keys
    assert dataclasses.replace(PLAN, share=0.1).sample_size() > 2 * keys


def test_a_key_stays_in_its_arm_and_shares_are_kept() -> None:
    arms = [PLAN.arm_of(str(key)) for key in range(10_000)]
    assert arms == [PLAN.arm_of(str(key)) for key in range(10_000)]
    assert 4800 < arms.count("treatment") < 5200
    few = dataclasses.replace(PLAN, share=0.1)
    assert 900 < sum(few.arm_of(str(key)) == "treatment" for key in range(10_000)) < 1100


def test_another_experiment_splits_otherwise() -> None:
    other = dataclasses.replace(PLAN, name="another")
    same = sum(PLAN.arm_of(str(key)) == other.arm_of(str(key)) for key in range(10_000))
    assert 4800 < same < 5200


def test_rows_count_after_the_novelty_window() -> None:
    waiting = dataclasses.replace(PLAN, novelty_hours=36)
    assert waiting.counts_from == datetime(2013, 7, 2, 12, tzinfo=UTC)
