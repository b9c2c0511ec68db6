"""A model that predicts in another process, without Spark: the process ends with the model."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature

from laketop.ml.features import forwarding

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

NUMBER = """\
import os
import mlflow

class Number(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [float(os.getpid())] * len(model_input)

mlflow.models.set_model(Number())
"""


def saved(folder: Path, code: Path, python: str) -> Path:
    """Save a model of this code, and one that forwards to it in `python`; return the latter."""
    frame = pd.DataFrame({"x": [1.0]})
    signature = infer_signature(frame, np.array([1.0]))
    how = {"signature": signature, "pip_requirements": ["mlflow"]}
    mlflow.pyfunc.save_model(str(folder / "inner"), python_model=str(code), **how)
    config = {"python": python, "model": str(folder / "inner")}
    outer = folder / "outer"
    mlflow.pyfunc.save_model(
        str(outer), python_model=str(forwarding.__file__), model_config=config, **how
    )
    return outer


def test_the_process_ends_with_the_model_though_mlflow_keeps_what_it_loaded_last(
    tmp_path: Path,
) -> None:
    code = tmp_path / "number.py"
    code.write_text(NUMBER, encoding="utf-8")
    model = mlflow.pyfunc.load_model(str(saved(tmp_path, code, sys.executable)))
    rows = pd.DataFrame({"x": [1.0, 2.0]})
    number, again = (int(model.predict(rows)[0]) for _ in range(2))
    assert number == again != os.getpid()
    os.kill(number, 0)
    del model
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    code = tmp_path / "number.py"
    code.write_text(NUMBER, encoding="utf-8")
    nowhere = str(tmp_path / "nowhere" / "python")
    outer = saved(tmp_path, code, nowhere)
    with pytest.raises(RuntimeError, match=f"environment '{nowhere}' is not where Spark's"):
        mlflow.pyfunc.load_model(str(outer))
