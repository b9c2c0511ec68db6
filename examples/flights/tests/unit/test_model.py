"""The model on its own, on a few rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from flights import model
from flights.config import section
from flights.evaluate import gates
from flights.features import CONTEXT, INPUTS, LABEL, TEXTS
from flights.parameters import Parameters
from laketop.ml import Contender, LabelledRows, Verdict
from laketop.ml import evaluate as ask


def rows(size: int = 400) -> pd.DataFrame:
    drawn = np.random.default_rng(5)
    frame = pd.DataFrame({name: drawn.normal(size=size) for name in INPUTS if name not in TEXTS})
    for name in TEXTS:
        frame[name] = drawn.choice(["A", "B", "C"], size)
    frame[LABEL] = (frame["recent_delay"] + drawn.normal(size=size) > 0).astype(float)
    return frame


def test_it_predicts_probabilities_and_repeats() -> None:
    data = rows()
    first, second = (model.fitted(data, LABEL).predict(data[list(INPUTS)]) for _ in range(2))
    assert ((first >= 0) & (first <= 1)).all()
    assert np.array_equal(first, second)
    assert first[data[LABEL] == 1].mean() > first[data[LABEL] == 0].mean() + 0.2


def test_an_unseen_airport_and_a_missing_number_are_no_error() -> None:
    data = rows()
    pipeline = model.fitted(data, LABEL)
    strange = data[list(INPUTS)].head(1).assign(dest="???", wind_gust=np.nan)
    assert 0 <= pipeline.predict(strange)[0] <= 1


def test_nothing_that_is_known_only_later_is_an_input() -> None:
    later = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", LABEL, *CONTEXT}
    assert not later & set(INPUTS)


def test_requirements_are_pinned() -> None:
    assert all("==" in requirement for requirement in model.requirements())


def test_a_person_is_asked_only_where_the_target_wants_it() -> None:
    free, asked = gates(Parameters()), gates(Parameters(approval_required="true"))
    assert len(asked) == len(free) + 1


def said(run: Parameters, gate: str, **tags: str) -> Verdict | None:
    """Return the verdict of the gate of this name, None where the project does not ask it."""
    data = rows(800)
    data["origin"] = np.where(data["recent_delay"] > 0, "EWR", "JFK")
    labelled = LabelledRows(data, label=LABEL, name="2013-04")
    candidate = Contender(
        name="dev.flights.delay",
        version="3",
        predict=lambda frame: np.where(frame["origin"] == "EWR", 0.9, 0.3),
        tags=tags,
        requirements=("numpy==1.0",),
    )
    verdicts = (ask(candidate, None, labelled, [one])[0] for one in gates(run))
    return next((verdict for verdict in verdicts if verdict.gate == gate), None)


def test_warnings_that_are_right_at_one_airport_alone_are_not_fair() -> None:
    verdict = said(Parameters(), "fairness")
    assert verdict is not None
    assert not verdict.passed
    assert said(Parameters(origin="LGA"), "fairness") is None


def test_vulnerabilities_are_asked_for_where_there_are_advisories(tmp_path: Path) -> None:
    package = {"name": "numpy", "ecosystem": "PyPI"}
    record = {"id": "OSV-1", "affected": [{"package": package, "versions": ["1.0"]}]}
    file = tmp_path / "advisories.json"
    file.write_text(json.dumps([record]))
    verdict = said(Parameters(advisories=str(file)), "vulnerabilities")
    assert verdict is not None
    assert verdict.reason == "numpy 1.0 has OSV-1"
    assert said(Parameters(), "vulnerabilities") is None


def test_a_reproduction_is_waited_for_where_the_target_wants_it() -> None:
    wanted = Parameters(reproduction_required="true")
    verdict, done = (
        said(wanted, "reproducible"),
        said(wanted, "reproducible", reproduced="identical"),
    )
    assert verdict is not None
    assert done is not None
    assert (verdict.pending, done.passed) == (True, True)
    assert said(Parameters(), "reproducible") is None


def test_a_clean_environment_is_asked_for_where_the_target_wants_it() -> None:
    verdict = said(Parameters(environment_required="true"), "clean_environment")
    assert verdict is not None
    assert not verdict.passed
    assert verdict.reason == "version '3' does not say where its files are"
    assert said(Parameters(), "clean_environment") is None


def test_every_training_setting_reaches_the_trees() -> None:
    trees = model.unfitted(section("training")).named_steps["trees"].get_params()
    assert section("training").items() <= trees.items()
