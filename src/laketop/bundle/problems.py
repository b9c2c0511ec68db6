"""What is wrong with a bundle: all of it, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from laketop.bundle.nodes import NOWHERE, Node, Path, Place, dotted

ERROR = "error"
WARNING = "warning"
RECOMMENDATION = "recommendation"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    `severity` is "error", "warning" or "recommendation"; `path` is dotted; `line` and `column`
    count from 1 and are 0, with an empty `file`, where no file holds the value.
    """

    severity: str
    message: str
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str | None = None
    code: str = ""
    """What a finding of the wiring lint is called, as its page in docs/lint is; else empty."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{place}{self.severity}: {self.message}"


class Problems:
    """Collects findings in the order in which they are made, each once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def all(self) -> tuple[Problem, ...]:
        """Return the findings so far, errors first, each severity in the order of finding."""
        order = (ERROR, WARNING, RECOMMENDATION)
        return tuple(sorted(self._found, key=lambda problem: order.index(problem.severity)))

    def error(
        self,
        message: str,
        path: Path = (),
        at: Node | Place | None = None,
        hint: str | None = None,
        *,
        code: str = "",
    ) -> None:
        """Note something that stops a deployment."""
        self._add(ERROR, message, path, at, hint, code=code)

    def warning(
        self,
        message: str,
        path: Path = (),
        at: Node | Place | None = None,
        hint: str | None = None,
        *,
        code: str = "",
    ) -> None:
        """Note something that is likely a mistake, or that has no effect here."""
        self._add(WARNING, message, path, at, hint, code=code)

    def recommendation(
        self,
        message: str,
        path: Path = (),
        at: Node | Place | None = None,
        hint: str | None = None,
        *,
        code: str = "",
    ) -> None:
        """Note something that could be better."""
        self._add(RECOMMENDATION, message, path, at, hint, code=code)

    def _add(
        self,
        severity: str,
        message: str,
        path: Path,
        at: Node | Place | None,
        hint: str | None,
        *,
        code: str = "",
    ) -> None:
        place = at.place if isinstance(at, Node) else at or NOWHERE
        where = (place.file, place.line, place.column)
        found = Problem(severity, message, dotted(path), *where, hint, code)
        self._found.setdefault(found)


def near(name: str, names: Iterable[str]) -> str | None:
    """Return a hint that holds the names most like `name`, or None.

    >>> near("traning", ["training", "scoring"])
    "did you mean 'training'?"
    """
    alike = difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(map(repr, alike))}?" if alike else None
