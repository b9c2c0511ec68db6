"""Which addresses may be posted to, and where the connection goes."""

from __future__ import annotations

import concurrent.futures
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied
from tests.dripping import dripping

from laketop.workspace import outgoing

HOOKS = ("https://hooks.example.com/team", "http://10.0.0.7:9000/")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/team",
        "https://hooks.example.com/team/a",
        "https://hooks.example.com/team?key=a/../b",
        "http://10.0.0.7:9000/a/b?c=d",
    ],
)
def test_what_lies_below_an_address_that_is_allowed_is_too(url: str) -> None:
    outgoing.check_url(url, HOOKS, setting="S")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/team",
        "https://hooks.example.com/teams",
        "https://hooks.example.com/team/../other",
        "https://hooks.example.com/team/%2e%2e/other",
        "https://hooks.example.com/team/..%5cother",
        "https://hooks.example.com.evil.example/team",
        "https://hooks.example.com:444/team",
        "https://hooks.example.com/team#a",
        "http://10.0.0.7:90001/",
        "http://10.0.0.7/",
    ],
)
def test_what_does_not_is_refused(url: str) -> None:
    with pytest.raises((PermissionDenied, InvalidParameterValue), match=r"S allows|no http"):
        outgoing.check_url(url, HOOKS, setting="S")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://hooks.example.com/team", "https:///team", "https://[::1/team", "team", ""),
        *("https://a@hooks.example.com/team", "https://hooks.example.com/team/\r\nX: y"),
        *("https://hooks.example.com/team/ü", "https://hooks.example.com:99999/team"),
        *("https://.x/", f"https://{'a' * 64}.example.com/"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidParameterValue):
        outgoing.check_url(url, HOOKS, setting="S")


@pytest.mark.parametrize("allowed", ["https://", "https:/", "https:", "https://10."])
def test_a_private_address_is_not_allowed_by_less_than_its_host(allowed: str) -> None:
    with pytest.raises(PermissionDenied, match="S allows"):
        outgoing.check_url("https://10.0.0.7/a", (allowed,), setting="S")


class Names:
    """A resolver that answers a name with the next of its addresses each time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers: Iterator[list[str]] = iter(answers)

    def __call__(self, _host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, 0, 0, "", (one, port))
            for one in next(self._answers)
        ]


class Wire(socket.socket):
    """A socket that remembers where it was sent, and goes nowhere."""

    sent: list[Any]

    def connect(self, address: Any) -> None:
        """Refuse, like a server that is not there."""
        self.sent.append(address)
        raise ConnectionRefusedError


def _post(url: str, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[Any]:
    sent: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", Names(*answers))
    monkeypatch.setattr(socket, "socket", type("W", (Wire,), {"sent": sent}))
    with pytest.raises(ConnectionRefusedError):
        outgoing.Calls().post(url, b"{}", {}, allowed=(url,), setting="S")
    return sent


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::"),
    ],
)
def test_a_name_leads_to_no_private_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in ([address], ["8.8.8.8", address]):
        with pytest.raises(PermissionDenied, match="not public"):
            _post("https://hooks.example.com/a", monkeypatch, answer)


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = _post("http://hooks.example.com/a", monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    assert sent == [("8.8.8.8", 80)]


def test_a_private_address_is_allowed_by_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _post("https://10.0.0.7:9000/a", monkeypatch, ["10.0.0.7"]) == [("10.0.0.7", 9000)]


def test_the_metadata_of_a_cloud_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermissionDenied, match="not public"):
        _post("http://169.254.169.254/latest", monkeypatch, ["169.254.169.254"])


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("scheme", "begin", "drip"),
    [
        ("http", b"", b""),
        ("https", b"", b""),
        ("http", b"", b"1"),
        ("http", HEAD + b"X-Long: ", b"1"),
        ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("http", HEAD + b"Content-Length: 99999\r\n\r\n", b"1"),
        ("http", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"),
    ],
)
def test_an_answer_without_an_end_is_cut_off(
    scheme: str, begin: bytes, drip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", 1)
    with dripping(begin, drip) as server:
        url = f"{scheme}://{server.place}/"
        with pytest.raises(TimeoutError, match="no whole answer"):
            outgoing.Calls().post(url, b"{}", {}, allowed=(url,), setting="S", longest=65536)
        server.hung_up.get(timeout=60)


def test_closing_ends_what_is_under_way_and_lets_nothing_more_begin() -> None:
    calls = outgoing.Calls()
    with dripping() as server, concurrent.futures.ThreadPoolExecutor() as pool:

        def post() -> None:
            calls.post(server.url, b"{}", {}, allowed=(server.url,), setting="S")

        under_way = pool.submit(post)
        server.came.get(timeout=60)
        calls.close()
        for call in (under_way, pool.submit(post)):
            with pytest.raises(TimeoutError):
                call.result(timeout=60)
        assert server.came.empty()
