"""Every error that laketop raises on purpose.

```
LaketopError(message, *, hint=None)
├── ConfigError     file, line             a file or a setting that cannot be used
├── NotFound        kind, name             a name that nothing answers to
├── EngineMissing   extra                  Spark, Java or a jar is not there
├── TaskFailed      task, run_id           a task of a run ended without success
├── GateFailed      gate, measured, limit  a model did not pass a gate
├── ExpectationFailed  table, expectation  rows are not what they were expected to be
├── Superseded      model, version         somebody else's promotion came first
└── Refused         what                   something that laketop does not do, by name
```

A message is one sentence that holds the wrong value by `!r`; `hint` is the fix.
"""

from __future__ import annotations

import math
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: str, *, keep: str = "\t") -> str:
    """Return `text` with its control characters but those of `keep` escaped, as `repr` does.

    So what somebody named cannot write a line of its own or move the cursor. Source: reliability
    S16.
    """
    return _CONTROL.sub(lambda one: one[0] if one[0] in keep else ascii(one[0])[1:-1], text)


class LaketopError(Exception):
    """An error for a person to read: one sentence, and a hint where there is a fix."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class ConfigError(LaketopError):
    """A file or a setting cannot be used; `file`, `line` and `column` say where, from 1."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.file = file
        self.line = line
        self.column = column
        self.bare = message
        """The message without the place."""


class NotFound(LaketopError):
    """No thing of this `kind` has this `name`."""

    def __init__(self, kind: str, name: str, *, hint: str | None = None) -> None:
        super().__init__(f"no {kind} named {name!r}", hint=hint)
        self.kind = kind
        self.name = name


class EngineMissing(LaketopError):
    """Something that Spark needs is not there; `extra` is the extra that brings it."""

    def __init__(self, message: str, *, extra: str = "local", hint: str | None = None) -> None:
        super().__init__(message, hint=hint or f"pip install 'laketop[{extra}]'")
        self.extra = extra


class TaskFailed(LaketopError):
    """A task of a run ended without success."""

    def __init__(self, message: str, *, task: str, run_id: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.task = task
        self.run_id = run_id


class GateFailed(LaketopError):
    """A model did not pass a gate: what was measured, and what the limit was."""

    def __init__(
        self, gate: str, *, measured: float, limit: float, hint: str | None = None
    ) -> None:
        told = f"measured {measured:g}, the limit is {limit:g}"
        if math.isnan(measured):  # a gate that has nothing to measure, such as an approval
            told = "has not passed"
        super().__init__(f"gate {gate!r} {told}", hint=hint)
        self.gate = gate
        self.measured = measured
        self.limit = limit


class ExpectationFailed(LaketopError):
    """Rows of a table are not what they were expected to be: `failed` of `rows`, such as `row`."""

    def __init__(
        self, table: str, expectation: str, *, failed: int, rows: int, row: str = "", hint: str
    ) -> None:
        told = f"{table!r} does not meet {expectation!r}: {failed} of {rows} rows fail"
        super().__init__(f"{told}, such as {row}" if row else told, hint=hint)
        self.table = table
        self.expectation = expectation
        self.failed = failed
        self.rows = rows


class Superseded(LaketopError):
    """A version was compared with a champion that is no longer the champion."""

    def __init__(
        self, model: str, version: str, *, against: str | None, champion: str | None
    ) -> None:
        compared = "no champion" if against is None else f"version {against!r}"
        now = "there is none" if champion is None else f"it is version {champion!r}"
        super().__init__(
            f"version {version!r} of {model!r} was compared with {compared}, and now {now}",
            hint="evaluate it against the champion of today",
        )
        self.model = model
        self.version = version


class Refused(LaketopError):
    """laketop does not do this, and says so by name."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(f"{what} is not supported", hint=hint)
        self.what = what
