"""What somebody has named stays one line of a log, and moves no cursor. Source: reliability S16."""

from __future__ import annotations

import logging
import re

from hypothesis import given
from hypothesis import strategies as st

from laketop.errors import printable
from laketop.workspace.__main__ import Plain

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORDS = st.text(
    st.sampled_from("a\x1b[31m\r\n\x00\x07\x9b\u2028\u2029\x7f\t\\x1b ä") | st.characters()
)


@given(_WORDS)
def test_no_control_character_is_left_but_those_that_are_kept(text: str) -> None:
    assert not _CONTROL.search(printable(text, keep=""))
    assert set(_CONTROL.findall(printable(text, keep="\n\t"))) <= {"\n", "\t"}
    assert printable(printable(text)) == printable(text)


@given(_WORDS)
def test_what_holds_no_control_character_stays_as_it_is(text: str) -> None:
    assert printable(_CONTROL.sub("", text)) == _CONTROL.sub("", text)


@given(message=_WORDS, word=_WORDS, fails=st.booleans())
def test_a_record_of_the_log_begins_one_line_alone(message: str, word: str, fails: bool) -> None:
    error = ValueError(word)
    failure = (ValueError, error, None) if fails else None
    record = logging.LogRecord("n", logging.INFO, "f", 1, message + " %s", (word,), failure)
    if message.count("%"):
        record.msg = "%s %s"
        record.args = (message, word)
    told = Plain("%(levelname)s %(message)s").format(record)
    first, *later = told.split("\n")
    assert first.startswith("INFO ")
    assert all(line.startswith("    ") for line in later)
    assert not set(_CONTROL.findall(told)) - {"\n", "\t"}
