"""What the running task hands to the import paths: the notebook's names and its context."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Runtime:
    """The names that a notebook finds defined, and the facts that clients ask of its context."""

    names: Mapping[str, Any]
    context: Any
    """Its attributes are those of `dbruntime.databricks_repl_context`."""


_running: list[Runtime] = []


def provide(runtime: Runtime) -> None:
    """Make `runtime` the one of this process."""
    _running[:] = [runtime]


def current() -> Runtime | None:
    """Return the runtime of this process; None where no task runs in it."""
    return _running[0] if _running else None
