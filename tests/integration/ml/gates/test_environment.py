"""The gate that builds a model's environment from its lock, and runs the model there."""

from __future__ import annotations

import re
import subprocess
from importlib import metadata
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from laketop.ml import Contender, LabelledRows, Verdict, clean_environment
from laketop.ml.environments import StepFailed, built, within
from laketop.ml.locks import LOCK_FILE

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

PINS = Path(__file__).parents[4] / "requirements" / "dev.txt"
MODEL = """\
import mlflow
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, model_input, params=None):
        {statement}
        return model_input["x"].to_numpy()
mlflow.models.set_model(Model())
"""


def lock(*wanted: str) -> str:
    """Return the part of this repository's own lock that these packages need."""
    blocks = re.split(r"\n(?=\S)", PINS.read_text(encoding="utf-8"))
    pinned = {canonicalize_name(block.split("==")[0]): block for block in blocks if "==" in block}
    needed, waiting = set[NormalizedName](), [canonicalize_name(name) for name in wanted]
    while waiting:
        name = waiting.pop()
        if name in needed or name not in pinned:
            continue
        needed.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(requirement.name))
    return "\n".join(pinned[name] for name in sorted(needed)) + "\n"


def saved(folder: Path, statement: str = "pass") -> Path:
    """Save a model that runs `statement` before it answers; return its folder."""
    code = folder / "model.py"
    code.write_text(MODEL.format(statement=statement), encoding="utf-8")
    frame = pd.DataFrame({"x": [1.0]})
    mlflow.pyfunc.save_model(
        folder / "model",
        python_model=str(code),
        signature=infer_signature(frame, np.array([1.0])),
        pip_requirements=["mlflow-skinny", "pandas"],
    )
    return folder / "model"


def judged(
    model: Path, *, limit_ms: float = 60_000, limit_mb: float = 4000, offline: bool = False
) -> Verdict:
    rows = LabelledRows(pd.DataFrame({"x": [0.1, 0.9], "late": [0.0, 1.0]}), label="late", name="r")
    candidate = Contender(
        name="m",
        version="1",
        predict=lambda frame: frame["x"].to_numpy(),
        inputs={"x": "double"},
        uri=str(model),
    )
    gate = clean_environment(limit_ms=limit_ms, limit_mb=limit_mb, offline=offline)
    return gate(candidate, None, rows)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a lock of what it needs; it tells by its prediction that SciPy is not there."""
    folder = saved(
        tmp_path_factory.mktemp("locked"),
        "import importlib.util; assert importlib.util.find_spec('scipy') is None",
    )
    (folder / LOCK_FILE).write_text(lock("mlflow-skinny", "pandas"), encoding="utf-8")
    return folder


def test_a_model_runs_in_an_environment_that_holds_its_lock_and_nothing_else(locked: Path) -> None:
    verdict = judged(locked)
    assert verdict.passed, verdict.reason
    found = {measure.metric: measure.measured for measure in verdict.measures}
    assert found["predictions"] == 2
    assert 0 < found["predict_ms"] <= 60_000
    assert 20 < found["peak_mb"] < 4000
    assert verdict.measured == found["predict_ms"]


def test_a_model_that_takes_more_than_it_may_does_not_pass(locked: Path) -> None:
    verdict = judged(locked, limit_mb=10)
    assert not verdict.passed
    assert verdict.measured is not None
    assert verdict.measured > 10 == verdict.limit
    assert "MB of 10" in verdict.reason


def test_a_package_that_the_lock_forgot_is_named(tmp_path: Path) -> None:
    model = saved(tmp_path, "import sklearn")
    (model / LOCK_FILE).write_text(lock("mlflow-skinny", "pandas"), encoding="utf-8")
    verdict = judged(model)
    assert not verdict.passed
    assert "does not run in its own environment" in verdict.reason
    assert "No module named 'sklearn'" in verdict.reason


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        ("laketop-nowhere==3\n", "laketop-nowhere"),
        (f"six==1.17.0 --hash=sha256:{'0' * 64}\n", "six"),
        ("not a requirement!\n", "not a requirement"),
    ],
)
def test_an_environment_that_cannot_be_built_is_told_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requirement: str, told: str
) -> None:
    monkeypatch.setenv("UV_NO_INDEX", "1")
    model = saved(tmp_path)
    (model / LOCK_FILE).write_text(requirement, encoding="utf-8")
    verdict = judged(model, offline=True)
    assert not verdict.passed
    assert "the model's environment cannot be built" in verdict.reason
    assert told in verdict.reason


def test_what_a_lock_names_with_hashes_comes_from_the_cache_where_the_index_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, loose, partly = (tmp_path / name for name in (LOCK_FILE, "loose.txt", "partly.txt"))
    locked.write_text(lock("six", "iniconfig"), encoding="utf-8")
    loose.write_text("six\n", encoding="utf-8")
    partly.write_text(lock("six") + "iniconfig\n", encoding="utf-8")
    built(tmp_path / "first", locked, offline=False, step=within(300))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    python = built(tmp_path / "second", locked, offline=False, step=within(300))
    subprocess.run([python, "-I", "-c", "import six"], check=True)
    # Without a hash the newest is meant, which only the index knows.
    for file in (loose, partly):
        with pytest.raises(StepFailed, match="cannot be built"):
            built(tmp_path / file.stem, file, offline=False, step=within(300))


def test_a_model_that_does_not_say_what_it_needs_does_not_pass(tmp_path: Path) -> None:
    model = saved(tmp_path)
    (model / "requirements.txt").unlink()
    verdict = judged(model)
    assert not verdict.passed
    assert verdict.reason == "the model has no requirements.txt to build an environment from"
