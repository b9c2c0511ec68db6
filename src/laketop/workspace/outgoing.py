"""Requests to addresses outside: only to those that the settings allow, and where they lead.

Source: reliability S14. A name is resolved once, every address it has is checked, and the
connection goes to the one that was checked. Redirects are not followed, proxies not asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

SECONDS: Final = 5
_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_ANSWER: Final = 64 * 1024
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
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isascii() or any(ord(c) <= 32 or c == "\x7f" for c in url):
        raise InvalidParameterValue(f"{url[:200]!r} is no http:// or https:// address.")
    if "@" in parts.netloc:
        raise InvalidParameterValue("The address holds a user or a password.")
    if "#" in url or not is_within(url.partition("?")[0], allowed):
        raise PermissionDenied(
            f"{url[:200]} is not among the addresses that {setting} allows:"
            f" {', '.join(allowed) or 'none'}."
        )
    return parts


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[str], setting: str
) -> tuple[int, bytes]:
    """Post to an address that is allowed; return the status and what is answered, cut.

    A name that is not an address in figures leads to public addresses only: a private one is
    allowed by its figures. Errors: as `check_url`; OSError and HTTPException of the connection.
    """
    parts = check_url(url, allowed, setting=setting)
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection.sock = _connected(host, port, is_tls=parts.scheme == "https")
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        shown = {"Host": parts.netloc, "Connection": "close", **headers}
        connection.request("POST", target, body, shown)
        answer = connection.getresponse()
        return answer.status, answer.read(_LONGEST_ANSWER)
    finally:
        connection.close()


def _connected(host: str, port: int, *, is_tls: bool) -> socket.socket:
    """Return a connection to an address of `host` that was checked."""
    family, address = _address_of(host, port)
    raw = socket.socket(family, socket.SOCK_STREAM)
    try:
        raw.settimeout(SECONDS)
        raw.connect((address, port))
        return (
            ssl.create_default_context().wrap_socket(raw, server_hostname=host) if is_tls else raw
        )
    except BaseException:
        raw.close()
        raise


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
