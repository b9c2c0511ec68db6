"""A small statement on an engine that notes lineage, against one that does not."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from benchmarks.ratios import compare, run
from pyspark.sql import SparkSession

from laketop.engine import command
from laketop.engine.local import LocalEngine
from laketop.settings import Settings

LISTENERS = "spark.extraListeners"
STATEMENTS = 20


@contextlib.contextmanager
def session(root: Path, *, notes: bool) -> Iterator[SparkSession]:
    """Hand out a session of an engine of its own, which holds a table."""
    confs = command._fixed()  # noqa: SLF001 - what the engine is started with is compared
    if not notes:
        del confs[LISTENERS]
    with mock.patch.object(command, "_fixed", return_value=confs):
        engine = LocalEngine(Settings.read(root, os.environ), token="bench")  # noqa: S106 - of this process
        engine.wait(warm=True)
    found = engine.session()
    try:
        found.sql("CREATE TABLE main.default.t AS SELECT id AS n, 'a' AS s FROM range(100)")
        yield found
    finally:
        found.stop()
        engine.stop()


def main() -> None:
    """Print the ratios."""
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        session(Path(one), notes=True) as with_lineage,
        session(Path(other), notes=False) as without,
    ):

        def read(found: SparkSession) -> None:
            for number in range(STATEMENTS):
                found.sql("SELECT s FROM main.default.t WHERE n = :n", {"n": number}).collect()

        def write(found: SparkSession) -> None:
            for number in range(STATEMENTS // 4):
                insert = "INSERT INTO main.default.t SELECT n, s FROM main.default.t WHERE n = :n"
                found.sql(insert, {"n": number})

        for name, act in (("read", read), ("write", write)):
            for warm in (with_lineage, without):
                act(warm)
            compare(
                f"small statements that {name}, with ÷ without lineage",
                lambda act=act: act(with_lineage),  # type: ignore[misc]  # bound now
                lambda act=act: act(without),  # type: ignore[misc]  # bound now
                rounds=15,
                goal=1.05,
            )


if __name__ == "__main__":
    run(main)
