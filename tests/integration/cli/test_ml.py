"""Versions trained again from the command line: what differs, by which packages, of which code."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.integration.cli.conftest import Laketop

VERSIONS = """\
import json, os, sys

import mlflow

from laketop.engine.connect import RemoteEngine
from laketop.ml import FeatureEngineeringClient, Recipe, WithFiles

mlflow.set_experiment("/Shared/recipes")
spark = RemoteEngine(os.environ["SPARK_REMOTE"]).session()
spark.sql("CREATE SCHEMA main.recipes")
spark.sql("CREATE TABLE main.recipes.t AS SELECT 1 AS x")
spark.sql("INSERT INTO main.recipes.t VALUES (2)")  # after the version that the recipes name
spark.stop()

sys.path.append(os.path.dirname(sys.argv[2]))
from refitting import SAVING

for commit, weights in (("uncommitted", "1.0"), ("uncommitted", "2.0"), ("4f0c2b1", "1.0")):
    recipe = Recipe(
        entry_point="refitting:refit", parameters={}, inputs={"main.recipes.t": 0},
        code_version=commit, facts={"rows": "1"},
    )
    files = {
        "recipe.json": recipe.to_json(), "weights.txt": weights, "requirements.lock": sys.argv[1]
    }
    FeatureEngineeringClient().log_model(
        model=sys.argv[2], flavor=WithFiles(mlflow.pyfunc, files), name="m",
        registered_model_name="main.recipes.m", **SAVING,
    )
"""
NOT_HERE = "weighing is not installed here, 1.0 in the lock"
SAME = """\
import mlflow

class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input

mlflow.models.set_model(Same())
"""
REFITTING = """\
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import infer_signature

x = np.array([[0.0], [1.0]])
SAVING = {"signature": infer_signature(x, x), "pip_requirements": ["mlflow"]}

def refit(spark, schema, parameters, folder):
    model = str(Path(__file__).with_name("same.py"))
    mlflow.pyfunc.save_model(str(folder), python_model=model, **SAVING)
    (folder / "weights.txt").write_text(version("weighing"))
    return {"rows": str(spark.table(f"{schema}.t").count())}
"""


def wheel(folder: Path) -> str:
    """Write the package `weighing` into `folder`; return a lock of it alone."""
    file = folder / "weighing-1.0-py3-none-any.whl"
    kept = {
        "METADATA": "Metadata-Version: 2.1\nName: weighing\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in kept.items():
            archive.writestr(f"weighing-1.0.dist-info/{name}", text)
    return f"weighing==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def test_a_version_is_trained_again_with_the_packages_of_its_lock(
    laketop: Laketop, thread: Path, tmp_path: Path
) -> None:
    assert laketop("sql", "select 1").code == 0
    told = json.loads(laketop("env", "--json").out)
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    code, model = thread / "refitting.py", thread / "same.py"
    code.write_text(REFITTING, encoding="utf-8")
    model.write_text(SAME, encoding="utf-8")
    versions = [sys.executable, "-c", VERSIONS, wheel(tmp_path), str(model)]
    subprocess.run(versions, env={**own, **told}, check=True)
    wheels = {"UV_FIND_LINKS": str(tmp_path), "UV_NO_INDEX": "1"}
    try:
        same = laketop("ml", "reproduce", "main.recipes.m", "1", "--json", **wheels)
        differs = laketop("ml", "reproduce", "main.recipes.m", "2", **wheels)
    finally:
        code.unlink()
        model.unlink()
    assert same.code == 0, same.err
    body = json.loads(same.out)
    assert (body["identical"], body["differs"]) == (True, [])
    assert body["notes"] == [
        f"trained in an environment made of its lock; {NOT_HERE}",
        "its code had no commit: today's code was run",
    ]
    assert differs.code == 1
    assert "main.recipes.m version 2: differs\n  weights.txt has other bytes\n" in differs.out
    gone = laketop("ml", "reproduce", "main.recipes.m", "3", **wheels)
    assert (gone.code, gone.out) == (1, "")
    assert "is in no Git repository" in gone.err
    unreachable = {"UV_FIND_LINKS": "", "UV_NO_INDEX": "1"}
    failed = laketop("ml", "reproduce", "main.recipes.m", "1", **unreachable)
    assert (failed.code, failed.out) == (1, "")
    assert "the model's environment cannot be built" in failed.err
    assert "weighing" in failed.err
