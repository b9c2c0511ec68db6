"""Tracebacks as the user should read them: the task's own frames, without the runner's."""

from __future__ import annotations

import traceback
from pathlib import Path

from laketop.errors import LaketopError

_OURS = tuple(str(Path(__file__).parents[1] / room) for room in ("runner", "shims"))
_JVM = "\n\nJVM stacktrace:"  # which Spark appends to its messages
_MACHINERY = ("IPython", "runpy.py", "importlib._bootstrap")


def describe(error: BaseException) -> str:
    """Return the error in one line: its class and its message; those of laketop speak alone."""
    if isinstance(error, LaketopError):
        return str(error)
    text = "".join(traceback.format_exception_only(type(error), error))
    return text.partition(_JVM)[0].strip()


def trace(error: BaseException) -> str | None:
    """Return the traceback of an error, its causes included, without frames that are not its.

    None for an error of laketop that no code of the user has led to.
    """
    told = traceback.TracebackException.from_exception(error)
    _strip(told, set())
    if isinstance(error, LaketopError) and not told.stack:
        return None
    return "".join(told.format())


def _strip(told: traceback.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    kept = [frame for frame in told.stack if not _is_ours(frame.filename)]
    told.stack = traceback.StackSummary.from_list(kept)
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _strip(other, seen)


def _is_ours(file: str) -> bool:
    if file.startswith(_OURS):
        return True
    return any(name in Path(file).parts or name in file.split(" ") for name in _MACHINERY)
