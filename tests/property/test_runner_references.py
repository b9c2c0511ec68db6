"""References on random scopes: what is written is read back, what is no reference stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.errors import ConfigError
from laketop.runner.references import Scope, has_reference, reference, resolve

thorough = settings(max_examples=max(200, settings().max_examples), deadline=None)

names = st.text(st.characters(exclude_characters="`{}", exclude_categories=["Cs"]), min_size=1)
plain = st.text("abcXYZ019_", min_size=1)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def scope_of(parts: list[str], value: Any) -> Scope:
    """Return the scope in which `parts` lead to `value`."""
    for part in reversed(parts):
        value = Scope({part: value})
    assert isinstance(value, Scope)
    return value


@thorough
@given(st.lists(names, min_size=1, max_size=4), values)
def test_what_is_written_is_read_back(parts: list[str], value: Any) -> None:
    text = resolve(reference(*parts), scope_of(parts, value))
    assert text == value if isinstance(value, str) else json.loads(text) == value


@thorough
@given(st.text(), st.text(), names, st.text())
def test_the_text_around_a_reference_stays(before: str, after: str, name: str, value: str) -> None:
    before, after = before.replace("{", "("), after.replace("}", ")")
    text = f"{before}{reference('job', name)}{after}"
    assert resolve(text, scope_of(["job", name], value)) == f"{before}{value}{after}"


@thorough
@given(values, st.dictionaries(plain, st.text()))
def test_settings_without_a_reference_stay(value: Any, scope: dict[str, str]) -> None:
    if not has_reference(value):
        assert resolve(value, Scope(scope)) == value


@thorough
@given(st.lists(plain, min_size=1, max_size=4), st.text("{}`.abc ", max_size=30))
def test_any_text_is_replaced_kept_or_refused(parts: list[str], text: str) -> None:
    try:
        resolve(text, scope_of(["job", *parts], "x"))
    except ConfigError as error:
        pytest.fail(f"{text!r} names no known namespace, yet: {error}")


@thorough
@given(st.lists(plain, min_size=1, max_size=3), plain)
def test_another_key_of_a_known_namespace_is_an_error(parts: list[str], other: str) -> None:
    scope = scope_of(["job", *parts], 1)
    if other not in scope["job"]:
        with pytest.raises(ConfigError, match="leads to nothing"):
            resolve(reference("job", other), scope)
