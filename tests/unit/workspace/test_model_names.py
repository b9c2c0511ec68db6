from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.model_names import alias_problem, name_problem, source_problem


@pytest.mark.parametrize("name", ["main.ml.m", "main.ml.delay-model_2", "main.ml.模型"])
def test_three_level_names_are_accepted(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["m", "ml.m", "a.main.ml.m", "", "..."])
def test_a_name_of_another_depth_is_told_to_specify_all_three_levels(name: str) -> None:
    assert "specify all three levels" in (name_problem(name) or "")


@pytest.mark.parametrize(
    "name",
    ["main..m", "main.ml.a b", "main.ml.a/b", "main.ml.a:b", "main.ml.a\n", "main.ml." + "x" * 256],
)
def test_a_part_with_what_unity_catalog_forbids_is_refused(name: str) -> None:
    assert "cannot hold" in (name_problem(name) or "")


def test_a_name_with_capitals_is_told_how_unity_catalog_stores_it() -> None:
    assert "'main.ml.delay'" in (name_problem("main.ml.Delay") or "")


@given(st.text())
def test_an_accepted_name_is_three_plain_folder_names(name: str) -> None:
    if name_problem(name) is None:
        parts = name.split(".")
        assert len(parts) == 3
        assert not any(part in {"", ".", ".."} or "/" in part or "\x00" in part for part in parts)


@pytest.mark.parametrize("alias", ["champion", "Champion_2", "a-b", "1", "version1", "v1a"])
def test_aliases_of_letters_digits_dash_and_underscore_are_accepted(alias: str) -> None:
    assert alias_problem(alias) is None


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V10"])
def test_aliases_that_look_like_versions_are_reserved(alias: str) -> None:
    assert "reserved" in (alias_problem(alias) or "")


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "é", "x" * 256, "a\n"])
def test_other_aliases_are_refused(alias: str) -> None:
    assert "Invalid alias name" in (alias_problem(alias) or "")


@pytest.mark.parametrize(
    "source", ["models:/m-0", "models:/main.ml.m/1", "runs:/0/model", "dbfs:/databricks/x"]
)
def test_sources_of_the_workspace_are_accepted(source: str) -> None:
    assert source_problem(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc",
        "s3://bucket/x",
        "mlflow-artifacts:/x",
        "models:/../x",
        "dbfs:/a/../../b",
        "runs:/a/..\\b",
        "dbfs:/%2e%2e/b",
        "dbfs:/a\x00",
    ],
)
def test_sources_elsewhere_are_refused(source: str) -> None:
    assert source_problem(source) is not None
