from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.engine.catalog import create_catalog, create_schema
from laketop.errors import ConfigError


def test_a_schema_brings_its_catalog_and_the_schema_default(tmp_path: Path) -> None:
    assert create_schema(tmp_path, "Prod", "Flights", owner="ann")
    assert json.loads((tmp_path / "prod" / "flights" / "_schema.json").read_text()) == {
        "owner": "ann"
    }
    assert (tmp_path / "prod" / "default" / "_schema.json").exists()


def test_what_exists_is_left_as_it_is(tmp_path: Path) -> None:
    create_catalog(tmp_path, "prod", owner="ann")
    assert not create_catalog(tmp_path, "prod", owner="bob")
    assert json.loads((tmp_path / "prod" / "_catalog.json").read_text())["owner"] == "ann"


@pytest.mark.parametrize("name", ["", "a.b", "../up", "_hidden", "a/b", "with space"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name"):
        create_catalog(tmp_path, name, owner="ann")
    assert list(tmp_path.iterdir()) == []
