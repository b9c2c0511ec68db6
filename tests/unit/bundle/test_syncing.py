from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle import Bundle, files_of

from .conftest import MakeBundle


def names(bundle: Bundle) -> list[str]:
    return [path.relative_to(bundle.root).as_posix() for path in files_of(bundle)]


def test_what_is_ignored_is_no_file_of_the_bundle(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\n",
        {
            ".gitignore": "*.tmp\n/build/\n!keep.tmp\n",
            "a.py": "",
            "a.tmp": "",
            "keep.tmp": "",
            "build/x": "",
            "sub/build/x": "",
            "sub/.gitignore": "*.log\n!b.tmp\n",
            "sub/a.log": "",
            "sub/b.tmp": "",
            ".databricks/x": "",
            ".laketop/x": "",
            ".git/info/exclude": "*.secret\n",
            "a.secret": "",
        },
    )
    assert names(bundle) == [
        *(".gitignore", "a.py", "databricks.yml", "keep.tmp"),
        *("sub/.gitignore", "sub/b.tmp", "sub/build/x"),
    ]


def test_include_adds_ignored_files_and_exclude_wins(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\nsync: {include: ['dist/*.whl'], exclude: ['*.md', dist/old.whl]}\n",
        {
            ".gitignore": "dist/\n",
            "README.md": "",
            "dist/new.whl": "",
            "dist/old.whl": "",
            "dist/x.tar": "",
        },
    )
    assert names(bundle) == [".gitignore", "databricks.yml", "dist/new.whl"]


def test_only_the_paths_count(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\nsync: {paths: [src, ./src/inner, conf]}\n",
        {"src/inner/a.py": "", "conf/b.yml": "", "other/c.py": ""},
    )
    assert names(bundle) == ["conf/b.yml", "src/inner/a.py"]
    assert bundle.sync.root == bundle.root
    assert bundle.sync.paths == (bundle.root / "src", bundle.root / "conf")


def test_an_ignore_file_above_the_bundle_counts_in_its_repository(
    tmp_path: Path, make_bundle: MakeBundle
) -> None:
    bundle = make_bundle("bundle: {name: x}\n", {"a.tmp": "", "a.py": ""})
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.tmp\n")
    assert "a.tmp" not in names(bundle)


def test_links_are_followed_to_files_of_the_bundle_only(
    tmp_path: Path, make_bundle: MakeBundle
) -> None:
    bundle = make_bundle("bundle: {name: x}\n", {"a.py": ""})
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret").write_text("")
    (tmp_path / "inside").symlink_to(tmp_path / "a.py")
    (tmp_path / "outside").symlink_to(outside / "secret")
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "dangling").symlink_to(outside / "nothing")
    assert names(bundle) == ["a.py", "databricks.yml", "inside"]


@pytest.mark.parametrize(
    ("path", "message"),
    [("..", "the path '..' leaves the Git repository"), ("no", "the path 'no' is not a folder")],
)
def test_a_path_that_cannot_be_synchronised_is_told(
    make_bundle: MakeBundle, path: str, message: str
) -> None:
    bundle = make_bundle(f"bundle: {{name: x}}\nsync: {{paths: [{path}]}}\n")
    assert [problem.message for problem in bundle.problems] == [message]
    assert bundle.sync.paths == (bundle.root,)
