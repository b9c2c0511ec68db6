"""Import paths that exist only on Databricks, put where Python finds them.

`databricks.connect`, `databricks.feature_engineering`, `databricks.feature_store` and
`dbruntime` are folders here, `pyspark.dbutils` is a file. An installed package of the same name
is found first and stays what it is.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from laketop.shims.imports import provide_module
from laketop.shims.spark import use_this_interpreter

FOLDER = Path(__file__).parent

__all__ = ["FOLDER", "install"]


def install() -> None:
    """Make the import paths of Databricks importable in this process; again is harmless.

    Call it before user code: modules of `databricks` that are loaded already stay as they are.
    """
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    _refresh("databricks")
    provide_module("pyspark.dbutils", FOLDER / "pyspark_dbutils.py")
    use_this_interpreter()


def _refresh(package: str) -> None:
    # A package that spreads over folders looked for them when it was first imported.
    loaded = sys.modules.get(package)
    ours = str(FOLDER / package)
    if loaded is not None and ours not in loaded.__path__:
        loaded.__path__ = [*loaded.__path__, ours]
    importlib.invalidate_caches()
