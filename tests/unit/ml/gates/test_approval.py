"""A person other than the author."""

from __future__ import annotations

import dataclasses

import pytest

from laketop.ml import Contender, LabelledRows, approval


@pytest.mark.parametrize("who", ["ann", " Ann "])
def test_the_author_does_not_approve_alone(who: str, rows: LabelledRows, sound: Contender) -> None:
    verdict = approval(who)(sound, None, rows)
    assert not verdict.passed
    assert verdict.pending
    assert "somebody else" in verdict.reason


def test_the_tag_of_the_version_names_who_approved(rows: LabelledRows, sound: Contender) -> None:
    tagged = dataclasses.replace(sound, tags={"approved_by": "bea"})
    assert approval()(tagged, None, rows).reason == "approved by bea"
