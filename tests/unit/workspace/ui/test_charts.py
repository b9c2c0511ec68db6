"""Figures over time, drawn."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.ui.charts import Bar, Line, bars, lines, nice_ticks, timeline


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0, 0.25, 0.5, 0.75, 1]),
        (0.61, 0.79, [0.6, 0.65, 0.7, 0.75, 0.8]),
        (0, 7, [0, 2, 4, 6, 8]),
    ],
)
def test_ticks_are_round_and_hold_every_value(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_ticks_reach_from_below_the_least_to_above_the_most(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = nice_ticks(low, high)
    room = 1e-9 * max(abs(low), abs(high), 1e-300)
    assert ticks[0] <= low + room
    assert ticks[-1] >= high - room
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = lines(["1", "2", "3", "4"], [Line("psi", [0.1, None, 0.2, 0.3])], title="PSI")
    path = re.findall(r'd="(M[^"]*)" class="line"', drawn)
    assert [part.count("L") for part in path[0].split("M")[1:]] == [0, 1]
    assert drawn.count("<circle>") + drawn.count("<circle ") == 3


def test_what_is_no_number_is_not_drawn() -> None:
    assert lines(["1"], [Line("auc", [float("nan")])], title="AUC") == ""
    assert "nan" not in lines(["1", "2"], [Line("auc", [float("nan"), 0.7])], title="AUC")


def test_each_line_is_named() -> None:
    drawn = lines(["1"], [Line("<b>", [1]), Line("c", [2])], title="t")
    assert "&lt;b&gt;" in drawn
    assert "<b>t</b>" in drawn


def test_a_run_is_as_high_as_it_lasted_long() -> None:
    drawn = bars(
        [Bar(name="1", lasts_ms=500, tone="ok", href="/r/1"), Bar(name="2", lasts_ms=1000)]
    )
    assert [float(h) for h in re.findall(r'<rect [^>]* height="([0-9.]+)"', drawn)] == [32, 64]
    assert 'href="/r/1"' in drawn
    assert bars([]) == ""


def test_tasks_stand_where_they_began() -> None:
    tasks = [
        Bar(name="a", start_ms=1000, lasts_ms=500),
        Bar(name="b", start_ms=1500, lasts_ms=500),
        Bar(name="waits"),
    ]
    drawn = timeline(tasks)
    starts = [float(x) for x in re.findall(r'<rect x="([0-9.]+)"', drawn)]
    assert len(starts) == 2
    assert starts[1] - starts[0] == pytest.approx(275, abs=0.2)
    assert "waits" not in drawn
    assert timeline(tasks[2:]) == ""


def test_the_axis_is_written_as_people_write_numbers() -> None:
    drawn = lines(["1", "2"], [Line("rows", [0, 3_000_000])], title="Rows")
    assert ">3,000,000<" in drawn
    assert ">0.3<" in lines(["1", "2"], [Line("psi", [0, 0.3])], title="PSI")
