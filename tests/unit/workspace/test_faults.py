"""Which request a rule of faults befalls, and what a rule cannot say."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.faults import Fault, Faults

ASKED = "GET", "/api/2.2/jobs/get"


@pytest.mark.parametrize(
    ("request_", "is_met"),
    [
        ("GET /api/2.2/jobs/get", True),
        ("* /api/2.2/jobs/get", True),
        ("GET /api/2.2/jobs/*", True),
        ("* /*", True),
        ("POST /api/2.2/jobs/get", False),
        ("GET /api/2.2/jobs", False),
        ("GET /api/2.2/jobs/get/more", False),
    ],
)
def test_a_rule_means_a_method_and_a_path_or_what_begins_with_it(
    request_: str, is_met: bool
) -> None:
    assert Fault(request=request_).meets(*ASKED) is is_met


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"request": "/api"}, "METHOD /path"),
        ({"request": "GET /a*b"}, "METHOD /path"),
        ({"status": 200}, "400 to 599"),
        ({"body": {}}, "needs a status"),
        ({"status": 500, "lost": True}, "do not mix"),
        ({"skip": -1}, "skip is 0"),
        ({"times": 0}, "times is 1"),
        ({"delay_seconds": 1e9}, "delay_seconds"),
        ({"delay_seconds": float("nan")}, "delay_seconds"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(fields: dict[str, Any], because: str) -> None:
    with pytest.raises(InvalidParameterValue, match=because):
        Fault(**{"request": "GET /", "status": None, **fields})


def test_rules_are_of_one_token_and_end_with_it() -> None:
    faults = Faults()
    faults.add("mine", Fault(request="* /*", status=503, times=9))
    assert faults.met("other", *ASKED) is None
    assert faults.met("mine", *ASKED) is not None
    assert faults.of("other") == []
    faults.clear("mine")
    assert faults.met("mine", *ASKED) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=4), st.integers(0, 12))
def test_each_rule_skips_its_first_and_meets_its_times_in_the_order_of_the_rules(
    rules: list[tuple[int, int]], asked: int
) -> None:
    faults = Faults()
    for number, (skip, times) in enumerate(rules):
        faults.add("t", Fault(request="* /*", status=400 + number, skip=skip, times=times))
    met = [found and found.status for found in (faults.met("t", *ASKED) for _ in range(asked))]
    # A request that a rule skips goes on to the next one, which counts it too.
    left, expected = [[skip, times] for skip, times in rules], []
    for _ in range(asked):
        answer = None
        for number, rule in enumerate(left):
            if rule[0]:
                rule[0] -= 1
            elif rule[1]:
                rule[1] -= 1
                answer = 400 + number
                break
        expected.append(answer)
    assert met == expected
