"""Links that carry their own permission."""

from __future__ import annotations

import pytest

from laketop.workspace.gate import query_of
from laketop.workspace.links import Links

PATH = "/api/laketop/1/statements/a%20b/chunks/0"


def opened(links: Links, link: str, *, method: str = "GET", now_ms: int = 5) -> str | None:
    path, _, text = link.partition("?")
    query = query_of({"query_string": text.encode()})
    return links.user_of(method, path, query, now_ms=now_ms)


def test_a_link_speaks_for_its_user_until_its_time() -> None:
    links = Links()
    link = links.signed("GET", PATH, user="a@b.c", until_ms=5)

    assert opened(links, link) == "a@b.c"
    assert opened(links, link, now_ms=6) is None


@pytest.mark.parametrize(
    ("old", "new"), [("chunks/0", "chunks/1"), ("until=5", "until=50"), ("a%40b.c", "root")]
)
def test_a_link_that_was_changed_opens_nothing(old: str, new: str) -> None:
    links = Links()
    link = links.signed("GET", PATH, user="a@b.c", until_ms=5)
    assert old in link

    assert opened(links, link.replace(old, new)) is None


def test_a_link_is_for_one_method_and_one_process() -> None:
    links = Links()
    link = links.signed("GET", PATH, user="a@b.c", until_ms=5)

    assert opened(links, link, method="PUT") is None
    assert opened(Links(), link) is None
    assert opened(links, PATH) is None


def test_a_signature_that_is_not_ascii_opens_nothing() -> None:
    link = Links().signed("GET", PATH, user="a@b.c", until_ms=5)
    assert opened(Links(), f"{link}%C3%A9") is None
