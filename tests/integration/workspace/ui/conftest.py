"""A browser of few words: it asks for pages and reads them, and wants each of them well made."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
import requests
from tests.integration.workspace.conftest import Served

from laketop.workspace.services.mlflow import Parts
from laketop.workspace.workspace import Workspace

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
"""A name that would run if it were not escaped."""

BOB = "bob@laketop.local"

_VOID = {"br", "hr", "img", "input", "link", "meta"}
SIGNATURE = """\
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""


class _Reader(HTMLParser):
    """Reads a page, and fails where it is not well made or not as strict as its policy."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        assert tag != "style"
        for name in ("href", "src", "action"):
            address = given.get(name)
            assert address is None or address[0] in "/?#", address
        if tag == "script":
            assert given == {"src": "/assets/page.js", "defer": None}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert "script" not in self.open or not data
        self.text.append(data)


@dataclasses.dataclass(frozen=True)
class Seen:
    """A page as it was read."""

    status: int
    html: str
    text: str
    links: list[str]
    headers: dict[str, str]


Look = Callable[..., Seen]


@pytest.fixture(scope="module")
def look(served: Served) -> Look:
    """Return a function that looks at a path as the admin, who is signed in."""
    return _signed_in(served, served.token)


@pytest.fixture(scope="module")
def look_as_bob(served: Served) -> Look:
    """Return a function that looks at a path as somebody whom nothing was granted."""
    return _signed_in(served, served.workspace.tokens.issue(BOB))


def _signed_in(served: Served, token: str) -> Look:
    session = requests.Session()
    session.trust_env = False
    link = session.post(
        f"{served.host}/api/laketop/1/page/link",
        headers={"Authorization": f"Bearer {token}"},
        json={},
        timeout=60,
    ).json()["url"]
    assert session.get(link, timeout=60).status_code == 200

    def looked(path: str, *, status: int = 200) -> Seen:
        answer = session.get(f"{served.host}{path}", headers={"Accept": "text/html"}, timeout=60)
        assert answer.status_code == status, answer.text[:2000]
        return seen(answer)

    return looked


@pytest.fixture(scope="module")
def parts(workspace: Workspace) -> Parts:
    """Return MLflow's store and the registry; what MLflow loads warns of each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded: Parts = workspace.mlflow.parts()
    return loaded


def seen(answer: requests.Response) -> Seen:
    """Return the page that was answered, read."""
    reader = _Reader()
    reader.feed(answer.text if "html" in answer.headers["Content-Type"] else "")
    reader.close()
    assert reader.open == []
    return Seen(
        answer.status_code,
        answer.text,
        " ".join(reader.text),
        reader.links,
        {name.lower(): value for name, value in answer.headers.items()},
    )
