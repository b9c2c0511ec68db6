from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle.nodes import NODE_LIMIT, Node, Place, plain
from laketop.bundle.problems import Problems
from laketop.bundle.reading import read_file, read_text
from laketop.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "x.yml")
    return str(caught.value)


def test_every_value_knows_its_place() -> None:
    tree = read_text("a:\n  - b: 1\n    c: text\n", "x.yml")
    node = tree.get("a", 0, "c")
    assert node == Node("text", Place("x.yml", 3, 8))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None),
        ("", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("0b101", 5),
        ("1_000", 1000),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("9" * 200, "9" * 200),
    ],
)
def test_a_scalar_is_read_by_yaml_1_2(text: str, value: object) -> None:
    node = read_text(f"key: {text}\n", "x.yml").get("key")
    assert node is not None
    assert (node.value, type(node.value)) == (value, type(value))


def test_the_last_of_equal_keys_wins() -> None:
    assert plain(read_text("a: 1\na: 2\n", "x.yml")) == {"a": 2}


def test_the_first_of_equal_keys_is_told_where_it_stands() -> None:
    problems = Problems()
    read_text("x: &x\n  long: 1\na: *x\na: 2\n", "x.yml", problems)
    (problem,) = problems.all()
    assert (problem.line, problem.column) == (4, 1)
    assert problem.hint == "the first is at x.yml:3:1"


def test_a_key_has_its_own_place_whatever_its_value_is_an_alias_of() -> None:
    tree = read_text("a: &a\n  b: 1\nc: *a\nd: [*a]\n", "x.yml")
    at = {key: node.key_place.line for key, node in tree.entries.items()}
    assert at == {"a": 1, "c": 3, "d": 4}
    assert tree.get("c", "b") is tree.get("a", "b")
    assert plain(tree) == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]}
    assert tree.get("d", 0) is tree.get("a")


def test_own_keys_win_over_merged_ones_and_the_first_map_over_the_second() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n"
    assert plain(read_text(text, "x.yml"))["z"] == {"a": 0, "b": 1, "c": 2}


def test_only_the_first_document_counts() -> None:
    assert plain(read_text("a: 1\n---\na: 2\n", "x.yml")) == {"a": 1}


def test_a_question_mark_is_text_inside_of_a_flow_map() -> None:
    tree = read_text("{cron: 0 0 * * * ?, zone: UTC}", "x.yml")
    assert plain(tree) == {"cron": "0 0 * * * ?", "zone": "UTC"}


def test_an_empty_file_is_an_empty_map() -> None:
    assert plain(read_text("# nothing\n", "x.yml")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "x.yml:1: the file is not YAML"),
        ("a: *b", "x.yml:1:4: no anchor 'b' comes before its alias"),
        ("a: &a [*a]", "x.yml:1:8: the anchor 'a' holds itself"),
        ("a: {1: b}", "x.yml:1:5: the key '1' is not text"),
        ("a: {[b]: c}", "x.yml:1:5: the key 'sequence' is not text"),
        ("a: {<<: {}, <<: {}}", "x.yml:1:13: one map has two '<<' keys"),
        ("a: {<<: 1}", "x.yml:1:9: '<<' takes a map or a list of maps, not a int"),
        ("a: !!python/object:os.system x", "is not one of YAML's own"),
        ("a: !!set {b}", "is not one of YAML's own"),
        ("a: !mine x", "is not one of YAML's own"),
        ("[" * 200 + "]" * 200, "nested more than 100 deep"),
        ("a:\n\tb: 1", "x.yml:2:1: the file is not YAML"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, message: str) -> None:
    assert message in refusal(text)


def test_a_tab_is_told_apart() -> None:
    assert "hint: indent with spaces" in refusal("a:\n\tb: 1")


def test_aliases_that_multiply_are_counted_without_being_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    assert f"the file has more than {NODE_LIMIT} values" in refusal("\n".join(lines))


def test_aliases_that_nest_are_limited_in_depth() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 120)]
    assert "nested more than 100 deep" in refusal("\n".join(lines))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: " + b"x" * 1_000_000, "x.yml: the file has 1000003 bytes, the limit is 1000000"),
        (b"a: 1\nb: \xff\n", "x.yml:2: byte 8 is not UTF-8"),
        (b"a: \x00", "x.yml"),
    ],
)
def test_a_file_that_is_too_long_or_not_text_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_file(path, "x.yml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path / "x.yml", "x.yml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert plain(read_file(path, "x.yml")) == {"a": 1}
