"""What the functions of a bundle are given and return."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from laketop.shims.bundles import core
from laketop.shims.bundles.core import Bundle, Resources, Severity, Variable, variables
from laketop.shims.bundles.models import Resource, resource_class


def job(name: str) -> Resource:
    made: Resource = resource_class("jobs").from_dict({"name": name})
    return made


def test_resources_are_added_by_type_as_objects_or_as_maps() -> None:
    found = Resources()
    found.add_job("a", job("a"))
    found.add_job(resource_name="b", job={"name": "b"})
    found.add_resource("c", job("c"))
    found.add_schema("s", {"name": "s", "catalog_name": "main"})
    assert {key: one.name for key, one in found.jobs.items()} == {"a": "a", "b": "b", "c": "c"}
    assert list(found.schemas) == ["s"]
    with pytest.raises(AttributeError, match="add_nothing"):
        found.add_nothing("x", {})


def test_a_key_that_is_taken_is_an_error_and_the_first_stays() -> None:
    first, second = Resources(), Resources()
    first.add_job("a", job("first"))
    second.add_job("a", job("second"))
    second.add_diagnostic_warning("look", detail="there")
    first.add_resources(second)
    assert first.jobs["a"].name == "first"
    assert [item.severity for item in first.diagnostics.items] == [
        *(Severity.ERROR, Severity.WARNING)
    ]
    assert first.diagnostics.has_error()
    assert first.diagnostics.has_warning()


def test_variables_are_references_whose_values_the_bundle_knows() -> None:
    @variables
    class Variables:
        team: Variable[str]
        teams: Variable[list[str]]

    bundle = Bundle(target="dev", variables={"team": "a", "teams": ["a", "b"]})
    assert Variables.team.value == "${var.team}"
    assert bundle.resolve_variable(Variables.team) == "a"
    assert bundle.resolve_variable("plain") == "plain"
    assert bundle.resolve_variable_list(Variables.teams) == ["a", "b"]
    assert bundle.resolve_variable_list([Variables.team, "c"]) == ["a", "c"]
    with pytest.raises(ValueError, match="no variable 'gone'"):
        bundle.resolve_variable(Variable(path="var.gone", type=str))


def test_an_annotation_that_is_no_variable_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Other\.team is to be a Variable"):

        @variables
        class Other:
            team: str


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "some_resources"
    (folder / "deeper").mkdir(parents=True)
    text = "from laketop.shims.bundles.models import resource_class\n"
    made = "{name} = resource_class('jobs')(name={name!r})\n"
    (folder / "__init__.py").write_text(
        "from laketop.shims.bundles.core import load_resources_from_current_package_module\n"
        "load = lambda: load_resources_from_current_package_module()\n"
    )
    (folder / "one.py").write_text(text + made.format(name="first"))
    (folder / "deeper" / "__init__.py").touch()
    (folder / "deeper" / "two.py").write_text(text + made.format(name="second"))
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield importlib.import_module("some_resources")
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_package_is_loaded_however_deep_by_the_names_of_its_variables(
    package: ModuleType,
) -> None:
    assert list(package.load().jobs) == ["second", "first"]


@pytest.mark.parametrize("name", ["job_mutator", "pipeline_mutator", "volume_mutator"])
def test_a_mutator_knows_its_type_and_is_still_a_function(name: str) -> None:
    mutator = getattr(core, name)(lambda bundle, resource: (bundle, resource))
    assert f"{mutator.type[:-1]}_mutator" == name
    assert mutator(1, 2) == (1, 2)
