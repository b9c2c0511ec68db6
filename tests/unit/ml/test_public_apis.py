"""laketop.ml and the reference project use nothing of Spark and MLflow that is not public."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = [
    file
    for folder in ("src/laketop/ml", "examples/flights/src", "examples/variants/src")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
FOREIGN = ("pyspark", "mlflow", "delta", "databricks")
OF_THE_JVM = {"_jvm", "_jdf", "_jsparkSession", "_sc", "_jc", "_jsc", "sparkContext", "rdd"}


def of_foreign_insides(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FOREIGN:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if name.startswith("_"))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] in FOREIGN:
                    yield from (part for part in parts if part.startswith("_"))
        elif isinstance(node, ast.Attribute) and node.attr in OF_THE_JVM:
            yield node.attr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_uses_public_names_alone(file: Path) -> None:
    assert list(of_foreign_insides(ast.parse(file.read_text(encoding="utf-8")))) == []


def test_a_private_name_would_be_found() -> None:
    code = "from mlflow.utils import _hidden\nimport pyspark._x\nspark._jvm.java\nself._own\n"
    assert list(of_foreign_insides(ast.parse(code))) == ["_hidden", "_x", "_jvm"]
