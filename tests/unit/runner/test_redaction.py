"""Redaction: a secret is in no output, however it is cut into writes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import urllib.parse
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from laketop.runner.redaction import REDACTED, RedactedOutput, Redaction

SECRET = 'p4ss "word"/ä'


def known(secret: str = SECRET) -> Redaction:
    redaction = Redaction()
    redaction.add(secret.encode())
    return redaction


def written(redaction: Redaction, pieces: list[bytes]) -> bytes:
    reader, writer = os.pipe()
    output = RedactedOutput(writer, redaction)
    for piece in pieces:
        output.write(piece)
    output.finish()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def test_a_secret_shows_as_redacted() -> None:
    assert known().text(f"token={SECRET}.") == f"token={REDACTED}."


def test_other_spellings_of_a_secret_are_redacted() -> None:
    spellings = [
        json.dumps(SECRET)[1:-1],
        urllib.parse.quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
    ]
    for spelling in spellings:
        assert known().text(spelling) == REDACTED


def test_what_programs_make_of_a_secret_is_redacted() -> None:
    for spelling in (
        repr(SECRET)[1:-1],
        repr(SECRET.encode())[2:-1],
        ascii(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ):
        assert known().text(f"<{spelling}>") == f"<{REDACTED}>"


def test_each_line_of_a_secret_of_many_lines_is_redacted() -> None:
    redaction = known("-----BEGIN-----\nMIIB+first\n  second/line\nab\n")
    for line in ("MIIB+first", "second/line", b"MIIB+first".hex()):
        assert redaction.text(f"> {line}") == f"> {REDACTED}"
    assert redaction.text("an about-turn") == "an about-turn"


@given(
    before=st.binary(max_size=7),
    secret=st.binary(min_size=8, max_size=40),
    after=st.binary(max_size=7),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_secret_within_base64_does_not_come_back(
    before: bytes, secret: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    redaction = Redaction()
    redaction.add(secret)
    text = encode(before + secret + after)

    shown = redaction.clean(text)

    assert REDACTED.encode() in shown
    assert len(text) - len(shown.replace(REDACTED.encode(), b"")) >= 8 * len(secret) // 6 - 2


@given(
    st.lists(st.text("abc\n", min_size=4, max_size=9), min_size=1, max_size=3),
    st.lists(st.text("abc\n[", max_size=6)),
)
def test_a_stream_holds_no_secret_whatever_the_pieces(
    secrets: list[str], pieces: list[str]
) -> None:
    redaction = Redaction()
    for secret in secrets:
        redaction.add(secret.encode())
    shown = written(redaction, [piece.encode() for piece in pieces])

    assert not any(secret.encode() in shown for secret in secrets)


def test_an_empty_secret_changes_nothing() -> None:
    assert known("").text("abc") == "abc"


def test_text_before_the_secret_is_known_is_left() -> None:
    assert Redaction().text(SECRET) == SECRET


def test_the_longer_of_two_secrets_wins() -> None:
    redaction = known("abc")
    redaction.add(b"abcdef")

    assert redaction.text("abcdef abc") == f"{REDACTED} {REDACTED}"


@given(
    before=st.text(alphabet="pabcx\n"),
    after=st.text(alphabet="pabcx\n"),
    cuts=st.lists(st.integers(0, 40), max_size=5),
)
def test_a_secret_that_is_cut_into_writes_is_redacted(
    before: str, after: str, cuts: list[int]
) -> None:
    text = f"{before}{SECRET}{after}".encode()
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]

    assert written(known(), pieces) == f"{before}{REDACTED}{after}".encode()


@given(st.lists(st.binary(max_size=8)))
def test_without_secrets_all_bytes_pass(pieces: list[bytes]) -> None:
    assert written(Redaction(), pieces) == b"".join(pieces)
