"""The bounded pool of threads."""

from __future__ import annotations

import threading

from laketop.runner.pool import Pool

PATIENCE_SECONDS = 10.0


def test_everything_submitted_is_run_in_order_by_one_thread() -> None:
    pool, done = Pool(1), threading.Event()
    order: list[int] = []
    for number in range(50):
        pool.submit(lambda number=number: order.append(number))  # type: ignore[misc]
    pool.submit(done.set)
    assert done.wait(PATIENCE_SECONDS)
    assert order == list(range(50))


def test_work_that_has_not_begun_can_be_withdrawn() -> None:
    pool, begun, leave, done = Pool(1), threading.Event(), threading.Event(), threading.Event()
    ran: list[str] = []

    def hold() -> None:
        begun.set()
        leave.wait(PATIENCE_SECONDS)

    def never() -> None:
        ran.append("never")

    for work in (hold, never, done.set):
        pool.submit(work)
    assert begun.wait(PATIENCE_SECONDS)
    assert pool.withdraw(never)
    assert not pool.withdraw(never)
    assert not pool.withdraw(hold)
    leave.set()
    assert done.wait(PATIENCE_SECONDS)
    assert ran == []


def test_a_pool_is_as_large_as_the_machine_unless_told() -> None:
    assert Pool().size >= 1
    assert Pool(3).size == 3
