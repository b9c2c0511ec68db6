"""`laketop ml`: the code of a commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from laketop.cli import ml
from laketop.errors import LaketopError
from laketop.settings import Settings


def committed(folder: Path, text: str) -> str:
    (folder / "flights" / "src").mkdir(parents=True, exist_ok=True)
    (folder / "flights" / "src" / "train.py").write_text(text)
    name = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    for command in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", text]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    head = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()


def test_the_code_is_that_of_the_commit_and_leaves_nothing_behind(tmp_path: Path) -> None:
    repository, scratch = tmp_path / "repository", tmp_path / "scratch"
    repository.mkdir()
    scratch.mkdir()
    old = committed(repository, "old")
    committed(repository, "new")
    settings = Settings(root=repository / "flights", cache=tmp_path)
    with ml._code(settings, old, scratch) as source:
        assert (source / "src" / "train.py").read_text() == "old"
    assert not (scratch / "code").exists()
    with ml._code(settings, ml.UNCOMMITTED, scratch) as source:
        assert (source / "src" / "train.py").read_text() == "new"
    with (
        pytest.raises(LaketopError, match="Git cannot hand out the code"),
        ml._code(settings, "0" * 40, scratch),
    ):
        pass


def test_a_commit_without_a_repository_is_an_error(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, cache=tmp_path)
    with (
        pytest.raises(LaketopError, match="in no Git repository"),
        ml._code(settings, "4f0c2b1", tmp_path),
    ):
        pass
