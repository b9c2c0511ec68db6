"""What a service is made of: routes, mounted apps, the request, the reply."""

from __future__ import annotations

import collections
import dataclasses
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote_to_bytes

from databricks.sdk.errors.platform import InvalidParameterValue
from starlette.types import ASGIApp

from laketop.workspace import services, wire
from laketop.workspace.store import Store, Table

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

Handler = TypeVar("Handler", bound=Callable[..., Any])

_READING = {"GET", "HEAD"}
_MOST_DROPPED = 100
_NUMBER = re.compile(r"/[0-9]\.[0-9]/")
_CAPTURE = re.compile(r"\{([a-z_]+)(\.\.\.)?\}")


@dataclasses.dataclass(frozen=True)
class Request:
    """One request as it came; a handler that names a parameter of this type is given it.

    `path` is the raw path, `query` holds the first value of each name, header names are in
    lower case, `host` is the address that the client used, without a slash at its end.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: str
    host: str
    query_string: str = ""
    """The query as it came, for fields that are named more than once."""
    address: str = ""
    """From where the client asks, as an IP address."""
    upload: Path | None = None
    """The body of a `streams` route: a flushed temporary file on the state folder's disk."""

    @property
    def size(self) -> int:
        """How many bytes the body has."""
        return len(self.body) if self.upload is None else self.upload.stat().st_size


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer that is not JSON: bytes, or parts that are sent as they come.

    A body with a `close` method is closed after the last part, and when the client goes away.
    """

    body: bytes | Iterable[bytes] | AsyncIterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Fields(dict[str, Any]):
    """A handler that names a parameter of this type is given every field that was sent."""


@dataclasses.dataclass(frozen=True)
class _Declared:
    patterns: tuple[str, ...]
    write: bool | None
    streams: bool
    raw: bool
    hold: str | None
    is_open: bool


def route(
    *patterns: str,
    also: tuple[str, ...] = (),
    write: bool | None = None,
    streams: bool = False,
    raw: bool = False,
    hold: str | None = None,
    is_open: bool = False,
) -> Callable[[Handler], Handler]:
    """Serve `"METHOD /path"` patterns by a method of a service.

    `{name}` captures one segment, `{name...}` at the end all that is left; what is captured is
    percent-decoded once. The method's parameters are the fields of path, query and body.
    `also` are older versions of the API that stand in the place of the newest one.
    A plain method runs in one transaction, which writes unless the method is GET or HEAD
    (`write` overrides); an `async` one runs outside of any. With `raw` the body is not read as
    JSON, only handed over in `Request.body`. With `streams` it may be of any size and is found in
    `Request.upload`. `hold` names an `async` method of the service with the
    same parameters, awaited before the transaction begins. `is_open` routes want no token: they
    are how one comes by it.
    """

    def declare(handler: Handler) -> Handler:
        older = tuple(_NUMBER.sub(f"/{version}/", p, count=1) for p in patterns for version in also)
        declared = _Declared((*patterns, *older), write, streams, raw, hold, is_open)
        handler.__laketop_route__ = declared  # type: ignore[attr-defined]  # a mark
        return handler

    return declare


def mount(*prefixes: str) -> Callable[[Handler], Handler]:
    """Serve everything under the path prefixes by the ASGI app that the method returns.

    The method is called once, at the first request. Routes come before mounts, longer prefixes
    before shorter ones. The app sits behind the same checks of host, origin and token; it is
    given the scope as it came, with `scope["laketop.user"]` and `scope["laketop.host"]` added.
    """

    def declare(handler: Handler) -> Handler:
        handler.__laketop_mount__ = prefixes  # type: ignore[attr-defined]  # a mark
        return handler

    return declare


class Service:
    """A group of routes; the file's name is the service's attribute of `WorkspaceClient`."""

    shared = False
    """Whether the one of the first workspace serves all of them: what it keeps is everybody's."""
    schema: tuple[str, ...] = ()
    """SQL statements that make the service's own tables, run at every start."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.dropped: dict[str, collections.Counter[str]] = {}
        """By route the fields that clients sent and the handler does not name."""

    @property
    def store(self) -> Store:
        """The workspace's records; a plain handler is inside a transaction of it."""
        return self.workspace.store

    def table(self, name: str) -> Table:
        """Return a collection of JSON records of this service alone."""
        return self.store.table(f"{type(self).__name__}.{name}")

    def start(self) -> None:
        """Settle what an earlier process left behind; called once, outside of a transaction."""

    def shutdown(self) -> None:
        """Stop and wait for whatever the service has running."""


class Route:
    """One `"METHOD /path"` pattern bound to the handler that serves it."""

    def __init__(self, service: Service, name: str, pattern: str, declared: _Declared) -> None:
        self.method, self.template = pattern.split(" ")
        self.service = service
        self.name = name
        self.service_name = type(service).__module__.rpartition(".")[2]
        self.handler: Callable[..., Any] = getattr(service, name)
        self.is_async = inspect.iscoroutinefunction(self.handler)
        self.write = self.method not in _READING if declared.write is None else declared.write
        self.streams = declared.streams
        self.is_open = declared.is_open
        self.changes = self.method not in _READING and declared.write is not False
        """Whether its calls are rows of the audit log."""
        self.is_raw = declared.raw or declared.streams
        """Whether its body is of another type than JSON."""
        self.hold: Callable[..., Awaitable[None]] | None = (
            getattr(service, declared.hold) if declared.hold else None
        )
        self.dropped = service.dropped.setdefault(pattern, collections.Counter())
        """The fields that clients sent and the handler does not name; of many the first."""
        self._expression = expression_of(self.template)
        self._fields = _fields_of(self.handler)
        hints = _hints_of(self.handler)
        self._requests = {name for name, hint in hints.items() if hint is Request}
        self._all = {name for name, hint in hints.items() if hint is Fields}

    def captures(self, raw_path: str) -> Mapping[str, str] | None:
        """Return what the pattern captures of `raw_path`, None if it does not match."""
        match = self._expression.fullmatch(raw_path)
        return None if match is None else match.groupdict()

    def sent(self, request: Request, captures: Mapping[str, str]) -> dict[str, Any]:
        """Return every field that was sent: path before body before query. Errors: BadRequest."""
        body = {} if self.is_raw else _body_of(request)
        path = {name: _decoded(text) for name, text in captures.items()}
        return {**request.query, **body, **path}

    def _has_room(self) -> bool:
        return len(self.dropped) < _MOST_DROPPED

    def arguments(self, request: Request, captures: Mapping[str, str]) -> dict[str, Any]:
        """Return the handler's arguments: path before body before query.

        Errors: BadRequest or InvalidParameterValue for fields that cannot be used.
        """
        sent = self.sent(request, captures)
        if not self._all:
            unread = (name for name in sent if name not in self._fields)
            self.dropped.update(n for n in unread if n in self.dropped or self._has_room())
        values: dict[str, Any] = dict.fromkeys(self._requests, request)
        values.update(dict.fromkeys(self._all, Fields(sent)))
        for name, (convert, required) in self._fields.items():
            if sent.get(name) is not None:
                values[name] = convert(name, sent[name])
            elif required:
                raise InvalidParameterValue(f"Missing required field: {name}")
        return values


def expression_of(template: str) -> re.Pattern[str]:
    """Return what matches the raw paths of a route's template, its captures named."""
    parts, end = [], 0
    for match in _CAPTURE.finditer(template):
        name, rest = match.groups()
        hole = f"(?P<{name}>{'.+' if rest else '[^/]+'})"
        parts += [re.escape(template[end : match.start()]), hole]
        end = match.end()
    return re.compile("".join([*parts, re.escape(template[end:])]))


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise InvalidParameterValue("A part of the path is not UTF-8.") from error


def _body_of(request: Request) -> dict[str, Any]:
    wire.check_is_json(request.body, request.headers.get("content-type", ""))
    return wire.fields_of(request.body)


def _hints_of(handler: Callable[..., Any]) -> dict[str, Any]:
    return {n: h for n, h in typing.get_type_hints(handler).items() if n != "return"}


def _fields_of(handler: Callable[..., Any]) -> dict[str, tuple[wire.Convert, bool]]:
    parameters = inspect.signature(handler).parameters
    return {
        name: (wire.converter(hint), parameters[name].default is inspect.Parameter.empty)
        for name, hint in _hints_of(handler).items()
        if hint not in {Request, Fields}
    }


class Mount:
    """Path prefixes and the app that serves everything under them."""

    def __init__(self, service: Service, name: str, prefixes: tuple[str, ...]) -> None:
        self.service = service
        self.prefixes = prefixes
        self._make: Callable[[], ASGIApp] = getattr(service, name)
        self._app: ASGIApp | None = None

    def depth(self, raw_path: str) -> int:
        """Return the length of the longest prefix of `raw_path`, 0 if none is one."""
        return max(
            (len(p) for p in self.prefixes if raw_path == p or raw_path.startswith(f"{p}/")),
            default=0,
        )

    def app(self) -> ASGIApp:
        """Return the app, made at the first call."""
        if self._app is None:
            self._app = self._make()
        return self._app


def routes_of(service: Service) -> Iterator[Route]:
    """Yield the routes that the service's methods declare, by method name."""
    for name, declared in _marked(type(service), "__laketop_route__"):
        for pattern in declared.patterns:
            yield Route(service, name, pattern, declared)


def mounts_of(service: Service) -> Iterator[Mount]:
    """Yield the apps that the service's methods mount."""
    for name, prefixes in _marked(type(service), "__laketop_mount__"):
        yield Mount(service, name, prefixes)


def read_fields(service: type[Service], method: str) -> set[str] | None:
    """Return the fields that a handler reads, None if it is given every one that was sent."""
    handler = getattr(service, method)
    declared = handler.__laketop_route__
    hints = set(_hints_of(handler).values())
    return None if declared.raw or declared.streams or Fields in hints else {*_fields_of(handler)}


def declared_routes(service: type[Service]) -> Iterator[tuple[str, str]]:
    """Yield pattern and method name of every route of a service that need not be running."""
    for name, declared in _marked(service, "__laketop_route__"):
        yield from ((pattern, name) for pattern in declared.patterns)


def declared_mounts(service: type[Service]) -> Iterator[tuple[str, str]]:
    """Yield path prefix and method name of every mounted app of a service."""
    for name, prefixes in _marked(service, "__laketop_mount__"):
        yield from ((prefix, name) for prefix in prefixes)


def _marked(service: type[Service], mark: str) -> Iterator[tuple[str, Any]]:
    for name, member in inspect.getmembers(service, inspect.isfunction):
        if hasattr(member, mark):
            yield name, getattr(member, mark)


def service_classes() -> dict[str, type[Service]]:
    """Return the service of each file in `services/`, by file name.

    Errors: whatever the import of one raises; TypeError for a file without exactly one service.
    """
    found: dict[str, type[Service]] = {}
    for module in pkgutil.iter_modules(services.__path__):
        loaded = importlib.import_module(f"{services.__name__}.{module.name}")
        classes = [
            member
            for member in vars(loaded).values()
            if isinstance(member, type)
            and issubclass(member, Service)
            and member.__module__ == loaded.__name__
        ]
        if len(classes) != 1:
            raise TypeError(f"services/{module.name}.py has {len(classes)} services, not one")
        found[module.name] = classes[0]
    return found
