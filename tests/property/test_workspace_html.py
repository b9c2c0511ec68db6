"""Whatever text there is, a page shows it and does not obey it."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.ui.html import el

_SHOWN = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")))
_HOSTILE = st.sampled_from(
    ["<script>", "</pre>", '"', "'", "&", "&lt;", "<!--", "]]>", "javascript:"]
)
_TEXT = st.lists(st.one_of(_SHOWN, _HOSTILE)).map("".join)


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.titles: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.titles += [value for name, value in attrs if name == "title"]
        assert {name for name, _ in attrs} <= {"title"}

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@given(_TEXT, _TEXT)
def test_text_and_attributes_are_read_back_as_they_were(text: str, title: str) -> None:
    read = _Read()
    read.feed(el("p", el("b", text), title=title))
    read.close()
    assert read.tags == ["p", "b"]
    assert "".join(read.text) == text
    assert read.titles == [title]
