"""The memory of a tree of processes: it holds its children's, and the peak stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.memory import Peak, held

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="the system tells of no process"
)
HOLD = "held = b'x' * 50_000_000\nprint('so', flush=True)\ninput()"


def test_what_a_child_holds_counts_and_ends_with_it() -> None:
    before = held([os.getpid()])
    with (
        Peak(lambda: [os.getpid()], every_seconds=0.01) as peak,
        subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child,
    ):
        assert child.stdout is not None
        child.stdout.readline()
        assert held([child.pid]) > 50_000_000
        assert held([os.getpid()]) > before + 50_000_000
        while peak.bytes < before + 50_000_000:
            pass
        child.communicate(b"\n")
    assert held([child.pid]) == 0
    assert peak.bytes > before + 50_000_000


def test_a_process_counts_once() -> None:
    assert held([os.getpid(), os.getpid()]) < 1.5 * held([os.getpid()])
