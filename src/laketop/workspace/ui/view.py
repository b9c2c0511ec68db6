"""What a page is given, what it returns, and how it is found."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote_to_bytes, urlencode

from databricks.sdk.errors.platform import InvalidParameterValue, NotFound

from laketop.workspace.service import Reply
from laketop.workspace.ui.html import Html

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

_HOLE = re.compile(r"\{([a-z_]+)(\.\.\.)?\}")
_LARGEST_ID = 2**53


@dataclasses.dataclass(frozen=True)
class View:
    """One look at a page: the workspace, the path as it was asked for, the query, who looks."""

    workspace: Workspace
    path: str
    query: Mapping[str, str]
    user: str

    def reading(self) -> AbstractContextManager[None]:
        """Return a transaction in which the services can be asked; it writes nothing."""
        return self.workspace.store.reading()

    def number(self, name: str) -> int | None:
        """Return a whole number of the query, None where there is none."""
        text = self.query.get(name, "")
        return int(text) if re.fullmatch("[0-9]{1,15}", text) else None

    def here(self, **changed: str | int | None) -> str:
        """Return the address of this page with another query; None takes a name away."""
        wanted = {name: value for name, value in changed.items() if value is not None}
        return f"{self.path}?{urlencode(wanted)}" if wanted else self.path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """What a page shows: `trail` are the texts and addresses that lead to it from the top."""

    title: str
    body: Html
    section: str = ""
    trail: Sequence[tuple[str, str]] = ()
    is_changing: bool = False
    """Whether it is worth to look again in a second or two."""


Handler = TypeVar("Handler", bound=Callable[..., Page | Reply])


def page(*patterns: str) -> Callable[[Handler], Handler]:
    """Serve path patterns by a function of `(view, **captures)`.

    `{name}` captures one segment, `{name...}` at the end all that is left, percent-decoded once.
    """

    def declare(handler: Handler) -> Handler:
        handler.__laketop_page__ = patterns  # type: ignore[attr-defined]  # a mark
        return handler

    return declare


@dataclasses.dataclass(frozen=True)
class Served:
    """One pattern and the function that serves it."""

    pattern: str
    handler: Callable[..., Page | Reply]
    expression: re.Pattern[str]

    def captures(self, raw_path: str) -> dict[str, str] | None:
        """Return what the pattern captures of a raw path, None if it does not match."""
        match = self.expression.fullmatch(raw_path)
        if match is None:
            return None
        return {name: _decoded(text) for name, text in match.groupdict().items()}


def pages() -> Iterator[Served]:
    """Yield every page; fixed paths before those with holes."""
    from laketop.workspace.ui import pages as folder

    found: list[Served] = []
    for module in pkgutil.iter_modules(folder.__path__):
        loaded = importlib.import_module(f"{folder.__name__}.{module.name}")
        found += [
            Served(pattern, member, re.compile(_expression(pattern)))
            for member in vars(loaded).values()
            for pattern in getattr(member, "__laketop_page__", ())
        ]
    yield from sorted(found, key=lambda one: one.pattern.replace("{", "\x7f"))


def path(*names: str | int) -> str:
    """Return the path of the segments, each percent-encoded."""
    return "/" + "/".join(quote(str(name), safe="") for name in names)


def redirect(address: str) -> Reply:
    """Return the answer that leads to another address of this site."""
    return Reply(b"", 303, {"location": address})


def id_of(text: str, kind: str) -> int:
    """Return the number in a path. Errors: NotFound for what is none."""
    if not re.fullmatch("[0-9]{1,16}", text) or int(text) > _LARGEST_ID:
        raise NotFound(f"There is no {kind} {text[:100]!r}.")
    return int(text)


def _expression(pattern: str) -> str:
    parts, end = [], 0
    for match in _HOLE.finditer(pattern):
        name, rest = match.groups()
        parts += [
            re.escape(pattern[end : match.start()]),
            f"(?P<{name}>{'.+' if rest else '[^/]+'})",
        ]
        end = match.end()
    return "".join([*parts, re.escape(pattern[end:]), "/?"])


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise InvalidParameterValue("A part of the path is not UTF-8.") from error
