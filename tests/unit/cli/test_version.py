from __future__ import annotations

import json
import platform

import pytest

import laketop
from laketop.cli.main import main
from laketop.engine import Runtime


def test_it_tells_the_versions_that_decide_how_a_project_behaves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["version", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("mlflow")
    runtime = Runtime.load()
    assert told == {
        "laketop": laketop.__version__,
        "spark": runtime.spark,
        "delta": runtime.delta,
        "python": platform.python_version(),
    }


def test_for_people_each_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["laketop", "spark", "delta", "mlflow", "python"]
