from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.runner import guard

BLOCKS = st.lists(st.binary(min_size=1, max_size=30), max_size=12)


def copied(log: Path, blocks: list[bytes], most: int) -> bytes:
    """Return what is logged of an output that comes in these blocks."""
    source, sink = os.pipe()
    with log.open("wb") as file:
        output = guard.Output(source, file.fileno(), most)
        for block in blocks:
            os.write(sink, block)
            output.copy()
        os.close(sink)
        output.finish()
    assert output.source == -1
    return log.read_bytes()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guard") / "log"


@settings(max_examples=60, deadline=None)
@given(blocks=BLOCKS, most=st.integers(0, 400))
def test_an_output_is_whole_or_says_where_it_was_cut(
    log: Path, blocks: list[bytes], most: int
) -> None:
    whole = b"".join(blocks)
    told = copied(log, blocks, most)
    if len(whole) <= most:
        assert told == whole
    else:
        said = f"\n[laketop: the output is cut here, after {most} bytes;"
        said += " its end follows once the task has ended]\n"
        assert told == whole[:most] + said.encode() + whole[most:]


@settings(max_examples=60, deadline=None)
@given(blocks=BLOCKS, most=st.integers(0, 400), tail=st.integers(1, 40))
def test_what_is_left_out_is_counted(log: Path, blocks: list[bytes], most: int, tail: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "TAIL_BYTES", tail)
        told = copied(log, blocks, most)
    whole = b"".join(blocks)
    left_out = len(whole) - most - tail
    if left_out > 0:
        said = f"\n[laketop: {left_out} bytes of the output are left out here]\n"
        assert told.endswith(said.encode() + whole[-tail:])


def test_a_log_that_takes_no_more_loses_the_rest_and_nothing_fails() -> None:
    source, sink = os.pipe()
    reader, log = os.pipe()
    os.close(reader)
    output = guard.Output(source, log, 100)
    os.write(sink, b"x" * 1000)
    os.close(sink)
    output.finish()
    os.close(log)
    assert output.source == -1
