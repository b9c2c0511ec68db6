from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def build_jvm() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_jvm", ROOT / "scripts" / "build_jvm.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "java"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "One.java").write_text("package a;\nclass One {}\n", encoding="utf-8")
    return [folder]


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    folder = tmp_path / "classes"
    (folder / "a").mkdir(parents=True)
    for name in ("Two", "One"):
        (folder / "a" / f"{name}.class").write_bytes(name.encode())
    return folder


def test_the_jars_in_the_repository_are_built_from_their_sources(build_jvm: ModuleType) -> None:
    assert build_jvm.main(["--check"]) == 0


def test_a_changed_source_is_told_in_one_sentence(
    build_jvm: ModuleType, sources: list[Path], classes: Path, tmp_path: Path
) -> None:
    jar = tmp_path / "x.jar"
    build_jvm.write_jar(classes, jar, build_jvm.source_digest(sources))
    assert build_jvm.problem(sources, jar) is None
    (sources[0] / "a" / "One.java").write_text("package a;\nclass One { }\n", encoding="utf-8")
    told = build_jvm.problem(sources, jar)
    assert told is not None
    assert "python scripts/build_jvm.py" in told
    assert "\n" not in told


def test_a_jar_that_is_not_there_is_told(
    build_jvm: ModuleType, sources: list[Path], tmp_path: Path
) -> None:
    assert "None" in build_jvm.problem(sources, tmp_path / "none.jar")


def test_a_renamed_source_changes_the_digest(build_jvm: ModuleType, sources: list[Path]) -> None:
    before = build_jvm.source_digest(sources)
    (sources[0] / "a" / "One.java").rename(sources[0] / "a" / "Two.java")
    assert build_jvm.source_digest(sources) != before


def test_line_ends_do_not_change_the_digest(build_jvm: ModuleType, sources: list[Path]) -> None:
    before = build_jvm.source_digest(sources)
    (sources[0] / "a" / "One.java").write_bytes(b"package a;\r\nclass One {}\r\n")
    assert build_jvm.source_digest(sources) == before


def test_the_same_classes_give_the_same_bytes(
    build_jvm: ModuleType, classes: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.jar", tmp_path / "2.jar"
    build_jvm.write_jar(classes, first, "0" * 64)
    (classes / "a" / "One.class").touch()
    build_jvm.write_jar(classes, second, "0" * 64)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == ["META-INF/MANIFEST.MF", "a/One.class", "a/Two.class"]


def test_the_digest_in_the_manifest_reads_back(
    build_jvm: ModuleType, classes: Path, tmp_path: Path
) -> None:
    build_jvm.write_jar(classes, tmp_path / "x.jar", "0123456789abcdef" * 4)
    assert build_jvm.jar_digest(tmp_path / "x.jar") == "0123456789abcdef" * 4
