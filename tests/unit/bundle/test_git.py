from __future__ import annotations

from pathlib import Path

from laketop.bundle import Git
from laketop.bundle.git import git_of, repository_of

from .conftest import MakeBundle

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = '[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n\tfetch = +refs/heads/*\n'


def repository(
    root: Path, head: str = "ref: refs/heads/feature/x", url: str = "git@h:o/r.git"
) -> Path:
    git = root / ".git"
    (git / "refs" / "heads" / "feature").mkdir(parents=True)
    (git / "HEAD").write_text(head + "\n")
    (git / "refs" / "heads" / "feature" / "x").write_text(COMMIT + "\n")
    (git / "config").write_text(CONFIG.format(url=url))
    return git


def test_branch_commit_and_origin_are_read(tmp_path: Path) -> None:
    repository(tmp_path)
    inner = tmp_path / "a"
    inner.mkdir()
    assert git_of(inner) == Git("feature/x", COMMIT, "git@h:o/r.git")
    assert repository_of(inner) == tmp_path


def test_a_packed_branch_has_its_commit(tmp_path: Path) -> None:
    git = repository(tmp_path)
    (git / "refs" / "heads" / "feature" / "x").unlink()
    (git / "packed-refs").write_text(f"# pack-refs\n{COMMIT} refs/heads/feature/x\n")
    assert git_of(tmp_path).commit == COMMIT
    (git / "packed-refs").write_text("")
    assert git_of(tmp_path).commit == ""


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    repository(tmp_path, head=COMMIT)
    assert git_of(tmp_path) == Git("", COMMIT, "git@h:o/r.git")


def test_a_password_in_the_origin_is_not_told(tmp_path: Path) -> None:
    repository(tmp_path, url="https://user:token@example.org/o/r.git")
    assert git_of(tmp_path).origin_url == "https://example.org/o/r.git"


def test_a_worktree_is_read_through_its_pointer(tmp_path: Path) -> None:
    git = repository(tmp_path / "main")
    own = git / "worktrees" / "w"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/feature/x\n")
    (own / "commondir").write_text("../..\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {own}\n")
    assert git_of(tree) == Git("feature/x", COMMIT, "git@h:o/r.git")


def test_what_is_no_repository_is_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("nothing")
    assert git_of(tmp_path) == Git()
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("[broken")
    assert git_of(tmp_path) == Git()


def test_the_branch_of_a_target_must_be_checked_out(
    tmp_path: Path, make_bundle: MakeBundle
) -> None:
    repository(tmp_path)
    text = """
        bundle: {name: x}
        variables: {b: {default: "${bundle.git.branch} of ${bundle.git.actual_branch}"}}
        targets: {prod: {git: {branch: main}}}
    """
    bundle = make_bundle(text)
    assert bundle.variables == {"b": "main of feature/x"}
    assert [problem.message for problem in bundle.errors] == [
        "not on the right Git branch: 'main' is wanted, 'feature/x' is here"
    ]
    assert make_bundle(text, force=True).errors == ()
