"""The plan of an experiment is settled before its first look."""

from __future__ import annotations

from datetime import UTC, datetime

from flights.experiment import planned
from flights.parameters import Parameters


def test_the_plan_names_both_versions_and_can_be_met_by_a_month_of_new_york() -> None:
    plan = planned(Parameters(), {"control": "1", "treatment": "2"}, "2013-07")
    assert plan.name == "dev.flights.delay 2 against 1 in 2013-07"
    assert plan.started_at == datetime(2013, 7, 1, tzinfo=UTC)
    assert 10_000 < plan.sample_size() < 29_000
