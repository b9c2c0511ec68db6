"""Import paths of Databricks are there, installed packages stay in front of them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import laketop


def package(folder: Path, name: str) -> None:
    parts = Path(name).parts
    for depth in range(1, len(parts) + 1):
        part = folder.joinpath(*parts[:depth])
        part.mkdir(exist_ok=True)
        (part / "__init__.py").write_text(
            "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\nREAL = True\n",
            encoding="utf-8",
        )


def run_python(program: str, *extra_path: Path) -> str:
    path = ":".join(map(str, (Path(laketop.__file__).parents[1], *extra_path)))
    ended = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_installed_parts_of_databricks_and_the_shims_import_side_by_side(tmp_path: Path) -> None:
    package(tmp_path, "databricks/early")
    package(tmp_path, "databricks/late")
    run_python(
        """
        import databricks.early
        from laketop import shims
        shims.install()
        shims.install()
        from databricks.connect import DatabricksSession
        import databricks.late
        import dbruntime.databricks_repl_context as context
        assert context.get_context() is None
        try:
            DatabricksSession.builder.serverless().profile("x").clusterId("y").getOrCreate()
        except Exception as error:
            assert "SPARK_REMOTE is not set" in str(error), error
        """,
        tmp_path,
    )


def test_a_shim_never_hides_an_installed_package(tmp_path: Path) -> None:
    package(tmp_path, "databricks/connect")
    package(tmp_path, "dbruntime")
    run_python(
        """
        from laketop import shims
        shims.install()
        import databricks.connect, dbruntime
        assert databricks.connect.REAL and dbruntime.REAL
        """,
        tmp_path,
    )


def test_without_a_task_there_are_no_names_and_no_dbutils() -> None:
    run_python(
        """
        from laketop import shims
        shims.install()
        from dbruntime import UserNamespaceInitializer
        from laketop.shims.pyspark_dbutils import DBUtils
        for call in (UserNamespaceInitializer.getOrCreate, DBUtils):
            try:
                call()
            except (ImportError, RuntimeError) as error:
                assert "task" in str(error)
            else:
                raise AssertionError(call)
        """
    )


def test_feature_engineering_is_that_of_laketop() -> None:
    run_python(
        """
        from laketop import shims
        shims.install()
        import databricks.feature_engineering as new, databricks.feature_store as old
        from laketop.ml.features import FeatureEngineeringClient, FeatureLookup
        assert new.FeatureEngineeringClient is FeatureEngineeringClient
        assert old.FeatureLookup is FeatureLookup
        assert issubclass(old.FeatureStoreClient, FeatureEngineeringClient)
        from laketop.errors import Refused
        for call, name in (
            (lambda: old.FeatureStoreClient().publish_table("a.b.c", None),
             "FeatureStoreClient.publish_table"),
            (new.UpgradeClient, "UpgradeClient"),
        ):
            try:
                call()
            except Refused as error:
                assert name in error.message
            else:
                raise AssertionError(name)
        """
    )
