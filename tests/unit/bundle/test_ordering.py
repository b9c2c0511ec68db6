from __future__ import annotations

from laketop.bundle import Resource
from laketop.bundle.ordering import cycles_of, ordered


def resource(key: str, *needs: str) -> Resource:
    return Resource("jobs", key, {}, depends_on=frozenset(f"jobs.{need}" for need in needs))


def keys(*resources: Resource) -> list[str]:
    return [one.key for one in ordered(resources)]


def test_each_comes_after_what_it_needs_and_else_as_given() -> None:
    assert keys(resource("a", "c"), resource("b"), resource("c", "d"), resource("d")) == [
        *("d", "c", "a", "b"),
    ]


def test_a_cycle_and_an_unknown_name_lose_nothing() -> None:
    assert sorted(keys(resource("a", "b"), resource("b", "a", "x"))) == ["a", "b"]


def test_a_long_chain_needs_no_recursion() -> None:
    count = 5000
    chain = [resource(f"r{i}", f"r{i + 1}") for i in range(count)]
    assert keys(*chain)[0] == f"r{count - 1}"
    assert cycles_of({f"r{i}": [f"r{i + 1}"] for i in range(count)}) == []


def test_every_cycle_met_is_a_chain() -> None:
    needs = {"a": ["b"], "b": ["c", "a"], "c": ["a"], "d": ["d"], "e": ["a"]}
    assert cycles_of(needs) == [["a", "b", "c", "a"], ["a", "b", "a"], ["d", "d"]]
