"""The client's methods and parameters are the documented ones, and the rest is refused by name."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import laketop.ml.features
from laketop.ml import FeatureEngineeringClient, Refused
from laketop.ml.features.client import REFUSED

DOCUMENT = Path(__file__).parents[4] / "docs" / "FEATURE_CLIENT.md"
ROW = re.compile(r"^\| `(\w+)` \| `(.*)` \| (.*) \|$", re.MULTILINE)
ROWS = ROW.findall(DOCUMENT.read_text(encoding="utf-8").partition("\n## ")[0])


def parameters(written: str) -> dict[str, Any]:
    """Return the parameters of a signature as text, by name."""
    namespace: dict[str, Any] = {}
    exec(f"def f({written}): ...", namespace)  # noqa: S102  # a signature of our own document
    return dict(inspect.signature(namespace["f"]).parameters)


def ours(name: str) -> dict[str, inspect.Parameter]:
    found = getattr(laketop.ml.features, name, None) or getattr(FeatureEngineeringClient, name)
    return {k: v for k, v in inspect.signature(found).parameters.items() if k != "self"}


@pytest.mark.parametrize(
    ("name", "documented", "here"), [row for row in ROWS if row[2] != "refused"]
)
def test_a_signature_is_the_documented_one(name: str, documented: str, here: str) -> None:
    same, *differences = here.split("; ")
    assert same == "the same"
    refused, more = set[str](), set[str]()
    for difference in differences:
        names = set(re.findall(r"`(\w+)`", difference))
        (refused if difference.startswith("refused") else more).update(names)
    expected, found = parameters(documented), ours(name)
    any_keyword = inspect.Parameter.VAR_KEYWORD
    kinds = {
        n: (p.kind, p.default)
        for n, p in expected.items()
        if n not in refused and p.kind is not any_keyword
    }
    assert kinds == {
        n: (p.kind, p.default)
        for n, p in found.items()
        if n not in more and p.kind is not any_keyword
    }
    assert any(p.kind is any_keyword for p in expected.values()) == any(
        p.kind is any_keyword for p in found.values()
    )


def test_every_public_method_is_in_the_document() -> None:
    own = {"spark", "look_up"}
    public = {name for name in dir(FeatureEngineeringClient) if not name.startswith("_")}
    assert {name for name, *_ in ROWS} - {
        "FeatureEngineeringClient",
        "FeatureLookup",
        "FeatureFunction",
    } == (public - own) | set(REFUSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=f"FeatureEngineeringClient.{name} is not supported"):
        getattr(FeatureEngineeringClient(), name)(name="x")
    assert (name, "refused") in {(method, here) for method, _, here in ROWS}


def test_what_never_was_there_is_an_attribute_error() -> None:
    assert not hasattr(FeatureEngineeringClient(), "nonsense")


def test_an_environment_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="env_manager is 'docker'"):
        FeatureEngineeringClient().score_batch(
            model_uri="models:/m/1",
            df=None,  # type: ignore[arg-type]  # told first
            env_manager="docker",
        )
