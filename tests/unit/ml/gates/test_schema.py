"""Callers of the champion can call the candidate."""

from __future__ import annotations

import dataclasses

from laketop.ml import Contender, LabelledRows, compatible_schema


def test_without_a_champion_there_is_nobody_to_break(rows: LabelledRows, sound: Contender) -> None:
    assert compatible_schema()(sound, None, rows).passed


def test_fewer_inputs_are_fine(rows: LabelledRows, sound: Contender) -> None:
    fewer = dataclasses.replace(sound, inputs={"delay": "double"})
    assert compatible_schema()(fewer, sound, rows).passed


def test_new_inputs_other_types_and_other_outputs_are_named(
    rows: LabelledRows, sound: Contender
) -> None:
    other = dataclasses.replace(
        sound, inputs={"delay": "long", "carrier": "string", "gate": "string"}, outputs=2
    )
    verdict = compatible_schema()(other, sound, rows)
    assert verdict.measured == 3
    assert verdict.reason == (
        "'delay' was double, is long; 'gate' is a new input; 1 outputs have become 2"
    )
