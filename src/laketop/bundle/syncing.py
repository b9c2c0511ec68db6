"""Which files are the bundle's: what .gitignore leaves, with includes and excludes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from laketop.bundle.git import repository_of
from laketop.bundle.model import Bundle, Sync
from laketop.bundle.nodes import Node
from laketop.bundle.problems import Problems

if TYPE_CHECKING:
    import pathspec

ALWAYS_OUT = (".databricks", ".git", ".laketop")


def sync_of(tree: Node, root: Path, problems: Problems) -> Sync:
    """Return the `sync` block with whole paths; a path outside of the repository is an error."""
    block = tree.get("sync") or Node({})
    declared = (block.get("paths") or Node(())).elements or (Node("."),)
    limit = repository_of(root) or root
    paths: list[Path] = []
    for index, node in enumerate(declared):
        at = ("sync", "paths", index)
        path = Path(os.path.normpath(beside(node, root) / node.text))
        if not path.is_relative_to(limit) and not path.is_relative_to(root):
            problems.error(f"the path {node.text!r} leaves the Git repository", at, node)
        elif not path.is_dir():
            problems.error(f"the path {node.text!r} is not a folder", at, node)
        else:
            paths.append(path)
    paths = paths or [root]
    top = Path(os.path.commonpath(paths))
    kept = tuple(path for path in paths if not any(_below(path, other) for other in paths))
    patterns = (tuple(_patterns(block, key, root)) for key in ("include", "exclude"))
    return Sync(top, kept, *patterns)


def _below(path: Path, other: Path) -> bool:
    return path != other and path.is_relative_to(other)


def beside(node: Node, root: Path) -> Path:
    """Return the folder of the file in which a value stands."""
    return root / Path(node.place.file).parent


def _patterns(block: Node, key: str, root: Path) -> Iterator[str]:
    """Yield patterns relative to the bundle's root; each is written relative to its own file."""
    for node in (block.get(key) or Node(())).elements:
        text, sign = (node.text[1:], "!") if node.text.startswith("!") else (node.text, "")
        folder = os.path.relpath(beside(node, root), root)
        if folder == "." or text.startswith("/"):
            yield sign + text
        else:
            end = "/" if text.endswith("/") else ""
            yield sign + "/" + os.path.normpath(f"{folder}/{text}") + end


def files_of(bundle: Bundle) -> tuple[Path, ...]:
    """Return every file of the bundle, as whole paths, sorted.

    A file counts if no .gitignore ignores it or if `sync.include` names it, and if `sync.exclude`
    does not; what laketop, Git and the official tools keep for themselves never counts. Folders
    that are symbolic links are not entered, links to files outside of the paths are left out.
    """
    import pathspec

    sync = bundle.sync
    include = pathspec.GitIgnoreSpec.from_lines(sync.include)
    exclude = pathspec.GitIgnoreSpec.from_lines(sync.exclude)
    found: set[Path] = set()
    for top in sync.paths:
        found.update(_walk(top, _Ignored(repository_of(top) or top)))
        if sync.include:
            everything = _walk(top, None)
            found.update(p for p in everything if include.match_file(_name(p, bundle.root)))
    kept = (path for path in found if not exclude.match_file(_name(path, bundle.root)))
    return tuple(sorted(path for path in kept if _inside(path, sync.root)))


def _name(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _inside(path: Path, root: Path) -> bool:
    return not path.is_symlink() or path.resolve().is_relative_to(root.resolve())


class _Ignored:
    """The .gitignore files of a repository, each read once."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._known: dict[Path, pathspec.GitIgnoreSpec] = {}

    def __call__(self, path: Path, *, is_folder: bool) -> bool:
        """Return whether a path is ignored; the .gitignore nearest to it has the last word."""
        for folder in path.parents:
            if not folder.is_relative_to(self._repository):
                break
            end = "/" if is_folder else ""
            result = self._spec(folder).check_file(_name(path, folder) + end)
            if result.include is not None:
                return result.include
        return False

    def _spec(self, folder: Path) -> pathspec.GitIgnoreSpec:
        import pathspec

        if folder not in self._known:
            lines = _lines(folder / ".gitignore")
            if folder == self._repository:
                lines = [*_lines(folder / ".git" / "info" / "exclude"), *lines]
            self._known[folder] = pathspec.GitIgnoreSpec.from_lines(lines)
        return self._known[folder]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _walk(top: Path, ignored: _Ignored | None) -> Iterator[Path]:
    for place, folders, names in os.walk(top):
        folder = Path(place)
        kept = (
            name
            for name in sorted(folders)
            if name not in ALWAYS_OUT
            and not (ignored is not None and ignored(folder / name, is_folder=True))
        )
        folders[:] = kept
        for name in names:
            path = folder / name
            if path.is_file() and not (ignored is not None and ignored(path, is_folder=False)):
                yield path
