"""A throwaway project with its workspace up and its engine warm, for the benchmarks."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import SparkSession

from laketop.engine.connect import RemoteEngine
from laketop.settings import Settings
from laketop.workspace import daemon


@contextlib.contextmanager
def warm_project(bundle: str, files: dict[str, str]) -> Iterator[tuple[Path, daemon.Contact]]:
    """Yield the folder and the workspace of a project made of these files."""
    with tempfile.TemporaryDirectory(prefix="laketop-bench-") as name:
        root = Path(name)
        (root / "databricks.yml").write_text(bundle, encoding="utf-8")
        for path, text in files.items():
            (root / path).write_text(text, encoding="utf-8")
        settings = Settings.read(root)
        contact = daemon.start(settings)
        try:
            contact.request("POST", "/api/laketop/1/engine")
            while contact.request("GET", "/api/laketop/1/engine")["phase"] != "warm":
                time.sleep(0.2)
            yield root, contact
        finally:
            daemon.stop(settings)


@contextlib.contextmanager
def session(contact: daemon.Contact) -> Iterator[SparkSession]:
    """Yield a session of the engine; it ends before the engine does, or it would wait for it."""
    spark = RemoteEngine(contact.spark_remote).session()
    try:
        yield spark
    finally:
        spark.stop()


def resident_megabytes(pid: int) -> float:
    """Return how much memory a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cold_spark(body: str) -> str:
    """Return a script that starts a Spark with Delta of its own, as tutorials do, then `body`."""
    return f"""
import glob, os, sys
from laketop.engine import Runtime, jars
from laketop.settings import Settings
from pathlib import Path
place = jars.folder(Settings.read(Path(".")), Runtime.load())
os.environ.pop("SPARK_REMOTE", None)
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.extraClassPath", f"{{place}}/*")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.warehouse.dir", os.path.join(os.getcwd(), "warehouse"))
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
{body}
spark.stop()
"""
