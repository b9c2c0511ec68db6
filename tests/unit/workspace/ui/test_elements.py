"""What pages are made of."""

from __future__ import annotations

import pytest

from laketop.workspace.ui.elements import (
    chips,
    duration,
    facts,
    lasted,
    moment,
    number,
    size,
    status,
    table,
    tone,
)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, ""),
        (0, "0 ms"),
        (850, "850 ms"),
        (12_340, "12.3 s"),
        (59_999, "60.0 s"),
        (245_000, "4 min 5 s"),
        (7_380_000, "2 h 3 min"),
    ],
)
def test_a_duration_is_said_as_people_say_it(ms: int | None, said: str) -> None:
    assert duration(ms) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (2_500_000, "2.5 MB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_a_size_is_in_the_unit_that_fits(count: int | None, said: str) -> None:
    assert size(count) == said


def test_a_number_has_its_thousands_apart_and_few_digits() -> None:
    assert [number(1234567), number(0.123456789), number(None)] == ["1,234,567", "0.12346", ""]


def test_a_run_that_goes_on_has_lasted_until_now() -> None:
    assert lasted({"start_time": 1000}, 3500) == 2500
    assert lasted({"start_time": 1000, "end_time": 1500}, 3500) == 500
    assert lasted({"start_time": 0}, 3500) is None
    assert lasted({"start_time": 5000}, 3500) == 0


def test_a_time_that_is_none_shows_nothing_and_one_beyond_all_calendars_its_number() -> None:
    assert moment(0) == ""
    assert moment(10**18) == str(10**18)
    assert 'datetime="1970-01-01T00:00:01+00:00"' in moment(1000)


def test_an_unknown_state_is_drawn_as_one_that_waits() -> None:
    assert tone("SUCCESS") == "ok"
    assert tone("something new") == "idle"
    assert "<script" not in status("<script>")


def test_a_table_without_rows_says_so() -> None:
    assert table(["a"], [], empty="Nothing.") == '<p class="empty">Nothing.</p>'


def test_a_column_of_numbers_stands_to_the_right() -> None:
    made = table(["Name", "#Rows"], [["x", 3]], empty="")
    assert '<th scope="col" class="num">Rows</th>' in made
    assert '<td class="num">3</td>' in made


def test_facts_that_are_not_there_are_left_out() -> None:
    assert "Tags" not in facts(("Tags", None), ("Name", "x"))


def test_a_long_tag_is_cut_and_whole_in_its_title() -> None:
    made = chips({"k": "v" * 100})
    assert f'title="k: {"v" * 100}"' in made
    assert f"{'v' * 79}…" in made
