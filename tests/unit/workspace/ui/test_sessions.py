"""Links that work once and cookies that end."""

from __future__ import annotations

import pytest

from laketop.workspace.ui.sessions import LINK_MS, SESSION_MS, Sessions


class Clock:
    now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspaces() -> dict[str, str]:
    return {"token": "dev"}


@pytest.fixture
def sessions(clock: Clock, workspaces: dict[str, str]) -> Sessions:
    return Sessions(workspaces.get, clock)


def test_a_link_gives_a_cookie_that_stands_for_its_token(sessions: Sessions) -> None:
    cookie = sessions.enter(sessions.link("token"))
    assert cookie is not None
    assert sessions.bearer(cookie) == "token"


def test_a_link_works_once(sessions: Sessions) -> None:
    link = sessions.link("token")
    assert sessions.enter(link) is not None
    assert sessions.enter(link) is None


def test_a_link_that_nobody_made_gives_nothing(sessions: Sessions) -> None:
    sessions.link("token")
    assert sessions.enter("guessed") is None
    assert sessions.enter("") is None
    assert sessions.bearer("") is None


def test_neither_a_token_nor_a_link_is_a_cookie(sessions: Sessions) -> None:
    assert sessions.bearer("token") is None
    assert sessions.bearer(sessions.link("token")) is None


def test_a_link_grows_old(sessions: Sessions, clock: Clock) -> None:
    link = sessions.link("token")
    clock.now_ms += LINK_MS
    assert sessions.enter(link) is None


def test_a_cookie_grows_old(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.enter(sessions.link("token")) or ""
    clock.now_ms += SESSION_MS - 1
    assert sessions.bearer(cookie) == "token"
    clock.now_ms += 1
    assert sessions.bearer(cookie) is None


def test_what_a_token_opened_ends_with_the_token(
    sessions: Sessions, workspaces: dict[str, str]
) -> None:
    cookie, link = sessions.enter(sessions.link("token")) or "", sessions.link("token")
    workspaces.clear()
    assert sessions.bearer(cookie) is None
    assert sessions.enter(link) is None


def test_links_that_nobody_uses_do_not_pile_up(sessions: Sessions, clock: Clock) -> None:
    oldest = sessions.link("token")
    for _ in range(1000):
        sessions.link("token")
    assert len(sessions._links) == 1000
    assert sessions.enter(oldest) is None
    clock.now_ms += LINK_MS
    sessions.link("token")
    assert len(sessions._links) == 1
