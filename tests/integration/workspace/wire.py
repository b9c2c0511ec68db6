"""Records what a client and a workspace say to each other, with names that stay the same."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from databricks.sdk import WorkspaceClient
from requests.adapters import HTTPAdapter

RECORDED = Path(__file__).parents[3] / "fixtures" / "wire"
_ID = re.compile(r"(^|_)(id|ids)$")
_TIME = re.compile(r"(_time|_at|_ms|_timestamp|_duration|^last_modified|^modification_time)$")
_OPAQUE = re.compile(r"\b[0-9a-f]{16,}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

_BEFORE, _AFTER = r"(?<![0-9A-Za-z])(?<![0-9]\.)", r"(?!\.?[0-9A-Za-z])"


@dataclasses.dataclass
class Names:
    """Gives each id, time and name of one conversation a name that is the same in the next."""

    known: Mapping[str, str]
    """Texts that differ from one conversation to the next, and what stands for them."""
    _ids: dict[str, str] = dataclasses.field(default_factory=dict)

    def of(self, value: Any, key: str = "") -> Any:
        """Return a JSON value with names for what is new each time."""
        if isinstance(value, Mapping):
            return {name: self.of(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.of(one, key) for one in value]
        if _TIME.search(key) and isinstance(value, int):
            return "<time>"
        if key == "token_value":
            return "<secret>"
        if _ID.search(key) and value:
            return self._id(str(value))
        return self.text(value, key) if isinstance(value, str) else value

    def text(self, value: str, key: str = "") -> str:
        """Return a text in which each known one, and each opaque id, has its name."""
        for text, name in self.known.items():
            value = value.replace(text, name)
        if "/" in value or key == "message":  # elsewhere a 1 is a 1
            for text, name in self._ids.items():
                value = re.sub(_BEFORE + re.escape(text) + _AFTER, name, value)
        return _OPAQUE.sub(lambda found: self._id(found[0]), value)

    def _id(self, value: str) -> str:
        return self._ids.setdefault(value, f"<id {len(self._ids) + 1}>")


class Recorder(HTTPAdapter):
    """Sends requests as they are, and keeps each with its answer."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.exchanges: list[dict[str, Any]] = []
        self._names = names

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Send one request."""
        answer = super().send(request, *args, **more)
        asked = urlsplit(request.url or "")
        body = request.body if isinstance(request.body, str | bytes) else b""
        is_json = body[:1] in ("{", b"{")
        # The answer goes first: it says which numbers of the request's path are ids.
        told = self._names.of(_content(answer))
        exchange = {
            "request": f"{request.method} {self._names.text(asked.path)}",
            "query": self._names.of(dict(parse_qsl(asked.query))),
            "body": self._names.of(json.loads(body) if is_json else None),
            "status": answer.status_code,
            "answer": told,
        }
        told_before = self.exchanges[-1]["request"] if self.exchanges else ""
        if request.method == "GET" and told_before == exchange["request"]:
            self.exchanges.pop()  # a client that waits asks again and again: the last answer counts
        self.exchanges.append({name: value for name, value in exchange.items() if value})
        return answer


def _content(answer: requests.Response) -> Any:
    if answer.content and "json" in answer.headers.get("Content-Type", ""):
        return answer.json()
    return answer.text


def recorded_by(client: WorkspaceClient, known: Mapping[str, str]) -> Recorder:
    """Return what records all that this client says from now on."""
    recorder = Recorder(Names(known))
    session = client.api_client._api_client._session
    for scheme in ("http://", "https://"):
        session.mount(scheme, recorder)
    return recorder


def differences(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[str]:
    """Return where a conversation says something else than one of another workspace did.

    Another workspace has other values; statuses, error codes, and the fields of what was
    recorded with their kinds of value are the same.
    """
    found = [f"{len(now)} requests, recorded were {len(was)}"] if len(was) != len(now) else []
    for before, after in zip(was, now, strict=False):
        place = before["request"]
        if (place, before["status"]) != (after["request"], after["status"]):
            found.append(f"{place}: {before['status']}, now {after['request']}: {after['status']}")
        else:
            found += _differences(place, before.get("answer"), after.get("answer"))
    return found


def _differences(place: str, was: Any, now: Any) -> list[str]:
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        lacking = [f"{place}: no {name!r}" for name in was if name not in now]
        deeper = (_differences(f"{place}.{key}", was[key], now[key]) for key in was if key in now)
        return [*lacking, *(one for some in deeper for one in some)]
    if isinstance(was, list) and isinstance(now, list):
        return _differences(f"{place}[0]", was[0], now[0]) if was and now else []
    if place.endswith(".error_code") and was != now:
        return [f"{place}: {was!r}, now {now!r}"]
    return [] if type(was) is type(now) else [f"{place}: {was!r}, now {now!r}"]
