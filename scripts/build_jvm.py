"""Build the jars of the repository from their sources, or check that they were built from them."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from laketop.engine.runtime import Runtime
    from laketop.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "src" / "laketop" / "engine" / "jars"


class Built(NamedTuple):
    """A jar, the folders of its sources and the runtime whose Spark and Delta it stands on."""

    jar: Path
    sources: tuple[Path, ...]
    runtime: str


def shipped(spark: str, runtime: str) -> Built:
    """Return laketop's own jar for a version of Spark: of what is common, and what is not."""
    jar = SHIPPED / f"laketop-engine-spark-{spark}.jar"
    folders = ("jvm", f"jvm-spark-{spark}")
    return Built(jar, tuple(ROOT / "src" / folder for folder in folders), runtime)


EXAMPLE = ROOT / "fixtures" / "jars"
JARS = (
    shipped("4.2", "default"),
    shipped("4.0", "17.3-LTS"),
    # One that a session of the tests brings along.
    Built(EXAMPLE / "example.jar", (EXAMPLE,), "default"),
)

RELEASE = "17"
"""The oldest Java that the jar runs on."""
DIGEST = "Source-SHA256"
"""The entry of the manifest that says which sources the jar was built from."""
MANIFEST = "META-INF/MANIFEST.MF"
WHEN = (1980, 1, 1, 0, 0, 0)
"""The date of every entry of the jar: the same sources give the same bytes."""


def source_files(folder: Path) -> list[Path]:
    """Return the Java files below a folder, sorted by their path."""
    return sorted(folder.rglob("*.java"))


def source_digest(sources: Sequence[Path]) -> str:
    """Return the SHA-256 of all Java files, names and texts, whatever their line ends."""
    digest = hashlib.sha256()
    for folder in sources:
        for file in source_files(folder):
            text = file.read_text(encoding="utf-8")
            digest.update(f"{file.relative_to(folder).as_posix()}\0{text}\0".encode())
    return digest.hexdigest()


def jar_digest(jar: Path) -> str | None:
    """Return the digest of the sources that the jar was built from, or None if it has none."""
    if not jar.is_file():
        return None
    with zipfile.ZipFile(jar) as archive:
        manifest = archive.read(MANIFEST).decode()
    # A line of a manifest is at most 72 bytes long; a longer one goes on after a space.
    fields = dict(
        line.split(": ", 1) for line in manifest.replace("\r\n ", "").splitlines() if ": " in line
    )
    return fields.get(DIGEST)


def problem(sources: Sequence[Path], jar: Path) -> str | None:
    """Return one sentence that says why the jar is not that of the sources, or None."""
    built, wanted = jar_digest(jar), source_digest(sources)
    if built == wanted:
        return None
    names = " and ".join(folder.name for folder in sources)
    return (
        f"{jar.name} was built from sources with digest {built!r}, those of {names} have "
        f"{wanted!r}: run python scripts/build_jvm.py"
    )


def compile_java(
    sources: Sequence[Path], classes: Path, libraries: Sequence[Path], javac: str
) -> None:
    """Compile all sources into the folder `classes`.

    Errors: CalledProcessError when they do not compile; what javac says goes to stderr.
    """
    path = ":".join(f"{folder}/*" for folder in libraries)
    options = ["--release", RELEASE, "-encoding", "UTF-8", "-nowarn", "-XDignore.symbol.file"]
    files = [str(file) for folder in sources for file in source_files(folder)]
    subprocess.run([javac, *options, "-d", str(classes), "-cp", path, *files], check=True)


def write_jar(classes: Path, jar: Path, digest: str) -> None:
    """Write the jar whose bytes depend on nothing but the classes and the digest."""
    value = f"{DIGEST}: {digest}"
    manifest = f"Manifest-Version: 1.0\r\n{value[:70]}\r\n {value[70:]}\r\n\r\n"
    entries = {MANIFEST: manifest.encode()} | {
        file.relative_to(classes).as_posix(): file.read_bytes()
        for file in sorted(classes.rglob("*.class"))
    }
    jar.parent.mkdir(parents=True, exist_ok=True)
    part = jar.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, content)
    part.replace(jar)


def libraries_of(key: str) -> list[Path]:
    """Return the folders of a runtime's jars, Spark's and Delta's, which are fetched if need be."""
    from laketop.engine import jars, java
    from laketop.engine.runtime import Runtime
    from laketop.settings import Settings

    settings, runtime = Settings.read(ROOT, os.environ), Runtime.load(key)
    jars.ensure(settings, runtime, java.find(settings, runtime), print)
    installed = jars.installed_spark() == runtime.spark
    spark = jars.spark_home() if installed else pyspark_of(settings, runtime)
    return [spark / "jars", jars.folder(settings, runtime)]


def pyspark_of(settings: Settings, runtime: Runtime) -> Path:
    """Return the folder of a pyspark that this environment does not have, kept in the cache."""
    from uv import find_uv_bin

    place = settings.cache / "build" / f"pyspark-{runtime.spark}"
    if not (place / "pyspark" / "jars").is_dir():
        wanted = ("--no-deps", "--target", str(place), f"pyspark=={runtime.spark}")
        subprocess.run([find_uv_bin(), "pip", "install", "--quiet", *wanted], check=True)
    return place / "pyspark"


def build(javac: str) -> None:
    """Compile the sources and replace the jars of the repository."""
    for built in JARS:
        with tempfile.TemporaryDirectory() as folder:
            compile_java(built.sources, Path(folder), libraries_of(built.runtime), javac)
            write_jar(Path(folder), built.jar, source_digest(built.sources))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, build nothing")
    parser.add_argument("--javac", default=shutil.which("javac"), help="the compiler of a JDK")
    options = parser.parse_args(arguments)
    if options.check:
        found = [problem(built.sources, built.jar) for built in JARS]
        troubles = [trouble for trouble in found if trouble is not None]
        sys.stderr.writelines(f"{trouble}\n" for trouble in troubles)
        return 1 if troubles else 0
    if options.javac is None:
        raise SystemExit("there is no javac on the PATH: install a JDK, 17 or later")
    build(options.javac)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
