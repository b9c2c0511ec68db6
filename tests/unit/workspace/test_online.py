"""Online tables: written whole or not at all, read by key."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laketop.workspace.online import About, NotPublished, OnlineReader, OnlineTables, Row

PLANES = About(
    name="main.s.planes_online",
    store="fast",
    source="main.s.planes",
    mode="TRIGGERED",
    keys=(("tail", "string"), ("number", "bigint")),
    source_id="1",
    version=3,
    synced_ms=0,
)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[OnlineTables]:
    made = OnlineTables(tmp_path / "online.db")
    yield made
    made.close()


@pytest.fixture
def reader(tables: OnlineTables, tmp_path: Path) -> Iterator[OnlineReader]:
    made = OnlineReader(tmp_path / "online.db")
    yield made
    made.close()


def test_a_key_finds_its_row_and_no_other(tables: OnlineTables, reader: OnlineReader) -> None:
    tables.write(PLANES, [(("N1", 1), '{"seats":2}'), (("Ñ\n", 2), '{"seats":null}')], whole=True)
    asked = [("N1", 1), ("Ñ\n", 2.0), ("N1", 2), (None, 1)]
    assert reader.find("MAIN.s.planes", asked) == [{"seats": 2}, {"seats": None}, None, None]
    assert tables.all() == [PLANES]
    assert tables.get(PLANES.name) == PLANES


@pytest.mark.parametrize("key", [(1, 1), ("N1", "1"), ("N1", True), ("N1", 1.5)])
def test_a_key_of_another_type_is_told(
    tables: OnlineTables, reader: OnlineReader, key: tuple[object, ...]
) -> None:
    tables.write(PLANES, [], whole=True)
    with pytest.raises(ValueError, match=r"the key '(tail|number)' of 'main.s.planes' is"):
        reader.find("main.s.planes", [key])


def test_changes_touch_only_the_keys_that_they_name(
    tables: OnlineTables, reader: OnlineReader
) -> None:
    tables.write(PLANES, [(("a", 1), "{}"), (("b", 1), "{}"), (("c", 1), "{}")], whole=True)
    later = dataclasses.replace(PLANES, version=4)
    tables.write(later, [(("b", 1), '{"x":1}'), (("c", 1), None), (("d", 1), None)], whole=False)
    found = reader.find(PLANES.source, [(name, 1) for name in "abcd"])
    assert found == [{}, {"x": 1}, None, None]
    assert tables.get(PLANES.name) == later


def test_rows_that_break_off_change_nothing(tables: OnlineTables, reader: OnlineReader) -> None:
    tables.write(PLANES, [(("a", 1), "{}")], whole=True)

    def breaking() -> Iterator[Row]:
        yield ("b", 1), "{}"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tables.write(dataclasses.replace(PLANES, version=9), breaking(), whole=True)
    assert reader.find(PLANES.source, [("a", 1), ("b", 1)]) == [{}, None]
    assert tables.get(PLANES.name) == PLANES


def test_the_oldest_online_table_of_a_source_answers(
    tables: OnlineTables, reader: OnlineReader
) -> None:
    tables.write(PLANES, [(("a", 1), '{"from":1}')], whole=True)
    second = dataclasses.replace(PLANES, name="main.s.again")
    tables.write(second, [(("a", 1), '{"from":2}')], whole=True)
    assert reader.find(PLANES.source, [("a", 1)]) == [{"from": 1}]
    tables.drop(PLANES.name)
    assert reader.find(PLANES.source, [("a", 1)]) == [{"from": 2}]
    tables.drop(second.name)
    with pytest.raises(NotPublished, match=r"'main.s.planes' is in no online store"):
        reader.find(PLANES.source, [("a", 1)])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("online") / "online.db"


@settings(max_examples=30)
@given(kept=st.dictionaries(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1)), st.text()))
def test_whatever_text_is_a_key_is_found_again(
    file: Path, kept: dict[tuple[str, int], str]
) -> None:
    tables = OnlineTables(file)
    tables.write(PLANES, [(key, json.dumps({"v": text})) for key, text in kept.items()], whole=True)
    reader = OnlineReader(file)
    found = reader.find(PLANES.source, list(kept))
    reader.close()
    tables.close()
    assert [row and row["v"] for row in found] == list(kept.values())
