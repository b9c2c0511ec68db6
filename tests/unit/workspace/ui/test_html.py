"""Markup that escapes whatever it is given."""

from __future__ import annotations

import pytest

from laketop.workspace.ui.html import Html, el, join


def test_text_is_escaped_and_markup_is_not_escaped_twice() -> None:
    assert el("p", "<b>", el("b", "&")) == "<p>&lt;b&gt;<b>&amp;</b></p>"


def test_an_attribute_cannot_be_left() -> None:
    made = el("a", "x", title='"><script>alert(1)</script>')
    assert "<script" not in made
    assert made.count('"') == 2


def test_none_is_nothing_and_true_is_a_bare_attribute() -> None:
    assert (
        el("option", None, selected=True, class_=None, hidden=False) == "<option selected></option>"
    )


def test_a_list_of_children_is_laid_out_flat() -> None:
    assert join("a", [1, ["<", None]], (2.5,)) == "a1&lt;2.5"


def test_names_of_attributes_are_spelt_for_html() -> None:
    assert el("div", class_="a", data_key="b", aria_label="c") == (
        '<div class="a" data-key="b" aria-label="c"></div>'
    )


@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", "//evil.example", "/\\evil.example"),
        *("https://evil.example", "data:text/html,x", " javascript:x", "/\t/evil.example"),
    ],
)
def test_a_link_leads_nowhere_but_to_this_site(address: str) -> None:
    assert el("a", "x", href=address) == "<a>x</a>"


@pytest.mark.parametrize(
    "address", ["/", "/jobs/1", "#top", "?tab=runs", "/mlflow/#/experiments/1"]
)
def test_a_path_of_this_site_is_kept(address: str) -> None:
    assert el("a", "x", href=address) == f'<a href="{address}">x</a>'


def test_characters_that_no_page_may_hold_or_that_turn_the_text_around_are_replaced() -> None:
    assert join("a\x00b\x1bc\u202ed\ud800") == "a\ufffdb\ufffdc\ufffdd\ufffd"
    assert join("a\tb\nc") == "a\tb\nc"


def test_what_is_markup_already_says_so() -> None:
    assert isinstance(join("a"), Html)
    assert isinstance(el("br"), Html)
    assert el("br") == "<br>"
