"""The model card."""

from __future__ import annotations

from typing import Any

import pytest

from laketop.ml import ModelCard

KNOWN: dict[str, Any] = {
    "name": "dev.flights.delay",
    "intended_use": "Warn passengers.",
    "owner": "flights",
    "rows": 1200,
    "period": "2013-01..2013-03",
    "positive_share": 0.237,
}


def test_it_says_what_is_known_and_nothing_else() -> None:
    text = ModelCard(
        **KNOWN,
        limits=("One year.",),
        inputs={"dev.flights.weather": 3},
        metrics={"auc": 0.6775},
        parameters={"a|b": 1},
    ).text
    assert text.startswith("# dev.flights.delay\n\nOwner: flights. Personal data: none.\n")
    for line in (
        "1,200 rows, 2013-01..2013-03; 23.7% of them positive.",
        "| dev.flights.weather | 3 |",
        "| auc | 0.6775 |",
        "| a\\|b | 1 |",
        "- One year.",
    ):
        assert line in text.splitlines()
    assert "| figure |" not in ModelCard(**KNOWN).text


@pytest.mark.parametrize("what", ["name", "intended_use", "owner"])
def test_what_only_a_person_knows_must_be_said(what: str) -> None:
    with pytest.raises(ValueError, match=f"needs {what!r}"):
        ModelCard(**KNOWN | {what: " "})
