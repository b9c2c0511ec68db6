"""Signs that a candidate knows what it cannot know."""

from __future__ import annotations

import dataclasses

import numpy as np

from laketop.ml import Contender, LabelledRows, no_leak
from laketop.ml.leaks import Evidence


def test_an_input_that_decides_alone_is_a_sign(rows: LabelledRows, sound: Contender) -> None:
    knowing = dataclasses.replace(sound, inputs={"arr_delay": "double"})
    verdict = no_leak()(knowing, None, rows)
    assert verdict.measured == 1
    assert "'arr_delay' alone has an AUC of" in verdict.reason


def test_a_gain_that_vanishes_on_what_was_known_is_a_sign(
    rows: LabelledRows, sound: Contender
) -> None:
    drawn = np.random.default_rng(1)
    known = rows.features.assign(
        delay=rows.features["delay"] + drawn.normal(size=len(rows)), late=rows.labels
    )
    live = LabelledRows(known, label="late", name="as known")
    verdict = no_leak(live=live)(sound, None, rows)
    assert not verdict.passed
    assert "on what was known at the time" in verdict.reason
    assert no_leak(live=rows)(sound, None, rows).passed


def test_a_sound_candidate_names_its_strongest_input(rows: LabelledRows, sound: Contender) -> None:
    assert "strongest input 'delay'" in no_leak(("arr_delay",))(sound, None, rows).reason


def found(feature: str | None, *, leaking: bool = True) -> Evidence:
    return Evidence(
        feature=feature,
        table="main.a.delays",
        check="after_cutoff",
        measured=0.5,
        limit=0.0,
        leaking=leaking,
        rows=10,
        reason="its time is later in 5 of 10 rows",
    )


def test_evidence_of_a_leak_counts_for_inputs_and_for_the_split(
    rows: LabelledRows, sound: Contender
) -> None:
    verdict = no_leak(evidence=[found("delay"), found(None)])(sound, None, rows)
    assert verdict.measured == 2
    assert verdict.reason.startswith("delay leaks, after_cutoff: its time is later in 5 of 10 rows")
    harmless = [found("delay", leaking=False), found("of another model")]
    assert no_leak(evidence=harmless)(sound, None, rows).passed
