"""HTML that is escaped by how it is made: text becomes markup only through `el` and `join`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]
"""What an element may hold; None is nothing, text is escaped unless it is `Html`."""

Attribute = str | int | float | bool | None


def escaped(text: str) -> Html:
    """Return text as markup that shows it.

    Characters that no page may hold, or that turn the reading direction of what follows, show as
    the replacement character.
    """
    if isinstance(text, Html):
        return text
    return Html(html.escape(_DIRECTIONS.sub("\ufffd", _CONTROL.sub("\ufffd", text))))


def join(*children: Child) -> Html:
    """Return the children one after the other."""
    return Html("".join(_parts(children)))


def el(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """Return one element.

    In attribute names `_` stands for `-`, and one at the end is dropped, as in `class_`; True is an
    attribute without a value, None and False are none. Where text leads must be a path of this
    site: any other `href` is left out.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{join(*children)}</{tag}>")


def _parts(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, str):
            yield escaped(child)
        elif isinstance(child, int | float):
            yield str(child)
        elif child is not None:
            yield from _parts(child)


def _attribute(name: str, value: Attribute) -> str:
    shown = name.rstrip("_").replace("_", "-")
    if value is None or value is False or (shown == "href" and not _is_local(str(value))):
        return ""
    return f" {shown}" if value is True else f' {shown}="{escaped(str(value))}"'


def _is_local(address: str) -> bool:
    return re.match(r"(/(?![/\\\s])|[#?]|[.]/)", address) is not None
