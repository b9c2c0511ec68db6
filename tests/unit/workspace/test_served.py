from __future__ import annotations

import random
from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.errors import NotImplemented as NotServed
from hypothesis import given
from hypothesis import strategies as st

from laketop.workspace.served import Config, Entity, check_endpoint_name, choose, config_of


def one(**fields: Any) -> dict[str, Any]:
    return {"entity_name": "main.ml.m", "entity_version": "3", **fields}


def two(first: Any, second: Any) -> dict[str, Any]:
    routes = [
        {"served_entity_name": "a", "traffic_percentage": first},
        {"served_entity_name": "b", "traffic_percentage": second},
    ]
    return {
        "served_entities": [one(name="a"), one(name="b")],
        "traffic_config": {"routes": routes},
    }


def shared(shares: list[int]) -> Config:
    names = [f"e{number}" for number in range(len(shares))]
    entities = tuple(Entity(name=name, model="main.ml.m", version=1) for name in names)
    return Config(entities=entities, shares=dict(zip(names, shares, strict=True)))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=4)))
    return shared([b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)])


def test_one_entity_takes_all_and_is_named_by_model_and_version() -> None:
    config = config_of({"served_entities": [one(workload_size="Small")]})

    assert config.shares == {"m-3": 100}
    assert config.entities == (
        Entity(name="m-3", model="main.ml.m", version=3, workload_size="Small"),
    )


def test_the_older_form_says_the_same() -> None:
    old = {"served_models": [{"model_name": "main.ml.m", "model_version": "3"}]}

    assert config_of(old) == config_of({"served_entities": [one()]})


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "at least one entry"),
        ({"served_entities": []}, "at least one entry"),
        ({"served_entities": ["m"]}, "must be a JSON object"),
        ({"served_entities": [{"entity_version": "1"}]}, "needs 'entity_name'"),
        ({"served_entities": [one(entity_name="m")]}, "specify all three levels"),
        ({"served_entities": [one(entity_version="champion")]}, "An alias cannot be served"),
        ({"served_entities": [one(entity_version="0")]}, "a version's number"),
        ({"served_entities": [one(entity_version=None)]}, "a version's number"),
        ({"served_entities": [one(name="a b")]}, "letters, digits"),
        ({"served_entities": [one(), one()]}, "Two served entities are named 'm-3'"),
        ({"served_entities": [one(name="a"), one(name="b")]}, "must share the traffic out"),
        ({"served_entities": [one(environment_vars={"A=": "b"})]}, "'A='"),
        ({"served_entities": [one(environment_vars={"A": 1})]}, "'A'"),
        ({"served_entities": [one(environment_vars=["A"])]}, "JSON object of texts"),
        (two(50, 49), "sum to 99, not to 100"),
        (two(-1, 101), "not a whole number of 0 to 100"),
        (two(50.0, 50), "not a whole number of 0 to 100"),
        (two(True, 99), "not a whole number of 0 to 100"),
    ],
)
def test_a_configuration_that_cannot_be_served_is_refused(
    config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=problem):
        config_of(config)


def test_traffic_for_an_entity_that_is_not_served_is_refused() -> None:
    routes = [{"served_model_name": "z", "traffic_percentage": 100}]
    with pytest.raises(InvalidParameterValue, match="names 'z'"):
        config_of({"served_entities": [one()], "traffic_config": {"routes": routes}})


@pytest.mark.parametrize(
    "config",
    [
        {"served_entities": [one(external_model={"name": "x"})]},
        {"served_entities": [one(workload_type="GPU_SMALL")]},
        {"served_entities": [one(environment_vars={"A": "{{secrets/s/k}}"})]},
    ],
)
def test_what_only_databricks_serves_is_refused_by_name(config: dict[str, Any]) -> None:
    with pytest.raises(NotServed, match="'"):
        config_of(config)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 64, "é"])
def test_a_name_that_an_endpoint_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameterValue, match="Endpoint name"):
        check_endpoint_name(name)


@given(configs(), st.floats(0, 1, exclude_max=True), st.none() | st.text(max_size=8))
def test_an_entity_without_a_share_is_never_chosen(
    config: Config, draw: float, request_id: str | None
) -> None:
    assert config.shares[choose(config, request_id=request_id, draw=draw).name] > 0


@given(configs(), st.text(max_size=8), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_request_id_always_goes_to_the_same_entity(
    config: Config, request_id: str, one_draw: float, other_draw: float
) -> None:
    first = choose(config, request_id=request_id, draw=one_draw)

    assert first == choose(config, request_id=request_id, draw=other_draw)


@pytest.mark.parametrize("by_id", [True, False])
def test_the_traffic_is_shared_as_asked(by_id: bool) -> None:
    config, count = shared([70, 20, 10]), 5000
    generator = random.Random(7)  # noqa: S311 - a draw that can be repeated
    found = dict.fromkeys(config.shares, 0)
    for number in range(count):
        request_id = str(number) if by_id else None
        found[choose(config, request_id=request_id, draw=generator.random()).name] += 1

    expected = {name: count * share / 100 for name, share in config.shares.items()}
    chi_square = sum((found[n] - wanted) ** 2 / wanted for n, wanted in expected.items())
    assert chi_square < 13.8, "by chance once in a thousand seeds, and the seed is fixed"
