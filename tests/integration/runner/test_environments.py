"""Tasks with libraries that the interpreter has not, on the engine; wheels come from a folder."""

from __future__ import annotations

import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.integration.runner.conftest import Run
from tests.integration.runner.test_overlay import make_wheel

from laketop.errors import ConfigError
from laketop.runner.tasks.notebook import NotebookTask
from laketop.runner.tasks.python_wheel import PythonWheelTask
from laketop.runner.tasks.spark_python import SparkPythonTask

CODE = "def double(n):\n    return 2 * n\n"
BACKEND = """import base64, hashlib, pathlib, zipfile
INFO = "laketop_in_place-1.dist-info"
def build_editable(folder, config_settings=None, metadata_directory=None):
    wheel = pathlib.Path(folder) / "laketop_in_place-1-py3-none-any.whl"
    files = {
        "laketop_in_place.pth": str(pathlib.Path("src").absolute()),
        f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: laketop-in-place\\nVersion: 1\\n",
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{INFO}/entry_points.txt": "[console_scripts]\\nmain = laketop_in_place:main\\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{INFO}/RECORD", "".join(f"{n},,\\n" for n in [*files, f"{INFO}/RECORD"]))
    return wheel.name
"""
"""Builds a project in place without a package of an index."""
IN_PLACE = """from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
def times(n):
    return FACTOR * n
def main():
    spark = SparkSession.builder.getOrCreate()
    frame = spark.range(3).select(udf(times, 'bigint')('id').alias('n'))
    print('times', [row.n for row in frame.collect()])
"""


@pytest.fixture
def offline(tmp_path: Path, task_environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what lets uv find wheels in a folder alone, and a cache for the environments."""
    make_wheel(tmp_path / "wheels", "laketop_doubling", "1.0", content=CODE)
    found = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(tmp_path / "wheels")}
    return {"environment": {**task_environment, **found}, "cache": tmp_path / "cache"}


def test_a_task_runs_in_the_environment_that_it_declares_and_so_do_its_udfs(
    run: Run, tmp_path: Path, offline: dict[str, Any]
) -> None:
    (tmp_path / "requirements.txt").write_text("laketop-doubling>=1\n")
    (tmp_path / "script.py").write_text(
        "from laketop_doubling import double\n"
        "from pyspark.sql import SparkSession\n"
        "from pyspark.sql.functions import udf\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "frame = spark.range(3).select(udf(double, 'bigint')('id').alias('twice'))\n"
        "print('twice', [row.twice for row in frame.collect()])\n"
    )
    requirements = f"-r {tmp_path}/requirements.txt"
    environment = {"environment_key": "own", "spec": {"dependencies": [requirements]}}
    task = {
        "environment_key": "own",
        "environments": [environment],
        "spark_python_task": {"python_file": str(tmp_path / "script.py")},
    }
    outcome, log = run(SparkPythonTask(), task, **offline)
    assert outcome.error is None
    assert "installing laketop-doubling>=1" in log
    assert "twice [0, 2, 4]" in log
    _, again = run(SparkPythonTask(), task, **offline)
    assert again.count("installing") == 1  # both runs write to the same log


def test_a_task_that_declares_none_runs_in_the_projects_own_environment(
    run: Run, tmp_path: Path
) -> None:
    own = tmp_path / ".venv"
    venv.create(own)
    (place,) = own.glob("lib/python3*/site-packages")
    wheel = make_wheel(tmp_path / "wheels", "laketop_doubling", "1.0", content=CODE)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    record = "laketop_doubling.py,,\nlaketop_doubling-1.0.dist-info/METADATA,,\n"
    (place / "laketop_doubling-1.0.dist-info" / "RECORD").write_text(record)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "laketop_beside.py").write_text("NAME = 'beside'\n")
    info = place / "laketop_beside-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: laketop-beside\nVersion: 1\n")
    (info / "RECORD").write_text("laketop_beside.pth,,\nlaketop_beside-1.dist-info/METADATA,,\n")
    (place / "laketop_beside.pth").write_text(f"{tmp_path}/beside\n")
    (tmp_path / "script.py").write_text(
        "from laketop_beside import NAME\n"
        "from laketop_doubling import double\n"
        "from pyspark.sql import SparkSession\n"
        "from pyspark.sql.functions import udf\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "frame = spark.range(3).select(udf(double, 'bigint')('id').alias('twice'))\n"
        "print(NAME, 'twice', [row.twice for row in frame.collect()])\n"
    )
    task = {"spark_python_task": {"python_file": str(tmp_path / "script.py")}}
    more = {"own": own, "cache": tmp_path / "cache"}
    outcome, log = run(SparkPythonTask(), task, **more)
    assert outcome.error is None, log
    assert "beside twice [0, 2, 4]" in log
    declared = {"environment_key": "e", "environments": [{"environment_key": "e", "spec": {}}]}
    outcome, _ = run(SparkPythonTask(), {**task, **declared}, **more)
    assert "No module named 'laketop_beside'" in (outcome.error or "")


def test_an_environment_that_cannot_be_resolved_fails_the_task_by_name(
    run: Run, tmp_path: Path, offline: dict[str, Any]
) -> None:
    (tmp_path / "script.py").write_text("print('never')\n")
    task = {
        "libraries": [{"pypi": {"package": "laketop-nowhere==3"}}],
        "spark_python_task": {"python_file": str(tmp_path / "script.py")},
    }
    with pytest.raises(ConfigError, match="laketop-nowhere==3 cannot be installed"):
        run(SparkPythonTask(), task, **offline)


def test_pip_install_in_a_notebook_brings_a_package_for_the_cells_below(
    run: Run, tmp_path: Path, offline: dict[str, Any]
) -> None:
    (tmp_path / "nb.py").write_text(
        "# Databricks notebook source\n"
        "# MAGIC %pip install laketop-doubling\n"
        "# COMMAND ----------\n"
        "dbutils.library.restartPython()\n"
        "# COMMAND ----------\n"
        "from laketop_doubling import double\n"
        "dbutils.notebook.exit(double(21))\n"
    )
    task = {"notebook_task": {"notebook_path": str(tmp_path / "nb")}}
    outcome, log = run(NotebookTask(), task, **offline)
    assert outcome.error is None
    assert outcome.exit_value == "42"
    assert "installed: laketop-doubling" in log


def test_a_project_in_place_is_imported_as_it_lies_there_also_by_udfs(
    run: Run, tmp_path: Path, offline: dict[str, Any]
) -> None:
    project = tmp_path / "a project"
    (project / "src").mkdir(parents=True)
    (project / "backend.py").write_text(BACKEND)
    (project / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'laketop-in-place'\nversion = '1'\n"
    )
    module = project / "src" / "laketop_in_place.py"
    environment = {"environment_key": "e", "spec": {"dependencies": [f"-e {project}"]}}
    task = {
        "environment_key": "e",
        "environments": [environment],
        "python_wheel_task": {"package_name": "laketop_in_place", "entry_point": "main"},
    }
    for factor in (2, 3):  # its source changes, and is not installed again
        module.write_text(f"FACTOR = {factor}\n{IN_PLACE}")
        outcome, log = run(PythonWheelTask(), task, **offline)
        assert outcome.error is None, log
        assert f"times [0, {factor}, {2 * factor}]" in log
    assert log.count("installing") == 1
