"""The frame around pages."""

from __future__ import annotations

import re

from laketop.workspace.ui.html import el
from laketop.workspace.ui.layout import SECTIONS, asset, document
from laketop.workspace.ui.view import Page


def test_the_keys_that_are_told_are_those_that_do_something() -> None:
    script = asset("page.js").decode()
    begin = script.index("const ACTIONS = {")
    actions = script[begin : script.index("};", begin)]
    does = set(re.findall(r'^ +"?(.)"?: \(', actions, re.MULTILINE))
    page = document(Page(title="t", body=el("p", "x"), section="jobs"), project="p").decode()
    told = set(re.findall(r"<kbd>([^<]+)</kbd>", page))
    single = {key for keys in told if not keys.startswith("g ") for key in keys.split(", ")}
    assert single - {"Enter"} == does  # Enter opens the link that has the focus
    places = set(re.findall(r'data-key="(.)"', page))
    assert places == {key for _, _, key in SECTIONS.values()}
    assert {f"g {key}" for key in places} == {keys for keys in told if keys.startswith("g ")}


def test_what_keys_look_for_is_on_the_page() -> None:
    script = asset("page.js").decode()
    trail = [("Jobs", "/jobs")]
    page = document(Page(title="t", body=el("p", "x"), trail=trail), project="p").decode()
    for id_ in re.findall(r'getElementById\("(\w+)"\)', script):
        assert f'id="{id_}"' in page
    assert 'class="trail"' in page
    assert 'type="search"' in page
