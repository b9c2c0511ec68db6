"""Versions of a model approved and taken back from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from tests.integration.cli.conftest import Laketop

TWO_CHAMPIONS = """\
import os

import mlflow
import numpy as np
from mlflow.models import infer_signature

from laketop.engine.connect import RemoteEngine
from laketop.ml import promote

mlflow.set_experiment("/Shared/champions")
spark = RemoteEngine(os.environ["SPARK_REMOTE"]).session()
spark.sql("CREATE SCHEMA IF NOT EXISTS main.champions")
name, x = "main.champions.m", np.array([[0.0], [1.0]])

class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input

for number in (1, 2):
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            python_model=Same(), name="m", signature=infer_signature(x, x),
            pip_requirements=["mlflow"], registered_model_name=name,
        )
    promote(
        spark, mlflow.MlflowClient(), "main.champions", model=name, version=str(number),
        against=None if number == 1 else "1",
    )
spark.stop()
"""

ORDER = ("version", "previous", "outcome", "approved_by", "reason")


def test_a_version_is_approved_by_another_and_the_champion_taken_back(laketop: Laketop) -> None:
    assert laketop("sql", "select 1").code == 0
    told = json.loads(laketop("env", "--json").out)
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    subprocess.run([sys.executable, "-c", TWO_CHAMPIONS], env={**own, **told}, check=True)

    said = laketop("approve", "main.champions.m", "2")
    assert said.code == 1
    assert "is the author of version '2'" in said.err
    approved = laketop("approve", "main.champions.m", "2", "--by", "bea", "--json")
    assert json.loads(approved.out)["approved_by"] == "bea"
    assert "bea is a new user of the workspace" in approved.err
    again = laketop("approve", "main.champions.m", "2", "--by", "bea", "--reason", "still")
    assert "new user" not in again.err

    back = laketop("rollback", "main.champions.m", "--reason", "late", "--json")
    assert json.loads(back.out) == {"model": "main.champions.m", "champion": "1", "was": "2"}
    again = laketop("rollback", "main.champions.m")
    assert (again.code, again.out) == (1, "")
    assert "no previous version of the model" in again.err

    query = (
        "SELECT version, previous, outcome, approved_by, reason FROM main.champions.promotions "
        "WHERE outcome <> 'promoted' ORDER BY decided_at"
    )
    deadline = time.monotonic() + 60
    while len(rows := json.loads(laketop("sql", "--json", query).out)) < 3:
        assert time.monotonic() < deadline, rows
    first, second, third = ([row[name] for name in ORDER] for row in rows)
    sent = "(sent by me@laketop.local)"
    assert first == ["2", "2", "approved", "bea", sent]
    assert second == ["2", "2", "approved", "bea", f"still {sent}"]
    assert third[:3] == ["1", "2", "rolled back"]
    assert third[4] == "late"


def test_models_that_are_not_there_are_one_error(laketop: Laketop) -> None:
    for command in (("approve", "main.champions.gone", "1"), ("rollback", "main.champions.gone")):
        said = laketop(*command)
        assert (said.code, said.out) == (1, "")
        assert said.err.count("error:") == 1
        assert "gone" in said.err
    assert "name it as catalog.schema.model" in laketop("rollback", "m").err
