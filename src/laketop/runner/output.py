"""The output of a program that a task starts, passed on as output of the task itself."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_BLOCK_BYTES = 65536


def pass_on(child: subprocess.Popen[bytes]) -> None:
    """Write what `child` writes to its standard output to ours, as it comes, to its end.

    So it goes the way of all output: redacted, and caught where a cell catches its output.
    """
    if child.stdout is None:
        return
    while block := os.read(child.stdout.fileno(), _BLOCK_BYTES):
        binary = getattr(sys.stdout, "buffer", None)
        sys.stdout.flush()
        if binary is None:
            sys.stdout.write(block.decode("utf-8", "replace"))
        else:
            binary.write(block)
