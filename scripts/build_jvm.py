"""Build the jars of the repository from their sources, or check that they were built from them."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JARS = (
    (ROOT / "src" / "jvm", ROOT / "src" / "laketop" / "engine" / "jars" / "laketop-engine.jar"),
    (ROOT / "fixtures" / "jars", ROOT / "fixtures" / "jars" / "example.jar"),
)
"""The sources and the jar: laketop's own, and one that a session of the tests brings along."""

RELEASE = "17"
"""The oldest Java that the jar runs on."""
DIGEST = "Source-SHA256"
"""The entry of the manifest that says which sources the jar was built from."""
MANIFEST = "META-INF/MANIFEST.MF"
WHEN = (1980, 1, 1, 0, 0, 0)
"""The date of every entry of the jar: the same sources give the same bytes."""


def source_files(sources: Path) -> list[Path]:
    """Return the Java files below `sources`, sorted by their path."""
    return sorted(sources.rglob("*.java"))


def source_digest(sources: Path) -> str:
    """Return the SHA-256 of all Java files, names and texts, whatever their line ends."""
    digest = hashlib.sha256()
    for file in source_files(sources):
        text = file.read_text(encoding="utf-8")
        digest.update(f"{file.relative_to(sources).as_posix()}\0{text}\0".encode())
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


def problem(sources: Path, jar: Path) -> str | None:
    """Return one sentence that says why the jar is not that of the sources, or None."""
    built, wanted = jar_digest(jar), source_digest(sources)
    if built == wanted:
        return None
    return (
        f"{jar.name} was built from sources with digest {built!r}, those of {sources.name} have "
        f"{wanted!r}: run python scripts/build_jvm.py"
    )


def compile_java(sources: Path, classes: Path, libraries: Sequence[Path], javac: str) -> None:
    """Compile all sources into the folder `classes`.

    Errors: CalledProcessError when they do not compile; what javac says goes to stderr.
    """
    path = ":".join(f"{folder}/*" for folder in libraries)
    options = ["--release", RELEASE, "-encoding", "UTF-8", "-nowarn", "-XDignore.symbol.file"]
    files = [str(file) for file in source_files(sources)]
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


def delta_folder() -> Path:
    """Return the folder of laketop's cache that holds the jars of the default runtime."""
    import os

    from laketop.engine import jars
    from laketop.engine.runtime import Runtime
    from laketop.settings import Settings

    return jars.folder(Settings.read(ROOT, os.environ), Runtime.load())


def spark_folder() -> Path:
    """Return the folder of the installed pyspark that holds Spark's jars."""
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SystemExit("pyspark is not installed in this environment")
    return Path(spec.origin).parent / "jars"


def build(delta: Path, javac: str) -> None:
    """Compile the sources and replace the jars of the repository."""
    for sources, jar in JARS:
        with tempfile.TemporaryDirectory() as folder:
            compile_java(sources, Path(folder), [spark_folder(), delta], javac)
            write_jar(Path(folder), jar, source_digest(sources))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, build nothing")
    parser.add_argument("--delta", type=Path, help="the folder that holds Delta's jars")
    parser.add_argument("--javac", default=shutil.which("javac"), help="the compiler of a JDK")
    options = parser.parse_args(arguments)
    if options.check:
        found = [problem(sources, jar) for sources, jar in JARS]
        troubles = [trouble for trouble in found if trouble is not None]
        sys.stderr.writelines(f"{trouble}\n" for trouble in troubles)
        return 1 if troubles else 0
    if options.javac is None:
        raise SystemExit("there is no javac on the PATH: install a JDK, 17 or later")
    build(options.delta or delta_folder(), options.javac)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
