"""Requests to addresses outside: only to those that the settings allow, and where they lead.

Source: reliability S14. A name is resolved once, every address it has is checked, and the
connection goes to the one that was checked. Redirects are not followed, proxies not asked.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

from laketop.settings import names_host

SECONDS: Final = 5
"""How long one request may take once its name is resolved, from connecting to the answer's end."""
_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_within(url: str, allowed: Sequence[str]) -> bool:
    """Tell whether an address is, or lies below, one of those that are allowed."""
    path = unquote(url)  # whoever is asked may decode what is escaped
    climbs = ".." in path.replace("\\", "/").split("/")
    below = any(url.startswith(f"{prefix.removesuffix('/')}/") for prefix in allowed)
    return not climbs and (below or url in allowed)


def check_url(url: str, allowed: Sequence[str], *, setting: str) -> SplitResult:
    """Return the parts of an address that may be posted to, as far as its words tell.

    Errors: InvalidParameterValue for what is none; PermissionDenied for one that `setting` does
    not allow.
    """
    if not names_host(url) or not url.isascii() or any(ord(c) <= 32 or c == "\x7f" for c in url):
        raise InvalidParameterValue(f"{url[:200]!r} is no http:// or https:// address.")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidParameterValue("The address holds a user or a password.")
    # A prefix without a host would let every private address pass that is written in figures.
    naming = [one for one in allowed if urlsplit(one).hostname == parts.hostname]
    if "#" in url or not is_within(url.partition("?")[0], naming):
        raise PermissionDenied(
            f"{url[:200]} is not among the addresses that {setting} allows:"
            f" {', '.join(allowed) or 'none'}."
        )
    return parts


class Calls:
    """Requests to addresses outside, which end in time, and all at once when laketop does."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._open: set[_Call] = set()
        self._closed = False

    def close(self) -> None:
        """End the requests that are under way with TimeoutError, and each that comes later."""
        with self._guard:
            self._closed = True
            under_way = list(self._open)
        for call in under_way:
            call.end()

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        allowed: Sequence[str],
        setting: str,
        longest: int = 0,
    ) -> tuple[int, bytes]:
        """Post to an address that is allowed; return the status and `longest` bytes of the answer.

        A name that is not an address in figures leads to public addresses only: a private one is
        allowed by its figures. Errors: as `check_url`; OSError and HTTPException of the
        connection, and TimeoutError for an answer that is not there after `SECONDS`.
        """
        parts = check_url(url, allowed, setting=setting)
        host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
        family, address = _address_of(host, port)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        shown = {"Host": parts.netloc, "Connection": "close", **headers}
        name = host if parts.scheme == "https" else None
        connection = http.client.HTTPConnection(host, port)
        with self._call() as call, contextlib.closing(connection):
            connection.sock = call.connected(family, (address, port), name=name)
            connection.request("POST", target, body, shown)
            with connection.getresponse() as answer:
                return answer.status, answer.read(longest) if longest else b""

    @contextlib.contextmanager
    def _call(self) -> Iterator[_Call]:
        call = _Call()
        timer = threading.Timer(SECONDS, call.end)
        timer.daemon = True
        with self._guard:
            if self._closed:
                call.end()
            self._open.add(call)
        timer.start()
        try:
            yield call
        except (OSError, http.client.HTTPException):
            call.check()  # which says why the connection broke
            raise
        else:
            call.check()  # what was read of a connection that is cut may look whole
        finally:
            timer.cancel()
            with self._guard:
                self._open.discard(call)
            call.close()


class _Call:
    """A connection that another thread can cut, whatever the thread that uses it waits for.

    The timeout of a socket holds for each packet: a server that sends a byte now and then would
    never reach it.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_over = False

    def connected(self, family: int, place: tuple[str, int], *, name: str | None) -> socket.socket:
        """Return a connection to a place; over TLS, to who can prove to have `name`, if given."""
        raw = socket.socket(family, socket.SOCK_STREAM)
        self._hold(raw)
        raw.settimeout(SECONDS)
        raw.connect(place)
        raw.settimeout(None)
        self.check()  # it may have been cut before it came about
        if name is None:
            return raw
        context = ssl.create_default_context()
        wrapped = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
        self._hold(wrapped)
        wrapped.do_handshake()
        return wrapped

    def end(self) -> None:
        """Cut the connection: who reads or writes it goes on at once."""
        with self._guard:
            self._is_over = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # it is not connected yet, or not any more
                    # Not SSLSocket's own, which would let the reader take bytes for plain text.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def check(self) -> None:
        """Errors: TimeoutError where the connection was cut."""
        with self._guard:
            if self._is_over:
                raise TimeoutError(f"no whole answer came in time, {SECONDS} seconds") from None

    def close(self) -> None:
        """Let go of the connection."""
        with self._guard:
            held, self._socket = self._socket, None
        if held is not None:
            held.close()

    def _hold(self, new: socket.socket) -> None:
        with self._guard:
            self._socket = new
        self.check()


def _address_of(host: str, port: int) -> tuple[int, str]:
    """Return family and figures of a host. Errors: PermissionDenied for one that is not public."""
    found = [
        (int(family), str(place[0]))
        for family, _, _, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    named = not _is_figures(host)
    for _, address in found:
        ip = _inner(ipaddress.ip_address(address.partition("%")[0]))
        if ip.is_link_local or ip.is_unspecified or ip.is_multicast or (named and not ip.is_global):
            raise PermissionDenied(
                f"{host} leads to {address}, which is not public. Allow it by its figures if it"
                " is meant."
            )
    return found[0]


def _is_figures(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _inner(ip: Address) -> Address:
    """Return the address of version 4 that one of version 6 stands for, else itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _TRANSLATED:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip
