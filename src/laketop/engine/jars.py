"""The engine's jars: fetched once by coordinates, checked by digest, kept in the user's cache."""

from __future__ import annotations

import atexit
import hashlib
import http.client
import importlib.metadata
import importlib.resources
import importlib.util
import os
import shutil
import subprocess
import tempfile
import urllib.request
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from laketop.engine.runtime import Jar, Runtime
from laketop.errors import EngineMissing, LaketopError
from laketop.settings import Settings

Say = Callable[[str], None]

_FETCH_SECONDS = 180
_ENGINE_ALONE = (
    *("spark-sql_", "spark-connect_", "spark-catalyst_", "spark-hive", "spark-mllib"),
    *("spark-graphx", "spark-streaming", "hive-", "kubernetes-", "derby"),
)
"""Beginnings of the names of Spark's jars that a client has no use for."""


def own_jar() -> Path:
    """Return laketop's own catalog and parser extension for the Spark that is installed.

    The wheel carries one jar for the Spark of each runtime.
    Errors: EngineMissing when no pyspark is installed, or one of another Spark.
    """
    spark = installed_spark()
    minor = ".".join(spark.split(".")[:2])
    folder = importlib.resources.files("laketop.engine") / "jars"
    jar = Path(str(folder / f"laketop-engine-spark-{minor}.jar"))
    if not jar.is_file():
        raise EngineMissing(f"pyspark {spark} of this environment is that of no runtime")
    return jar


def installed_spark() -> str:
    """Return the version of the installed pyspark. Errors: EngineMissing when there is none."""
    try:
        return importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError:
        raise EngineMissing("the engine needs the package pyspark with its jars") from None


def require_spark(runtime: Runtime) -> None:
    """Refuse an environment whose Spark is not the runtime's.

    Errors: EngineMissing, with the command that installs it.
    """
    installed = installed_spark()
    if installed != runtime.spark:
        raise EngineMissing(
            f"the runtime {runtime.key!r} is Spark {runtime.spark}, but this environment has"
            f" pyspark {installed}",
            extra=runtime.extra,
        )


def folder(settings: Settings, runtime: Runtime) -> Path:
    """Return the folder of the cache that holds the jars of this runtime."""
    return settings.cache / "jars" / f"{runtime.key}-{runtime.spark}-{runtime.delta}"


def missing(settings: Settings, runtime: Runtime) -> tuple[Jar, ...]:
    """Return the jars that are not in the cache, or not with their digest."""
    place = folder(settings, runtime)
    return tuple(jar for jar in runtime.jars if not _is(place / jar.file_name, jar))


def ensure(settings: Settings, runtime: Runtime, java: Path, say: Say) -> tuple[Path, ...]:
    """Return the paths of the runtime's jars, fetching those that are not in the cache.

    Sources, in this order: the user's local Maven repository, the repository that
    LAKETOP_MAVEN_REPOSITORY names, else Ivy's own default, through the Ivy that pyspark ships.
    Errors: EngineMissing when a jar cannot be had, LaketopError when its digest is wrong.
    """
    place = folder(settings, runtime)
    wanted = missing(settings, runtime)
    if wanted:
        try:
            place.mkdir(parents=True, exist_ok=True)
            _fetch(settings, wanted, place, java, say)
        except OSError as error:
            raise LaketopError(
                f"the jars of the engine cannot be written to {str(place)!r}: {error.strerror}",
                hint="make room there, or set XDG_CACHE_HOME to a folder that can be written",
            ) from error
    return tuple(place / jar.file_name for jar in runtime.jars)


def _fetch(settings: Settings, wanted: Sequence[Jar], place: Path, java: Path, say: Say) -> None:
    say(f"fetching {len(wanted)} jars of Delta Lake, once")
    with tempfile.TemporaryDirectory(dir=place, prefix=".fetch-") as name:
        stage = Path(name)
        rest = [jar for jar in wanted if not _from_local_repository(settings, jar, stage)]
        if rest and settings.maven_repository is not None:
            for jar in rest:
                _download(settings.maven_repository, jar, stage)
        elif rest:
            _retrieve(settings, rest, stage, java)
        for jar in wanted:
            _check(stage / jar.file_name, jar)
            (stage / jar.file_name).replace(place / jar.file_name)


def _from_local_repository(settings: Settings, jar: Jar, stage: Path) -> bool:
    home = settings.environment.get("HOME")
    if home is None:
        return False
    local = Path(home) / ".m2" / "repository" / jar.path
    if not _is(local, jar):
        return False
    shutil.copyfile(local, stage / jar.file_name)
    return True


def _download(repository: str, jar: Jar, stage: Path) -> None:
    address = f"{repository.rstrip('/')}/{jar.path}"
    if not address.startswith(("https://", "http://", "file://")):
        raise EngineMissing(
            f"LAKETOP_MAVEN_REPOSITORY is {repository!r}, which is not an address",
            hint="set it to the base address of a Maven repository, or unset it",
        )
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - checked above
            (stage / jar.file_name).write_bytes(answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(jar, str(getattr(error, "reason", error))) from error


def _retrieve(settings: Settings, wanted: Sequence[Jar], stage: Path, java: Path) -> None:
    module = stage / "ivy.xml"
    lines = (
        f'<dependency org="{jar.group}" name="{jar.artifact}" rev="{jar.version}"'
        ' conf="default->master" transitive="false"/>'
        for jar in wanted
    )
    module.write_text(
        '<ivy-module version="2.0"><info organisation="laketop" module="engine"/>'
        f"<dependencies>{''.join(lines)}</dependencies></ivy-module>",
        encoding="utf-8",
    )
    rules = stage / "ivysettings.xml"
    rules.write_text(
        '<ivysettings><settings defaultResolver="default"/>'
        '<resolvers><ibiblio name="default" m2compatible="true"/></resolvers></ivysettings>',
        encoding="utf-8",
    )
    command = [
        *(str(java), *_trust(settings, stage), f"-Duser.home={stage}"),
        *("-cp", f"{spark_home() / 'jars'}/*", "org.apache.ivy.Main"),
        *("-settings", str(rules), "-cache", str(stage / "cache"), "-ivy", str(module)),
        *("-retrieve", f"{stage}/[artifact]-[revision].[ext]"),
    ]
    try:
        told = _run(command)
    except subprocess.TimeoutExpired:
        raise _unreachable(wanted[0], f"no answer within {_FETCH_SECONDS} seconds") from None
    for jar in wanted:
        if not (stage / jar.file_name).is_file():
            lines = (line.strip() for line in told.splitlines())
            why = next((line for line in lines if "error" in line.lower()), "it was not found")
            raise _unreachable(jar, why)


def _run(command: Sequence[str]) -> str:
    # What the program says. It does not outlive this process, which may be told to end meanwhile.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        atexit.register(process.kill)
        try:
            return process.communicate(timeout=_FETCH_SECONDS)[0]
        finally:
            atexit.unregister(process.kill)
            process.kill()


def _trust(settings: Settings, stage: Path) -> tuple[str, ...]:
    """Tell Java the certificates that Python is told to trust (SSL_CERT_FILE)."""
    bundle = settings.environment.get("SSL_CERT_FILE")
    if not bundle or not Path(bundle).is_file():
        return ()
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

    with warnings.catch_warnings():
        # Public bundles hold certificates with serial numbers that newer rules forbid.
        warnings.simplefilter("ignore")
        certificates = x509.load_pem_x509_certificates(Path(bundle).read_bytes())
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"ca{number}".encode())
        for number, certificate in enumerate(certificates)
    ]
    store = stage / "trust.p12"
    store.write_bytes(pkcs12.serialize_java_truststore(entries, NoEncryption()))
    return (f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStoreType=PKCS12")


def spark_home() -> Path:
    """Return the folder of the installed pyspark, which holds Spark's own jars.

    Errors: EngineMissing when pyspark, or its jars, are not installed.
    """
    spec = importlib.util.find_spec("pyspark")
    home = Path(spec.origin).parent if spec is not None and spec.origin else None
    if home is None or not (home / "jars").is_dir():
        raise EngineMissing("the engine needs the package pyspark with its jars")
    return home


def _unreachable(jar: Jar, why: str) -> EngineMissing:
    return EngineMissing(
        f"the jar {jar.group}:{jar.artifact}:{jar.version} could not be fetched: {why}",
        hint="connect to the network once, or set LAKETOP_MAVEN_REPOSITORY to your mirror",
    )


def _check(file: Path, jar: Jar) -> None:
    if not _is(file, jar):
        raise LaketopError(
            f"{jar.file_name} has another sha256 than {jar.sha256}, so it is not used",
            hint="the repository it came from gives other bytes; set LAKETOP_MAVEN_REPOSITORY",
        )


def _is(file: Path, jar: Jar) -> bool:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def class_path(jars: Sequence[Path]) -> str:
    """Return the class path of the engine: laketop's own jar goes before Spark's and Delta's."""
    return os.pathsep.join([str(own_jar()), f"{spark_home() / 'jars'}/*", *map(str, jars)])


def client_class_path(jars: Sequence[Path]) -> str:
    """Return the class path of a JVM that speaks Spark Connect: its client, then what that needs.

    Spark's own SQL engine is left out, as Spark's launcher does for a remote session: its builder
    would start Spark right there. Laketop's jar and `jars` go last.
    """
    folder = spark_home() / "jars"
    client = sorted(folder.glob("connect-repl/spark-connect-client-jvm_*.jar"))
    if not client:
        raise EngineMissing("the installed pyspark has no client of Spark Connect for the JVM")
    needed = [jar for jar in sorted(folder.glob("*.jar")) if not jar.name.startswith(_ENGINE_ALONE)]
    return os.pathsep.join(map(str, (*client, *needed, own_jar(), *jars)))
