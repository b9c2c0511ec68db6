from __future__ import annotations

import pytest

from laketop.engine import Runtime
from laketop.engine.runtime import Jar
from laketop.errors import NotFound


def test_the_default_runtime_has_the_seven_jars_of_delta() -> None:
    runtime = Runtime.load()
    assert len(runtime.jars) == 7
    assert all(len(jar.sha256) == 64 for jar in runtime.jars)


def test_a_jar_lies_where_repositories_put_it() -> None:
    jar = Jar("io.delta", "delta-storage", "4.4.0", "00")
    assert jar.path == "io/delta/delta-storage/4.4.0/delta-storage-4.4.0.jar"


def test_an_unknown_runtime_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="hint: there is default"):
        Runtime.load("16.4-ml")
