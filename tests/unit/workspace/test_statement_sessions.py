"""Sessions of SQL: their settings, and when they end."""

from __future__ import annotations

import pytest

from laketop.errors import LaketopError
from laketop.workspace.statement_sessions import IDLE_MS, SqlSession, settings_of


class Time:
    """A clock that is set."""

    now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


def _session(time: Time) -> SqlSession:
    return SqlSession(user="ann", catalog=None, schema=None, settings={}, clock=time)


def test_parameters_of_any_case_are_settings_of_the_engine() -> None:
    sent = {"ANSI_MODE": True, "timezone": "Asia/Tokyo", "Query_Tags": "a:b"}
    assert settings_of(sent) == {
        "spark.sql.ansi.enabled": "True",
        "spark.sql.session.timeZone": "Asia/Tokyo",
    }


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"weather": "fine"}, "'weather' is none of ansi_mode, "),
        ({"STATEMENT_TIMEOUT": 60}, "STATEMENT_TIMEOUT is always 0 here, not '60'"),
    ],
)
def test_a_parameter_that_cannot_be_had_is_named(sent: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings_of(sent)


def test_a_session_is_idle_an_hour_after_it_was_opened_or_had_its_last_statement() -> None:
    time = Time()
    session = _session(time)
    time.now_ms = IDLE_MS
    assert not session.is_idle()
    time.now_ms += 1
    assert session.is_idle()


def test_a_session_that_has_ended_takes_no_statement() -> None:
    session = _session(Time())
    session.end()
    with (
        pytest.raises(LaketopError, match="the session of the statement has ended"),
        session.opened(lambda: "sc://127.0.0.1:1"),
    ):
        pass
    assert session.is_idle() is False


def test_a_statement_without_an_engine_leaves_the_session_as_it_was() -> None:
    def remote() -> str:
        raise LaketopError("there is no engine")

    time = Time()
    session = _session(time)
    with pytest.raises(LaketopError, match="there is no engine"), session.opened(remote):
        pass
    time.now_ms = IDLE_MS + 1
    assert session.is_idle()
