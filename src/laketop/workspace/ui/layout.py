"""The frame around every page: where one is, where one can go, and what a browser may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from laketop.workspace.ui.elements import link
from laketop.workspace.ui.html import Html, el, join
from laketop.workspace.ui.view import Page

_ASSETS = Path(__file__).parent / "assets"
ASSETS: Mapping[str, str] = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What every page loads; it names nothing of the workspace."""

SECTIONS = {
    "home": ("Overview", "/", "h"),
    "jobs": ("Jobs", "/jobs", "j"),
    "runs": ("Runs", "/jobs/runs", "r"),
    "data": ("Catalog", "/explore/data", "c"),
    "models": ("Models", "/ml/models", "m"),
    "experiments": ("Experiments", "/ml/experiments", "e"),
    "endpoints": ("Serving", "/ml/endpoints", "s"),
    "monitors": ("Monitors", "/monitors", "o"),
    "outbox": ("Outbox", "/outbox", "b"),
}
"""The parts of the page: text, address, and the key that leads there after `g`."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""What a browser is told of every page."""

_OTHER_KEYS = (
    ("/", "search"),
    ("j, k", "next, previous row"),
    ("Enter", "open the row"),
    ("u", "up, to what holds this"),
    ("n, p", "next page, first page"),
    ("?", "these keys"),
)


def asset(name: str) -> bytes:
    """Return the bytes of a file that every page loads."""
    return (_ASSETS / name).read_bytes()


def document(page: Page, *, project: str, search: str = "") -> bytes:
    """Return a page in its frame as it is sent."""
    main = el(
        "main",
        _trail(page),
        el("h1", page.title),
        page.body,
        id="main",
        data_changing="yes" if page.is_changing else None,
    )
    return _whole(page.title, project, join(_head(page, project, search), main, _keys()))


def bare(title: str, body: Html, *, head: Html | None = None) -> bytes:
    """Return a page for somebody who is not signed in: it names nothing of the workspace."""
    return _whole(title, "laketop", el("main", el("h1", title), body, class_="bare"), head=head)


def _whole(title: str, project: str, body: Html, *, head: Html | None = None) -> bytes:
    whole = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="color-scheme", content="light dark"),
            el("title", f"{title} · {project}"),
            el("link", rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
            el("link", rel="stylesheet", href="/assets/page.css"),
            el("script", src="/assets/page.js", defer=True),
            head,
        ),
        el("body", body),
        lang="en",
    )
    return b"<!doctype html>\n" + whole.encode()


def _head(page: Page, project: str, search: str) -> Html:
    links = [
        el(
            *("a", text),
            href=address,
            aria_current="page" if name == page.section else None,
            data_key=key,
        )
        for name, (text, address, key) in SECTIONS.items()
    ]
    box = el(
        "input", name="q", value=search, type="search", placeholder="Search names  /",
        aria_label="search names", autocomplete="off", maxlength=200,
    )  # fmt: skip
    return el(
        "header",
        el("a", el("b", "laketop"), " ", el("span", project), href="/", class_="brand"),
        el("form", box, action="/search", method="get", role="search"),
        el("nav", links, aria_label="parts", class_="parts"),
        class_="top",
    )


def _trail(page: Page) -> Html | None:
    if not page.trail:
        return None
    steps = [el("li", link(text, address)) for text, address in page.trail]
    return el("nav", el("ol", steps), aria_label="where this is", class_="trail")


def _keys() -> Html:
    places = [(f"g {key}", text) for text, _, key in SECTIONS.values()]
    told = [
        el("div", el("dt", el("kbd", keys)), el("dd", what))
        for keys, what in (*_OTHER_KEYS, *places)
    ]
    return el("dialog", el("h2", "Keys"), el("dl", told), id="keys")
