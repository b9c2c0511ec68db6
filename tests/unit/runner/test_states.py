"""The words of runs and tasks, and the tables that decide them, as the Jobs API has them."""

from __future__ import annotations

import pytest

from laketop.errors import ConfigError
from laketop.runner import states
from laketop.runner.states import both_spellings, decide, is_disabled_by, result_of_run

WORDS = {"R": "RUN", "UF": "UPSTREAM_FAILED", "UC": "UPSTREAM_CANCELED", "EX": "EXCLUDED"}
RULES = (
    "ALL_SUCCESS",
    "AT_LEAST_ONE_SUCCESS",
    "NONE_FAILED",
    "ALL_DONE",
    "AT_LEAST_ONE_FAILED",
    "ALL_FAILED",
)
TABLE = {
    ("SUCCESS", "SUCCESS"): "R R R R EX EX",
    ("SUCCESS", "FAILED"): "UF R UF R R EX",
    ("FAILED", "FAILED"): "UF UF UF R R R",
    ("SUCCESS", "EXCLUDED"): "R R R R EX EX",
    ("FAILED", "EXCLUDED"): "UF R UF R R EX",
    ("EXCLUDED", "EXCLUDED"): "EX EX EX EX EX EX",
    ("SUCCESS", "CANCELED"): "UC R UC R R EX",
    ("CANCELED", "CANCELED"): "UC UC UC R R R",
    ("FAILED", "CANCELED"): "UF UF UF R R R",
    (): "R R R R R R",
}
CELLS = [
    pytest.param(rule, parents, WORDS[cell], id=f"{rule}-{'+'.join(parents) or 'no parents'}")
    for parents, row in TABLE.items()
    for rule, cell in zip(RULES, row.split(), strict=True)
]


@pytest.mark.parametrize(("rule", "parents", "decision"), CELLS)
def test_run_if_decides_as_in_the_table(rule: str, parents: tuple[str, ...], decision: str) -> None:
    assert decide(rule, parents) == decision
    assert decide(rule, parents[::-1]) == decision


@pytest.mark.parametrize("bad", ["TIMEDOUT", "UPSTREAM_FAILED"])
@pytest.mark.parametrize("rule", RULES)
def test_a_parent_that_timed_out_or_was_skipped_for_a_failure_counts_as_failed(
    rule: str, bad: str
) -> None:
    assert decide(rule, ["SUCCESS", bad]) == decide(rule, ["SUCCESS", "FAILED"])


def test_a_run_if_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="'SOMETIMES'"):
        decide("SOMETIMES", ["SUCCESS"])


@pytest.mark.parametrize(
    ("rule", "disabled", "expected"),
    [
        ("ALL_SUCCESS", [True, False], True),
        ("ALL_FAILED", [True, False], True),
        ("ALL_DONE", [True, True], False),
        ("NONE_FAILED", [True, False], False),
        ("NONE_FAILED", [True, True], True),
        ("AT_LEAST_ONE_SUCCESS", [True], True),
        ("AT_LEAST_ONE_FAILED", [True, False], False),
        ("ALL_SUCCESS", [False], False),
        ("ALL_SUCCESS", [], False),
    ],
)
def test_a_disabled_parent_disables_where_no_other_can_satisfy(
    rule: str, disabled: list[bool], *, expected: bool
) -> None:
    assert is_disabled_by(rule, disabled) is expected


@pytest.mark.parametrize(
    ("leaves", "others", "result"),
    [
        (["SUCCESS"], ["SUCCESS"], "SUCCESS"),
        (["EXCLUDED", "SUCCESS"], [], "SUCCESS"),
        (["SUCCESS"], ["FAILED"], "SUCCESS_WITH_FAILURES"),
        (["SUCCESS"], ["CANCELED"], "SUCCESS_WITH_FAILURES"),
        (["SUCCESS", "FAILED"], [], "FAILED"),
        (["UPSTREAM_FAILED"], ["FAILED"], "FAILED"),
        (["TIMEDOUT"], [], "FAILED"),
        (["CANCELED", "SUCCESS"], [], "CANCELED"),
        (["UPSTREAM_CANCELED"], ["CANCELED"], "CANCELED"),
        (["CANCELED", "FAILED"], [], "FAILED"),
    ],
)
def test_the_result_of_a_run_is_that_of_its_leaves(
    leaves: list[str], others: list[str], result: str
) -> None:
    assert result_of_run(leaves, others) == result


@pytest.mark.parametrize("life_cycle", ["QUEUED", "PENDING", "BLOCKED", "RUNNING"])
def test_an_active_state_has_the_same_word_in_both_spellings(life_cycle: str) -> None:
    spelled = both_spellings(life_cycle)
    assert spelled["state"]["life_cycle_state"] == spelled["status"]["state"] == life_cycle
    assert "result_state" not in spelled["state"]
    assert "termination_details" not in spelled["status"]


@pytest.mark.parametrize("life_cycle", sorted(states.FINAL))
def test_every_final_state_is_terminated_in_the_new_spelling(life_cycle: str) -> None:
    spelled = both_spellings(life_cycle, "FAILED", message="why")
    assert spelled["state"]["result_state"] == "FAILED"
    assert spelled["status"] == {
        "state": "TERMINATED",
        "termination_details": {
            "code": "RUN_EXECUTION_ERROR",
            "type": "CLIENT_ERROR",
            "message": "why",
        },
    }


def test_a_terminating_state_says_why_but_has_no_result_yet() -> None:
    spelled = both_spellings("TERMINATING", "CANCELED")
    assert "result_state" not in spelled["state"]
    assert spelled["state"]["user_cancelled_or_timedout"]
    assert spelled["status"]["termination_details"]["code"] == "USER_CANCELED"


def test_waiting_for_retry_is_waiting_in_the_new_spelling() -> None:
    status = both_spellings("WAITING_FOR_RETRY")["status"]
    assert status == {"state": states.STATUS_WHILE_WAITING_FOR_RETRY}
