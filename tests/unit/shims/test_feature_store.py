"""The older client has the documented signatures, and refuses by name what is not there."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from laketop import shims
from laketop.errors import Refused

DOCUMENT = Path(__file__).parents[3] / "docs" / "FEATURE_CLIENT.md"
SECTION = DOCUMENT.read_text(encoding="utf-8").partition("## The older client")[2]
ROWS = re.findall(r"^\| `(\w+)` \| `(.*)` \| (.*) \|$", SECTION.partition("\n## ")[0], re.MULTILINE)
ANY_KEYWORD = inspect.Parameter.VAR_KEYWORD


@pytest.fixture
def module() -> Any:
    shims.install()
    return importlib.import_module("databricks.feature_store")


def documented(written: str) -> dict[str, inspect.Parameter]:
    namespace: dict[str, Any] = {}
    exec(f"def f({written}): ...", namespace)  # noqa: S102  # a signature of our own document
    return dict(inspect.signature(namespace["f"]).parameters)


@pytest.mark.parametrize(("name", "written", "here"), [row for row in ROWS if row[2] != "refused"])
def test_a_signature_is_the_documented_one(name: str, written: str, here: str, module: Any) -> None:
    client = module.FeatureStoreClient
    found = inspect.signature(client if name == client.__name__ else getattr(client, name))
    more = set(re.findall(r"also `(\w+)`", here))
    assert here.split(";", maxsplit=1)[0] == "the same"
    assert [(n, p.kind, p.default) for n, p in documented(written).items()] == [
        (n, p.kind, p.default) for n, p in found.parameters.items() if n not in {"self", *more}
    ]


def test_what_was_there_once_is_refused_by_name(module: Any) -> None:
    client = module.FeatureStoreClient()
    refused = {name for name, _, here in ROWS if here == "refused"}
    assert refused == set(module.REFUSED)
    for name in refused:
        with pytest.raises(Refused, match=rf"FeatureStoreClient\.{name} is not supported"):
            getattr(client, name)("t")


def test_another_store_and_options_of_other_stores_are_refused(module: Any) -> None:
    with pytest.raises(Refused, match="feature_store_uri"):
        module.FeatureStoreClient("databricks://scope:prefix")
    with pytest.raises(Refused, match=r"read_table\(as_of_delta_timestamp="):
        module.FeatureStoreClient().read_table("t", as_of_delta_timestamp="2013-01-01")
