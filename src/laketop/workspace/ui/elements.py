"""What pages are made of: tables, states, facts, tabs, moments, sizes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from laketop.workspace.ui.html import Child, Html, el, join
from laketop.workspace.ui.view import View

_TONES = {
    **dict.fromkeys(("SUCCESS", "READY", "PROMOTED", "APPROVED", "PASSED", "SUCCEEDED"), "ok"),
    **dict.fromkeys(("SUCCESS_WITH_FAILURES", "MAXIMUM_CONCURRENT_RUNS_REACHED"), "warn"),
    **dict.fromkeys(("FAILED", "TIMEDOUT", "INTERNAL_ERROR", "UPSTREAM_FAILED"), "bad"),
    **dict.fromkeys(("REJECTED", "FAILED_REGISTRATION", "UPDATE_FAILED", "NOT_READY"), "bad"),
    **dict.fromkeys(
        ("CANCELED", "UPSTREAM_CANCELED", "TERMINATING", "PENDING_REGISTRATION"), "warn"
    ),
    **dict.fromkeys(("RUNNING", "IN_PROGRESS", "WAITING_FOR_RETRY"), "run"),
}
_UNITS = ("B", "kB", "MB", "GB", "TB")


def tone(word: str) -> str:
    """Return the class of a state's colour: ok, bad, warn, run, or idle for all that waits."""
    return _TONES.get(word.upper(), "idle")


def status(word: str) -> Html:
    """Return a state: a dot in its colour, and its word."""
    shown = word.replace("_", " ").lower()
    return el("span", el("i", class_="dot"), shown, class_=f"state {tone(word)}")


def word_of(run: Mapping[str, Any]) -> str:
    """Return the one word that tells the state of a run or of a task's run."""
    state = run.get("state") or {}
    return str(state.get("result_state") or state.get("life_cycle_state") or "PENDING")


def table(heads: Sequence[str], rows: Iterable[Sequence[Child]], *, empty: str) -> Html:
    """Return a table; a head that begins with `#` is of a column of numbers.

    `empty` is said instead where there is no row.
    """
    is_number = [head.startswith("#") for head in heads]
    body = [
        el(
            "tr",
            [
                el("td", cell, class_="num" if n else None)
                for cell, n in zip(row, is_number, strict=True)
            ],
        )
        for row in rows
    ]
    if not body:
        return el("p", empty, class_="empty")
    top = [
        el("th", head.removeprefix("#"), scope="col", class_="num" if n else None)
        for head, n in zip(heads, is_number, strict=True)
    ]
    whole = el("table", el("thead", el("tr", top)), el("tbody", body))
    return el("div", whole, class_="scroll")


def facts(*pairs: tuple[str, Child]) -> Html:
    """Return names and what they are; pairs that hold nothing are left out."""
    told = [(name, value) for name, value in pairs if value not in (None, "", [], ())]
    return el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in told])


def section(title: str, *children: Child, more: Child = None) -> Html:
    """Return a part of a page with its heading; `more` stands at the heading's right."""
    return el("section", el("header", el("h2", title), more), *children)


def tabs(view: View, names: Mapping[str, str], current: str) -> Html:
    """Return the tabs of a page: texts by their word in the query; the first needs none."""
    first = next(iter(names))
    return el(
        "nav",
        [
            link(text, view.here(tab=None if name == first else name), current=name == current)
            for name, text in names.items()
        ],
        class_="tabs",
    )


def link(text: Child, address: str, *, current: bool = False) -> Html:
    """Return a link to a path of this site."""
    return el("a", text, href=address, aria_current="page" if current else None)


def pager(older: str | None, *, newest: str | None = None) -> Html:
    """Return the links to the next page of a list, and back to its first."""
    first = el("a", "first page", href=newest, rel="first") if newest else None
    more = el("a", "next page", href=older, rel="next") if older else None
    return el("nav", first, more, class_="pager") if first or more else join()


def notice(*children: Child, kind: str = "note") -> Html:
    """Return a sentence that stands out; `kind` is note, or bad for an error."""
    return el("p", *children, class_=f"notice {kind}")


def code(text: str) -> Html:
    """Return text as it is written, in lines."""
    return el("pre", text, tabindex="0")


def as_json(value: Any) -> Html:
    """Return a value as JSON, in lines."""
    return code(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def chips(tags: Mapping[str, Any]) -> Html:
    """Return tags: each a name and its value, long ones cut with the whole as their title."""
    return join(
        [
            el(
                "span",
                el("b", name),
                f" {_cut(str(value), 80)}",
                class_="chip",
                title=f"{name}: {value}",
            )
            for name, value in tags.items()
        ]
    )


def chip(text: str, *, kind: str = "") -> Html:
    """Return a word in a frame, such as an alias."""
    return el("span", text, class_=f"chip {kind}".strip())


def moment(at_ms: int | None) -> Html:
    """Return a time in ms since 1970 as the laptop's clock on the wall shows it; 0 is none."""
    if not at_ms:
        return join()
    try:
        at = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return join(str(at_ms))
    shown = f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
    return el("time", shown, datetime=at.isoformat(), title=f"{at:%Y-%m-%d %H:%M:%S} UTC")


def lasted(run: Mapping[str, Any], now_ms: int) -> int | None:
    """Return how long a run or a task took, or has taken so far, in ms; None before it began."""
    start, end = run.get("start_time") or 0, run.get("end_time") or 0
    took: int | None = run.get("run_duration") or run.get("execution_duration")
    if end and took:
        return took
    return max(0, (end or now_ms) - start) if start else None


def duration(ms: int | None) -> str:
    """Return a duration as people say it: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`."""
    if ms is None:
        return ""
    if ms < 1000:
        return f"{ms} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes} min {left} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int | None) -> str:
    """Return a number of bytes in the unit that fits."""
    if count is None:
        return ""
    amount = float(count)
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            break
        amount /= 1000
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def number(value: float | None) -> str:
    """Return a number for people: thousands apart, at most five digits after a point."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.5g}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
