"""The command line that starts the engine: `java` itself, without Spark's shell scripts."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from laketop.engine.jars import class_path
from laketop.settings import Settings

LOGGING = "log4j2.properties"
_POOLS = "fairscheduler.xml"
_SPARE_SLOTS = 6
"""Slots beyond the cores. A statement is cut into as many tasks as there are cores, so what waits
(a sleeping function, a slow source) leaves slots to others."""

OPEN = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
"""The packages that Spark's own launcher opens, as `org.apache.spark.launcher.Main` prints them."""

LATE_COMPILER = (
    *(f"-XX:Tier4{name}" for name in ("InvocationThreshold=50000", "MinInvocationThreshold=6000")),
    *(f"-XX:Tier4{name}" for name in ("CompileThreshold=150000", "BackEdgeThreshold=400000")),
)
_JVM = ("-XX:+UseParallelGC", "-XX:ReservedCodeCacheSize=512m", *LATE_COMPILER)
"""Spark makes new classes for each query, and the JVM's second compiler took a third of the
processor's time of a job on a fresh engine for code that ran only seconds: it begins ten times
later than it would, which what is really hot passes in its first rows. The parallel collector does
without G1's barriers and threads. Compiled queries filled the default cache for code, which then
threw away what was needed again."""


def line(
    settings: Settings,
    *,
    java: Path,
    jars: Sequence[Path],
    folder: Path,
    catalog: Path,
    port: int,
    ready: Path,
    confs: Sequence[tuple[str, str]],
    archive: Sequence[str] = (),
) -> list[str]:
    """Return the arguments that start the engine on the loopback `port`, with a runtime's `confs`.

    The JVM writes `ready` ("serving", then "warm") and ends when the process that calls this
    is gone, or after `settings.engine_idle_seconds` without a session.
    """
    cores = settings.engine_cores or os.cpu_count() or 1
    told = {**_fixed(), **dict(confs), **_placed(folder, catalog, port, cores)}
    return [
        str(java),
        "-XX:+IgnoreUnrecognizedVMOptions",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPEN),
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Dderby.system.home={folder}",
        f"-Duser.home={folder}",
        f"-Dlog4j2.configurationFile={shipped(LOGGING)}",
        f"-Xmx{settings.engine_memory}",
        *_JVM,
        *archive,
        *settings.engine_java_options,
        *("-cp", class_path(jars), "org.apache.spark.deploy.SparkSubmit"),
        *("--master", f"local[{cores + _SPARE_SLOTS}]"),
        *(part for name, value in told.items() for part in ("--conf", f"{name}={value}")),
        *("--class", "laketop.engine.EngineMain", "spark-internal"),
        *(str(os.getpid()), str(ready), str(settings.engine_idle_seconds)),
    ]


def _fixed() -> dict[str, str]:
    """Return what Databricks sets, and what suits one machine."""
    return {
        "spark.sql.extensions": (
            "io.delta.sql.DeltaSparkSessionExtension,laketop.engine.LakeExtension"
        ),
        "spark.sql.catalog.spark_catalog": "laketop.engine.SessionCatalog",
        "spark.sql.catalog.main": "laketop.engine.EngineCatalog",
        "spark.sql.catalog.hive_metastore": "laketop.engine.HiveMetastore",
        "spark.sql.defaultCatalog": "main",
        "spark.sql.sources.default": "delta",
        "spark.sql.ansi.enabled": "true",
        # What a job generates is there still when the job runs again: its queries are hundreds.
        "spark.sql.codegen.cache.maxEntries": "2000",
        "spark.sql.session.timeZone": "UTC",
        # SHOW TABLES answers database, tableName, isTemporary, as Databricks does.
        "spark.sql.legacy.keepCommandOutputSchema": "true",
        "spark.databricks.delta.schema.autoMerge.enabled": "false",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.hadoop.fs.file.impl": "laketop.engine.VolumeFs",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "laketop.engine.VolumeFs$Context",
        # Hadoop sets the mode of what it makes itself, whatever the umask of the process is.
        "spark.hadoop.fs.permissions.umask-mode": "077",
        "spark.hadoop.fs.dbfs.impl": "laketop.engine.VolumeFs$Dbfs",
        "spark.hadoop.fs.AbstractFileSystem.dbfs.impl": "laketop.engine.VolumeFs$DbfsContext",
        "spark.connect.grpc.interceptor.classes": "laketop.engine.UserInterceptor",
        "spark.extraListeners": "laketop.engine.LineageListener,laketop.engine.PythonDaemons",
        "spark.connect.extensions.relation.classes": "laketop.engine.DeltaRelations",
        "spark.connect.extensions.command.classes": "laketop.engine.DeltaCommands",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        # What a client left behind that was killed would hold the slots of others for 5 minutes.
        "spark.connect.execute.manager.detachedTimeout": "60s",
        "spark.connect.execute.manager.maintenanceInterval": "10s",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.scheduler.mode": "FAIR",
        "spark.scheduler.allocation.file": str(shipped(_POOLS)),
    }


def shipped(name: str) -> Traversable:
    """Return a file that lies beside this one, wherever laketop is installed."""
    return importlib.resources.files("laketop.engine") / name


def _placed(folder: Path, catalog: Path, port: int, cores: int) -> dict[str, str]:
    return {
        "spark.default.parallelism": str(cores),
        "spark.sql.shuffle.partitions": str(cores),
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "tmp"),
        "spark.laketop.root": str(catalog),
    }
