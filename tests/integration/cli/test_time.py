"""The clock, backfills and chaos from the command line, on a job with a schedule."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from tests.integration.cli.conftest import Laketop


@pytest.fixture
def at_its_own_time(laketop: Laketop) -> Iterator[None]:
    yield
    said = laketop("clock", "set", "real")
    assert said.code == 0, said.err


@pytest.mark.usefixtures("at_its_own_time")
def test_a_schedule_fires_where_it_is_not_paused_and_knows_its_day(laketop: Laketop) -> None:
    assert laketop("clock", "set", "2040-03-10T12:00", "--json").code == 0
    assert laketop("deploy").code == 0  # in development: paused
    assert laketop("deploy", "-t", "prod").code == 0
    told = json.loads(laketop("clock", "show", "--json").out)
    assert [due["name"] for due in told["coming"]] == ["nightly"]
    # In the night to the 11th New York goes from 2:00 to 3:00, and the job an hour later.
    skipped = dt.datetime(2040, 3, 11, 7, 30, tzinfo=dt.UTC)
    assert told["coming"][0]["due_ms"] == skipped.timestamp() * 1000
    for move in (("advance", "1d"), ("run", "1")):
        said = laketop("clock", *move, "--json")
        assert said.code == 0, said.err
        assert json.loads(said.out)["last_move"]["results"] == {"SUCCESS": 1}
    assert "2040-03-1" in laketop("clock").err
    printed = laketop("logs", "last", "--task", "then").out
    assert "2040-03-12" in printed


def test_a_clock_that_cannot_be_moved_so_says_why(laketop: Laketop) -> None:
    for arguments, why in (
        (("advance", "soon"), "no span of time"),
        (("set",), "no time"),
        (("run", "x"), "no number of firings"),
        (("show", "x"), "takes no 'x'"),
        (("leap",), "invalid choice"),
    ):
        said = laketop("clock", *arguments)
        assert said.code == 2
        assert why in said.err


def test_a_backfill_runs_the_job_for_each_past_day(laketop: Laketop) -> None:
    said = laketop(
        "backfill",
        "nightly",
        "--from",
        "2013-01-01",
        "--to",
        "2013-01-02",
        "--every",
        "1d",
        "--json",
    )
    assert said.code == 0, said.err
    assert "2 SUCCESS" in said.err
    made = json.loads(said.out)
    assert [each["result"] for each in made] == ["SUCCESS", "SUCCESS"]
    printed = laketop("logs", str(made[1]["run_id"]), "--task", "then").out
    assert "2013-01-02" in printed


def test_chaos_says_what_it_did_and_retries_cope(laketop: Laketop) -> None:
    told = [laketop("run", "nightly", "--chaos", "seed=7") for _ in range(2)]
    assert [said.code for said in told] == [0, 0], told[0].err
    did = [[line for line in said.err.splitlines() if "chaos with" in line] for said in told]
    assert did[0] == did[1]
    assert len(did[0]) > 1
    assert "made one run" in did[0][0]
    assert laketop("run", "nightly", "--chaos", "7").code == 2
