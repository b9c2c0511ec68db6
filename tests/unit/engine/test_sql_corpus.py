from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tests import sql_corpus
from tests.sql_corpus import Case, Step

ROOT = Path(__file__).resolve().parents[3]


def test_a_file_reads_back_as_it_is_written(tmp_path: Path) -> None:
    cases = [
        Case("One", [Step("SELECT 1,\n 2", "a", ["1 int", "1"]), Step("CREATE TABLE t (a INT)")]),
        Case("Two", [Step("BEGIN\n  SELECT 1;\nEND", "", ["error X: no"])]),
    ]
    file = tmp_path / "family.sql"
    file.write_text(sql_corpus.text(cases), encoding="utf-8")
    assert sql_corpus.read(file) == cases


@pytest.mark.parametrize(
    ("expected", "refusal", "errors"),
    [
        (["error UNSUPPORTED_FEATURE: Not here."], "Not here.", ["UNSUPPORTED_FEATURE"]),
        (["error DIVIDE_BY_ZERO"], None, ["DIVIDE_BY_ZERO"]),
        (["a int", "1"], None, []),
        ([], None, []),
    ],
)
def test_the_answers_of_a_case_say_how_it_ends(
    expected: list[str], refusal: str | None, errors: list[str]
) -> None:
    case = Case("c", [Step("SELECT 1", "", ["1 int"]), Step("SELECT 2", "", expected)])
    assert (case.refusal, case.errors, case.works) == (refusal, errors, True)
    alone = Case("c", [Step("SELECT 2", "", expected)])
    assert alone.works == (not errors)


def test_of_another_runtime_only_what_it_answers_otherwise_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "family.sql"
    one, two = Case("One", [Step("SELECT 1", "", ["1 int", "1"])]), Case("Two", [Step("SELECT 2")])
    sql_corpus.write_for(file, "default", [one, two])
    assert sql_corpus.read_for(file, "older") == [one, two]
    other = Case("Two", [Step("SELECT 2", "", ["error X"])])
    sql_corpus.write_for(file, "older", [one, other])
    assert sql_corpus.read(tmp_path / "older" / "family.sql") == [other]
    assert sql_corpus.read_for(file, "older") == [one, other]
    assert sql_corpus.read_for(file, "default") == [one, two]
    sql_corpus.write_for(file, "older", [one, two])
    assert not (tmp_path / "older" / "family.sql").exists()


def test_another_runtime_answers_otherwise_to_the_same_statements() -> None:
    for own in sql_corpus.FOLDER.glob("*/*.sql"):
        common = {case.title: case for case in sql_corpus.read(sql_corpus.FOLDER / own.name)}
        for case in sql_corpus.read(own):
            asked = [(step.sql, step.columns) for step in common[case.title].steps]
            assert asked == [(step.sql, step.columns) for step in case.steps], case.title
            assert case != common[case.title], case.title


def test_the_page_is_that_of_the_cases() -> None:
    spec = importlib.util.spec_from_file_location("sql_table", ROOT / "scripts" / "sql_table.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.DOCUMENT.read_text(encoding="utf-8")
    assert written == script.document(), "run python scripts/sql_table.py"
