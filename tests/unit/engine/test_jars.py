from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from laketop.engine import Runtime, jars
from laketop.engine.runtime import Jar
from laketop.errors import EngineMissing, LaketopError
from laketop.settings import Settings

BYTES = b"as good as a jar"
JAR = Jar("org.example", "thing", "1.0", hashlib.sha256(BYTES).hexdigest())
NOWHERE = Path("/nowhere/java")


@pytest.fixture
def runtime() -> Runtime:
    return dataclasses.replace(Runtime.load(), key="small", jars=(JAR,))


def settings_with(tmp_path: Path, **environment: str) -> Settings:
    return Settings.read(
        tmp_path, {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c"), **environment}
    )


def put(root: Path, content: bytes) -> Path:
    file = root / JAR.path
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return file


def silent(_: str) -> None:
    pass


def test_a_jar_of_the_local_repository_is_taken_if_its_digest_is_right(
    tmp_path: Path, runtime: Runtime
) -> None:
    put(tmp_path / ".m2" / "repository", BYTES)
    settings = settings_with(tmp_path)
    (found,) = jars.ensure(settings, runtime, NOWHERE, silent)
    assert found.read_bytes() == BYTES
    assert jars.missing(settings, runtime) == ()


def test_a_configured_repository_is_asked_by_coordinates(tmp_path: Path, runtime: Runtime) -> None:
    put(tmp_path / "mirror", BYTES)
    mirror = (tmp_path / "mirror").as_uri()
    settings = settings_with(tmp_path, LAKETOP_MAVEN_REPOSITORY=mirror)
    (found,) = jars.ensure(settings, runtime, NOWHERE, silent)
    assert found.read_bytes() == BYTES


def test_other_bytes_than_those_of_the_digest_are_never_kept(
    tmp_path: Path, runtime: Runtime
) -> None:
    put(tmp_path / "mirror", b"something else")
    mirror = (tmp_path / "mirror").as_uri()
    settings = settings_with(tmp_path, LAKETOP_MAVEN_REPOSITORY=mirror)
    with pytest.raises(LaketopError, match="another sha256"):
        jars.ensure(settings, runtime, NOWHERE, silent)
    assert jars.missing(settings, runtime) == (JAR,)
    assert list(jars.folder(settings, runtime).iterdir()) == []


def test_a_damaged_jar_of_the_cache_is_fetched_again(tmp_path: Path, runtime: Runtime) -> None:
    put(tmp_path / ".m2" / "repository", BYTES)
    settings = settings_with(tmp_path)
    (found,) = jars.ensure(settings, runtime, NOWHERE, silent)
    found.write_bytes(BYTES[:3])
    jars.ensure(settings, runtime, NOWHERE, silent)
    assert found.read_bytes() == BYTES


def test_a_repository_that_lacks_the_jar_is_named_by_the_jar(
    tmp_path: Path, runtime: Runtime
) -> None:
    settings = settings_with(tmp_path, LAKETOP_MAVEN_REPOSITORY=tmp_path.as_uri())
    with pytest.raises(EngineMissing, match=r"org\.example:thing:1\.0 could not be fetched"):
        jars.ensure(settings, runtime, NOWHERE, silent)


def test_a_cache_that_cannot_be_written_is_said_with_its_path(
    tmp_path: Path, runtime: Runtime
) -> None:
    (tmp_path / "c").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(LaketopError, match="cannot be written to"):
        jars.ensure(settings_with(tmp_path), runtime, NOWHERE, silent)


def test_an_environment_with_the_spark_of_another_runtime_is_refused() -> None:
    older = dataclasses.replace(Runtime.load(), spark="4.1.0", extra="local-4-1")
    told = r"'default' is Spark 4\.1\.0, but .* has pyspark .*\nhint: pip .*laketop\[local-4-1\]"
    with pytest.raises(EngineMissing, match=told):
        jars.require_spark(older)
