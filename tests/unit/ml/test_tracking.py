"""Where a model comes from, as tags."""

from __future__ import annotations

import pytest

from laketop.ml import code_version, provenance


@pytest.mark.parametrize("commit", [None, "", "main", "4f0c2b", "4f0c2b1e'; DROP"])
def test_what_is_no_commit_is_uncommitted(commit: str | None) -> None:
    assert code_version(commit) == "uncommitted"


def test_a_commit_is_kept() -> None:
    assert code_version(" 4F0C2B1 ") == "4f0c2b1"


def test_each_table_is_a_tag_with_its_version() -> None:
    assert provenance({"dev.flights.weather": 3}, commit=None) == {
        "code_version": "uncommitted",
        "input.weather": "dev.flights.weather@v3",
    }
