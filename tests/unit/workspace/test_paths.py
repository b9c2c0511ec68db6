"""Paths: nothing outside of a root can be named."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue, NotFound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laketop.workspace.paths import confined, located

_UP = ["..", "%2e%2e", "%2E.", "..%00", "..;", "..;x", "..%0d", "\x00", "..%20", ".", "..%09"]
_SLASH = ["/", "%2f", "%5C", "\\", "//", "/./", "%252f", ";/"]
_CORPUS = [
    (up + slash) * depth + "x" for up, slash, depth in itertools.product(_UP, _SLASH, (1, 2, 7))
]


def test_the_corpus_is_large() -> None:
    assert len(_CORPUS) > 200


@pytest.mark.parametrize("decode", [0, 1, 2])
def test_no_spelling_leads_out(tmp_path: Path, decode: int) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for spelling in _CORPUS:
        for _ in range(decode):
            spelling = unquote(spelling)  # noqa: PLW2901 - one level less
        for prefix in ("", "/", "a/", "a/b/../"):
            try:
                found = confined(root, prefix + spelling)
            except InvalidParameterValue:
                continue
            assert found.is_relative_to(root)
            assert ".." not in found.parts


@given(path=st.text())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_inside_or_refused(tmp_path: Path, path: str) -> None:
    try:
        found = confined(tmp_path, path)
    except InvalidParameterValue:
        return
    assert found.is_relative_to(tmp_path.resolve())
    assert found == tmp_path.resolve() / "/".join(name for name in path.split("/") if name)


@pytest.mark.parametrize(
    "path", ["a/../b", "..", ".", "a/.", "a\\b", "a\x00", "a\nb", "a%2fb", "a%2Eb", "a;b", "a\x7f"]
)
def test_what_could_be_read_twice_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidParameterValue, match="cannot be used"):
        confined(tmp_path, path)


@pytest.mark.parametrize("path", ["a b", "ä", "100%", "...", "..a", "a+b@c=d", "a//b", "/a/"])
def test_ordinary_names_are_fine(tmp_path: Path, path: str) -> None:
    assert confined(tmp_path, path).is_relative_to(tmp_path)


@pytest.mark.parametrize("path", ["x" * 256, "ü" * 128, "/".join(["abcdefghi"] * 201)])
def test_a_path_too_long_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidParameterValue, match="too long"):
        confined(tmp_path, path)


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "within").symlink_to(root)
    for path in ("folder/x", "folder/x/y", "file", "folder", "within"):
        with pytest.raises(InvalidParameterValue):
            confined(root, path)
    assert confined(root, "within/x") == root / "x"


def test_a_root_may_lie_behind_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert confined(tmp_path / "link", "a") == tmp_path / "real" / "a"


def _volume(state: Path) -> None:
    folder = state / "catalog/c/s/_volumes"
    folder.mkdir(parents=True)
    (folder / "v.json").write_text(json.dumps({}))


def test_each_root_of_the_files_api_has_its_place(tmp_path: Path) -> None:
    _volume(tmp_path)
    places = {
        "/Volumes/c/s/v/a/b": "catalog/c/s/_files/v/a/b",
        "Volumes/c/s/v": "catalog/c/s/_files/v",
        "/Models/c/s/m/1/MLmodel": "models/c/s/m/1/MLmodel",
        "/WorkspaceInternal/Mlflow/Artifacts/1/x": "artifacts/1/x",
    }
    for path, place in places.items():
        assert located(tmp_path, path).path == tmp_path / place
    assert located(tmp_path, "/Volumes/c/s/v").is_root
    assert not located(tmp_path, "/Volumes/c/s/v/a").is_root


def test_a_volume_has_to_exist(tmp_path: Path) -> None:
    _volume(tmp_path)
    for path in ("/Volumes/c/s/w/a", "/Volumes/c/t/v/a", "/Volumes/d/s/v/a"):
        with pytest.raises(NotFound, match="does not exist"):
            located(tmp_path, path)


@pytest.mark.parametrize(
    "path",
    ["/", "", "/Volumes", "/Volumes/c/s", "/Models/c/s/m", "/WorkspaceInternal/Mlflow", "/etc/x",
     "/Volumes/../s/v/x", "/Volumes/c/s/../x", "/Models/c/../m/1", "/Models/c/s/m/1/../../x"],
)  # fmt: skip
def test_any_other_place_is_refused(tmp_path: Path, path: str) -> None:
    _volume(tmp_path)
    with pytest.raises(InvalidParameterValue):
        located(tmp_path, path)


def test_a_volume_is_a_link_only_where_it_is_external(tmp_path: Path) -> None:
    _volume(tmp_path)
    home = tmp_path / "catalog/c/s"
    (home / "_files").mkdir()
    (home / "_files" / "w").symlink_to(tmp_path)
    entry = home / "_volumes" / "w.json"
    entry.write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidParameterValue):
        located(tmp_path, "/Volumes/c/s/w/x")
    entry.write_text(json.dumps({"storage_location": str(tmp_path)}), encoding="utf-8")
    assert located(tmp_path, "/Volumes/c/s/w/x").path == tmp_path / "x"
