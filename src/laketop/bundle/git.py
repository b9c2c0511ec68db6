"""What Git says of a folder, read from its files: no `git` needs to be installed."""

from __future__ import annotations

import configparser
from pathlib import Path

from laketop.bundle.model import Git


def repository_of(folder: Path) -> Path | None:
    """Return the root of the Git repository that holds `folder`, or None."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def git_of(folder: Path) -> Git:
    """Return the branch, commit and origin of the repository around `folder`, empty if none."""
    repository = repository_of(folder)
    own = None if repository is None else _git_folder(repository / ".git")
    if own is None:
        return Git()
    shared = own / _text(own / "commondir") if (own / "commondir").is_file() else own
    head = _text(own / "HEAD")
    name = head.removeprefix("ref: ")
    if name == head:
        return Git("", head, _origin(shared / "config"))
    return Git(name.removeprefix("refs/heads/"), _commit(shared, name), _origin(shared / "config"))


def _git_folder(marker: Path) -> Path | None:
    if marker.is_dir():
        return marker
    pointer = _text(marker)
    if not pointer.startswith("gitdir: "):
        return None
    return marker.parent / pointer.removeprefix("gitdir: ")


def _commit(folder: Path, name: str) -> str:
    loose = _text(folder / name)
    if loose:
        return loose
    for line in _text(folder / "packed-refs").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""


def _origin(config: Path) -> str:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(_text(config))
    except configparser.Error:
        return ""
    url = parser.get('remote "origin"', "url", fallback="") or ""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator and "@" in rest else url


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
