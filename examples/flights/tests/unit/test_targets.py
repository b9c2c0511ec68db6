"""What each target of the bundle asks of a model before it is promoted."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import laketop.ml
from flights import model
from flights.evaluate import gates
from flights.parameters import Parameters, from_mapping
from laketop.ml import Contender, LabelledRows, vulnerabilities

PROJECT = Path(__file__).parents[2]
OF_REGRESSION = {"maximum_error", "maximum_slice_error", "no_larger_error_than_champion"}
"""Gates on a number that is predicted, where this project predicts a probability."""


def run_of(target: str, monkeypatch: pytest.MonkeyPatch) -> Parameters:
    """Return the parameters of a run in a target; its files are those of the project."""
    monkeypatch.chdir(PROJECT)
    bundle = yaml.safe_load((PROJECT / "databricks.yml").read_text(encoding="utf-8"))
    values: dict[str, Any] = {k: v["default"] for k, v in bundle["variables"].items()}
    values |= bundle["targets"][target].get("variables", {})
    here = str(PROJECT)
    return from_mapping({k: v.replace("${workspace.file_path}", here) for k, v in values.items()})


def asked(run: Parameters) -> list[str]:
    return [gate.__qualname__.partition(".")[0] for gate in gates(run)]


def test_prod_asks_every_gate_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of("prod", monkeypatch)
    there_is = {
        name
        for name in laketop.ml.__all__
        if inspect.isfunction(made := getattr(laketop.ml, name))
        and made.__annotations__.get("return") == "Gate"
    }
    found = asked(run)
    assert sorted(found) == sorted(there_is - OF_REGRESSION)
    assert run.leak_lag is not None


def test_dev_leaves_out_what_takes_minutes_or_somebody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left_out = set(asked(run_of("prod", monkeypatch))) - set(asked(run_of("dev", monkeypatch)))
    assert left_out == {"vulnerabilities", "reproducible", "clean_environment", "approval"}


def test_the_advisories_that_come_with_the_project_are_about_older_versions_than_its_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = vulnerabilities(run_of("prod", monkeypatch).advisories)
    rows = LabelledRows(pd.DataFrame({"late": [0, 1]}), label="late", name="r")

    def faults(*requirements: str) -> float | None:
        one = Contender(
            name="m",
            version="1",
            predict=lambda frame: np.zeros(len(frame)),
            requirements=requirements,
        )
        return gate(one, None, rows).measured

    assert faults(*model.lock().splitlines()) == 0
    records = json.loads((PROJECT / "advisories.json").read_text(encoding="utf-8"))
    fixed = {
        record["affected"][0]["package"]["name"]: record["affected"][0]["ranges"][0]["events"][-1]
        for record in records
    }
    assert {name for name in fixed if f"{name}==" in model.lock()} == fixed.keys()
    assert faults(*(f"{name}=={event['fixed']}.dev0" for name, event in fixed.items())) == len(
        fixed
    )
