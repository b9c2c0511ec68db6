"""What makes environments on behalf of an attempt: its processes, and the words in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laketop.ml.environments import resolver_environment
from laketop.runner.process import run_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from laketop.runner.context import TaskContext


def say(text: str, context: TaskContext) -> None:
    """Put a line into the log of an attempt."""
    with (context.directory / "output.log").open("a", encoding="utf-8") as output:
        output.write(f"{text}\n")


def resolver(context: TaskContext) -> Callable[[Sequence[str], Path], int]:
    """Return what runs uv, both its outputs in a file, and returns its exit code.

    It ends with the attempt, and has no secret of the workspace.
    """

    def run(argv: Sequence[str], output: Path) -> int:
        return run_process(
            argv,
            cwd=context.directory,
            environment=resolver_environment(context.environment),
            log=output,
            cancelled=context.cancelled,
        ).exit_code

    return run
