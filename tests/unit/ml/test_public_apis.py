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
PUBLIC_MLFLOW = {
    *("mlflow", "mlflow.artifacts", "mlflow.data", "mlflow.exceptions", "mlflow.models"),
    *("mlflow.models.model", "mlflow.tracking", "mlflow.data.delta_dataset_source"),
    *("mlflow.data.meta_dataset", "mlflow.lightgbm", "mlflow.sklearn"),
}
"""The modules that MLflow's documentation of the Python API names."""
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


def modules(tree: ast.AST, package: str) -> set[str]:
    """Return what is imported of `package`, with names that are modules themselves."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == package}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_imports_documented_modules_of_mlflow_alone(file: Path) -> None:
    assert modules(ast.parse(file.read_text(encoding="utf-8")), "mlflow") <= PUBLIC_MLFLOW


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_of_databricks_it_imports_the_sdk_alone(file: Path) -> None:
    """The SDK comes with MLflow; `databricks.feature_engineering` would be there or not."""
    found = modules(ast.parse(file.read_text(encoding="utf-8")), "databricks")
    assert {name for name in found if not f"{name}.".startswith("databricks.sdk.")} == set()


def test_a_private_name_would_be_found() -> None:
    code = "from mlflow.utils import _hidden\nimport pyspark._x\nspark._jvm.java\nself._own\n"
    assert list(of_foreign_insides(ast.parse(code))) == ["_hidden", "_x", "_jvm"]
