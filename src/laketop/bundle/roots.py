"""Where a bundle begins: its root folder and root file, and the files it includes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from laketop.bundle.merging import merge
from laketop.bundle.nodes import Node, Place
from laketop.bundle.problems import Problems
from laketop.bundle.resources import SERVED, STATE_ONLY
from laketop.errors import ConfigError

ROOT_FILES = (
    *("databricks.yml", "databricks.yaml", "databricks.json"),
    *("bundle.yml", "bundle.yaml", "bundle.json"),
)
_GLOB_SIGNS = frozenset("*?[")
_TOP_ONLY = ("include",)
_TYPES = frozenset({*SERVED, *STATE_ONLY})


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upward, that holds a bundle's root file.

    Errors: ConfigError if there is none.
    """
    folder = Path(os.path.abspath(start))  # noqa: PTH100  `resolve` would leave a symlinked project
    for candidate in (folder, *folder.parents):
        if any((candidate / name).is_file() for name in ROOT_FILES):
            return candidate
    message = f"no databricks.yml in {folder.name!r} or in a folder above it"
    raise ConfigError(message, hint="go to the folder of your bundle, or name it with --project")


def named_root(folder: Path) -> Path:
    """Return a folder that was named as the bundle's root.

    Errors: ConfigError if it holds no root file.
    """
    root_file(folder)
    return Path(os.path.abspath(folder))  # noqa: PTH100  as above


def root_file(root: Path) -> Path:
    """Return the root file in `root`.

    Errors: ConfigError if there is none, several, or a sign in the path that a glob would read.
    """
    found = [name for name in ROOT_FILES if (root / name).is_file()]
    if not found:
        raise ConfigError(f"no databricks.yml in {root.name!r}")
    if len(found) > 1:
        raise ConfigError(f"{root.name!r} has both {found[0]} and {found[1]}", hint="keep one")
    strange = sorted(set("*?[]^") & set(str(root)))
    if strange:
        raise ConfigError(f"the path of the bundle holds {strange[0]!r}, which patterns use")
    return root / found[0]


def read_all(root: Path, problems: Problems) -> tuple[Node, tuple[Path, ...]]:
    """Return the root file merged with all that it includes, and the files that were read.

    An included file that cannot be read is a problem, and the others are looked at all the same.
    Errors: ConfigError for a root file that cannot be read as YAML.
    """
    from laketop.bundle.reading import read_file

    first = root_file(root)
    tree = read_file(first, first.name, problems)
    if tree.kind != "map":
        message = f"expected a map at the top, found a {tree.kind}"
        hint = "begin it with a line such as `bundle: {name: my_project}`"
        raise ConfigError(message, file=first.name, line=tree.place.line, hint=hint)
    files = [first]
    places = _resource_places(tree)
    for path in _included(root, tree, problems):
        if path in files:
            continue
        files.append(path)
        try:
            part = read_file(path, _name(root, path), problems)
        except ConfigError as error:
            place = Place(error.file or "", error.line or 1, error.column or 1)
            problems.error(error.bare, (), place, error.hint)
            continue
        if part.kind != "map":
            problems.error(f"expected a map at the top, found a {part.kind}", (), part)
            continue
        _note_top_only(part, problems)
        places += _resource_places(part)
        tree = merge(tree, part.without(*_TOP_ONLY), problems)
    _note_doubles(places, problems)
    _note_names(root, files, places, problems)
    return tree, tuple(files)


def _name(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _included(root: Path, tree: Node, problems: Problems) -> Iterator[Path]:
    """Yield the files of the patterns; `**` is one level, as in the official loader."""
    include = tree.get("include")
    if include is None or include.value is None:
        return
    if include.kind != "sequence":
        problems.error(f"expected a sequence, found a {include.kind}", ("include",), include)
    for index, pattern in enumerate(include.elements):
        found = _matches(root, pattern.text)
        if not found and not _GLOB_SIGNS & set(pattern.text):
            message = f"the file {pattern.text!r} is not there"
            problems.error(message, ("include", index), pattern)
        for path in found:
            if path.suffix not in {".yml", ".yaml", ".json"}:
                message = f"{_name(root, path)!r} is neither YAML nor JSON"
                problems.error(message, ("include", index), pattern)
            else:
                yield path


def _matches(root: Path, pattern: str) -> list[Path]:
    import glob

    if not pattern:
        return []
    full = os.path.normpath(root / pattern.replace("**", "*"))
    return sorted(Path(path) for path in glob.glob(full) if Path(path).is_file())  # noqa: PTH207


def _note_top_only(part: Node, problems: Problems) -> None:
    for key in _TOP_ONLY:
        if key in part.entries:
            problems.warning(f"{key!r} counts in the root file only", (key,), part.entries[key])


def _resource_places(tree: Node) -> list[tuple[str, str, Node]]:
    found = [("scripts", key, node) for key, node in _entries(tree, "scripts")]
    for type_, of_type in _entries(tree, "resources"):
        found += [(type_, key, node) for key, node in of_type.entries.items()]
    return found


def _entries(tree: Node, key: str) -> list[tuple[str, Node]]:
    block = tree.get(key)
    return [] if block is None else [*block.entries.items()]


def _note_doubles(places: list[tuple[str, str, Node]], problems: Problems) -> None:
    by_key: dict[str, list[tuple[str, str, Node]]] = {}
    for found in places:
        by_key.setdefault(found[1], []).append(found)
    for key, same in by_key.items():
        if len(same) > 1:
            where = ", ".join(f"{node.place} ({type_})" for type_, _, node in same)
            message = f"multiple resources or scripts have been defined with the same key: {key}"
            path = ("resources", same[0][0], key)
            problems.error(message, path, same[-1][2], f"defined at {where}")


def _note_names(
    root: Path, files: list[Path], places: list[tuple[str, str, Node]], problems: Problems
) -> None:
    """Recommend that `x.job.yml` defines one job, and nothing else."""
    for path in files:
        kind = Path(path.stem).suffix.removeprefix(".")
        if kind + "s" not in _TYPES:
            continue
        name = _name(root, path)
        inside = [type_ for type_, _, node in places if node.place.file == name]
        if inside != [kind + "s"]:
            message = f"{name!r} is named for one {kind}, and defines {_counted(inside)}"
            problems.recommendation(message, (), Place(name, 1, 1))


def _counted(types: list[str]) -> str:
    counts = {type_: types.count(type_) for type_ in sorted(set(types))}
    return ", ".join(f"{count} {type_}" for type_, count in counts.items()) or "no resource"
