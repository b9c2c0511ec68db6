"""What holds for triggers whatever happens and however often somebody looks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.triggers import Always, Ended, Every, Mark, OnArrival, fired, latest_due_ms

HOURS = st.integers(1, 1000)
changes = st.lists(st.tuples(st.integers(0, 10**6), st.text("ab", min_size=1)), max_size=12)


@given(HOURS, st.integers(0, 10**9))
def test_an_interval_never_drifts_and_is_never_early(interval: int, now_ms: int) -> None:
    every, mark = Every(interval), Mark(since_ms=0)
    at_ms = latest_due_ms(every, mark, now_ms)
    if at_ms is None:
        assert now_ms < interval
        return
    assert at_ms % interval == 0
    assert now_ms - interval < at_ms <= now_ms
    assert (every.due_ms(fired(mark, at_ms, 1)) or 0) > now_ms


@given(changes, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_files_fire_after_both_timers_and_looking_twice_changes_nothing(
    arrivals: list[tuple[int, str]], least_ms: int, wait_ms: int, fired_ms: int
) -> None:
    trigger = OnArrival(url="/Volumes/a/b/c", least_ms=least_ms, wait_ms=wait_ms)
    mark = fired(trigger.noticed(Mark(since_ms=0), {}, 0), fired_ms, 1)
    seen: dict[str, int] = {}
    last = None
    for at_ms, name in sorted(arrivals):
        last = last if name in seen else at_ms
        seen = {**seen, name: 0}
        mark = trigger.noticed(mark, seen, at_ms)
        assert trigger.noticed(mark, seen, at_ms + 1) == mark
    due_ms = trigger.due_ms(mark)
    if last is None:
        assert due_ms is None
        return
    assert due_ms is not None
    assert due_ms == max(last + wait_ms, fired_ms + least_ms)


@given(st.lists(st.sampled_from(["SUCCESS", "FAILED", "CANCELED", "TIMEDOUT"]), max_size=40))
def test_the_wait_of_a_continuous_job_grows_with_failures_alone(results: list[str]) -> None:
    always, mark, at_ms, waited = Always(), Mark(since_ms=0), 0, 0
    for result in results:
        mark = always.ended(
            fired(mark, at_ms, 1), Ended(result=result, start_ms=at_ms, end_ms=at_ms)
        )
        due_ms = always.due_ms(mark)
        assert due_ms is not None
        assert due_ms > at_ms
        if mark.failures > 1:
            assert due_ms - at_ms >= waited
        waited, at_ms = due_ms - at_ms, due_ms
