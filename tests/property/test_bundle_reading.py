"""Reading YAML: plain values come back, each from the place where it is written."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from laketop.bundle.nodes import leaves, node_of, plain
from laketop.bundle.reading import read_text
from laketop.errors import ConfigError

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=8)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**15), 10**15),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=10,
)
WORDS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
TREES = st.dictionaries(WORDS, st.dictionaries(WORDS, st.integers(0, 99), min_size=1), min_size=1)


class Writer(yaml.SafeDumper):
    """Quotes every text with a digit: PyYAML leaves `0E0` bare, a number in newer YAML."""


def _text(writer: Writer, text: str) -> yaml.ScalarNode:
    style = "'" if any(map(str.isdigit, text)) else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Writer.add_representer(str, _text)


@given(VALUES)
def test_json_reads_as_itself(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert plain(read_text(f"value: {text}\n", "x.yml")) == {"value": value}


@given(VALUES)
@example("0E0")
@example({"0E0": None})
def test_what_yaml_writes_reads_as_itself(value: Any) -> None:
    text = yaml.dump({"value": value}, Dumper=Writer, allow_unicode=True)
    assert plain(read_text(text, "x.yml")) == {"value": value}


@given(TREES)
def test_every_leaf_is_where_its_place_says(tree: dict[str, dict[str, int]]) -> None:
    text = yaml.safe_dump(tree)
    lines = text.splitlines()
    for _, leaf in leaves(read_text(text, "x.yml")):
        line = lines[leaf.place.line - 1]
        written = line[leaf.place.column - 1 :].strip("'")
        assert written == leaf.text or written == str(leaf.value)


@given(st.text(max_size=60))
def test_any_text_is_read_as_json_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        json.dumps(plain(read_text(text, "x.yml")), allow_nan=False)


@given(VALUES)
def test_plain_undoes_node_of(value: Any) -> None:
    assert plain(node_of(value)) == value
