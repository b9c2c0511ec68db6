"""Recipes, and what differs between two saved models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from laketop.ml import NotFound, Recipe, Refused, rows_sha256
from laketop.ml.locks import LOCK_FILE
from laketop.ml.reproduction import compare, facts_that_differ, trained_otherwise

RECIPE = Recipe(
    entry_point="flights.train:refit",
    parameters={"train_through": "2013-03"},
    inputs={"dev.flights.weather": 3},
    code_version="4f0c2b1",
    facts={"rows_sha256": "aa"},
)


def test_a_recipe_reads_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(RECIPE.to_json())
    assert Recipe.read(tmp_path) == RECIPE


def test_a_model_without_recipe_and_a_format_of_later_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file recipe\.json beside the model"):
        Recipe.read(tmp_path)
    (tmp_path / "recipe.json").write_text('{"format": 9}')
    with pytest.raises(Refused, match="recipe format 9"):
        Recipe.read(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        pd.DataFrame({"x": [2, 1], "y": ["a", "b"]}),
        pd.DataFrame({"x": [1.0, 2.0], "y": ["a", "b"]}),
        pd.DataFrame({"y": ["a", "b"], "x": [1, 2]}),
        pd.DataFrame({"x": [1, 2], "z": ["a", "b"]}),
    ],
)
def test_a_digest_of_rows_tells_values_order_types_and_names(other: pd.DataFrame) -> None:
    rows = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}, index=[7, 8])
    assert rows_sha256(rows) == rows_sha256(rows.reset_index(drop=True))
    assert rows_sha256(rows) != rows_sha256(other)


ML_MODEL = """\
flavors:
  python_function: {env: {conda: conda.yaml}, loader_module: mlflow.pytorch, model_code_path: %s}
  pytorch: {model_data: data, pytorch_version: "2"}
model_uuid: %s
"""


def test_every_file_but_those_of_the_logging_is_compared(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    (tmp_path / "code.py").write_text("")
    for folder, model in ((before, "a"), (after, "b")):
        (folder / "data").mkdir(parents=True)
        (folder / "MLmodel").write_text(ML_MODEL % (tmp_path / "code.py", model))
        (folder / "data" / "same.txt").write_text("same")
        (folder / "data" / "model.pkl").write_text(model)
    (after / "new.txt").write_text("")
    (before / "recipe.json").write_text("")
    for gone in ("data/part/weights.pt", "conda.yaml", "requirements.txt"):
        (before / gone).parent.mkdir(exist_ok=True)
        (before / gone).write_text("")
    assert compare(before, after) == [
        "conda.yaml is no longer there",
        "data/model.pkl has other bytes",
        "data/part/weights.pt is no longer there",
        "new.txt was not there",
        "requirements.txt is no longer there",
    ]


def test_facts_that_differ_are_told_with_both_values() -> None:
    assert facts_that_differ(RECIPE, {"rows_sha256": "aa"}) == []
    assert facts_that_differ(RECIPE, {"rows_sha256": "bb"}) == ["rows_sha256 was 'aa', is 'bb'"]


def test_other_code_and_other_packages_than_in_the_training_are_told(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(RECIPE.to_json())
    assert trained_otherwise(tmp_path, "4f0c2b1") is None
    told = trained_otherwise(tmp_path, "uncommitted")
    assert told == "its code is that of '4f0c2b1', and 'uncommitted' runs here"
    (tmp_path / LOCK_FILE).write_text(f"pandas=={pd.__version__} --hash=sha256:00\n")
    assert trained_otherwise(tmp_path, "4f0c2b1") is None
    (tmp_path / LOCK_FILE).write_text("pandas==0.1 --hash=sha256:00\n")
    assert trained_otherwise(tmp_path, "4f0c2b1") == (
        f"pandas is {pd.__version__} here, 0.1 in the lock"
    )
