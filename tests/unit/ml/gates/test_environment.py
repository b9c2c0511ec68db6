"""The gate of the clean environment, with an installer that is slow and a model that answers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from laketop.ml import Contender, LabelledRows, clean_environment, environments
from laketop.ml.gates.verdict import Verdict

INSTALLER = """\
#!/bin/sh
sleep 0.8
case $1 in venv) mkdir -p "$5/bin"; cp {answers} "$5/bin/python";; esac
"""
ANSWERS = """\
#!/bin/sh
sleep 0.8
echo '{"predictions": 2, "load_s": 0.1, "predict_ms": 1.0, "peak_mb": 10.0}'
"""


def program(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return file


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model's folder; its environment takes 1.6 seconds and more to build, its answer 0.8."""
    answers = program(tmp_path / "answers", ANSWERS)
    uv = program(tmp_path / "uv", INSTALLER.format(answers=answers))
    monkeypatch.setattr(environments, "uv_program", lambda: str(uv))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "requirements.txt").touch()
    return folder


def judged(model: Path, timeout_seconds: float) -> Verdict:
    frame = pd.DataFrame({"x": [0.1, 0.9], "late": [0.0, 1.0]})
    candidate = Contender(
        name="m",
        version="1",
        predict=lambda rows: rows["x"].to_numpy(),
        inputs={"x": "double"},
        uri=str(model),
    )
    gate = clean_environment(limit_ms=10, limit_mb=100, timeout_seconds=timeout_seconds)
    return gate(candidate, None, LabelledRows(frame, label="late", name="r"))


def test_a_model_that_answers_in_time_passes(model: Path) -> None:
    assert judged(model, 600).passed


def test_building_and_answering_share_the_time_that_there_is(model: Path) -> None:
    verdict = judged(model, 2)
    assert not verdict.passed
    assert verdict.reason.endswith("timed out after 2 seconds")
