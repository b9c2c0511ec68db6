from __future__ import annotations

from pathlib import Path

from laketop.cli.doctor import Finding, examine
from laketop.engine import Runtime
from laketop.settings import Settings


def test_the_runtime_is_told_with_its_versions() -> None:
    runtime = Runtime.load()
    found = next(examine(Settings(root=Path("/p"), cache=Path("/c"))))
    assert found == Finding("runtime", f"default  (Spark {runtime.spark}, Delta {runtime.delta})")
    other = next(examine(Settings(root=Path("/p"), cache=Path("/c"), runtime="17.3-LTS")))
    assert other.found == "17.3-LTS  (Spark 4.0.4, Delta 4.4.0)"


def test_without_a_runtime_nothing_else_is_looked_for() -> None:
    settings = Settings(root=Path("/p"), cache=Path("/c"), runtime="16.4-ml")
    (found,) = examine(settings)
    assert found.problem == "no runtime named '16.4-ml'"
    assert found.hint == "there is default, 17.3-LTS"
