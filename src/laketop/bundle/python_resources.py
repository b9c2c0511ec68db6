"""Resources that a bundle makes and changes in Python: what it names under `python` is called.

A process of its own calls the functions, as they are the user's code. What they make stands where
`databricks.yml` names them, so that its paths are relative to the bundle's root.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from laketop.bundle.nodes import Node, Place, node_of, plain
from laketop.bundle.problems import Problems

_PROGRAM: Final = "laketop.shims.bundles.program"
_OWN_ENVIRONMENT: Final = ".venv"
_KEYS: Final = ("task_key", "job_cluster_key", "environment_key", "name", "key")
"""What tells the items of a list apart."""
ROOT_FILE: Final = "databricks.yml"


def python_block(tree: Node) -> tuple[tuple[str, ...], Node] | None:
    """Return where a bundle says what it has in Python, also in the older place, None = nowhere."""
    for path in (("python",), ("experimental", "python")):
        node = tree.get(*path)
        if node is not None and node.entries:
            return path, node
    return None


def with_python(
    tree: Node, target: str, variables: Mapping[str, Any], root: Path, problems: Problems
) -> Node:
    """Return the tree with the resources that its Python functions make, and as they change them.

    `variables` are their values. What goes wrong is in `problems`, at the function that is named.
    """
    found = python_block(tree)
    if found is None:
        return tree
    path, block = found
    whole = tree.get("resources") or Node({})
    # What is no map yet, such as a reference to a variable, is left as it is.
    resources = Node({key: n for key, n in whole.entries.items() if n.kind == "map"}, whole.place)
    if whole.kind not in {"map", "null"}:
        return tree
    asked = {
        "root": str(root),
        "sites": [str(folder) for folder in _sites(block.text_at("venv_path"), root)],
        "target": target,
        "variables": dict(variables),
        "resources": plain(resources),
        "load": _names(block, "resources"),
        "mutate": _names(block, "mutators"),
    }
    answer = _asked(asked)
    if isinstance(answer, str):
        problems.error(answer, path, block)
        return tree
    for problem in answer["problems"]:
        at = (*path, *problem["at"])
        note = problems.warning if problem.get("severity") == "warning" else problems.error
        note(problem["message"], at, tree.get(*at), problem.get("hint"))
    for type_ in sorted({type_ for type_, _, _ in answer["added"]}):
        if type_ in whole.entries and type_ not in resources.entries:
            message = f"resources.{type_} is no map, so that nothing can be added to it in Python"
            problems.error(message, ("resources", type_), whole.get(type_), "write it as a map")
    made = _renewed(resources, answer, block)
    return tree.put(("resources",), made.holding({**whole.entries, **made.entries}))


def _names(block: Node, key: str) -> list[str]:
    return [node.text for node in (block.get(key) or Node(())).elements]


def _sites(venv: str, root: Path) -> list[Path]:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folder = root / (venv or _OWN_ENVIRONMENT) / "lib" / version / "site-packages"
    return [folder] if folder.is_dir() else []


def _asked(asked: Mapping[str, Any]) -> dict[str, Any] | str:
    """Return the answer, or why there is none."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "answer.json"
        log = Path(name) / "errors.txt"
        with log.open("wb") as errors:
            done = subprocess.run(
                [sys.executable, "-PB", "-m", _PROGRAM, str(file)],
                input=json.dumps(asked).encode(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            )
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if file.is_file():
            answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return answer
    last = f": {words[-1]}" if words else ""
    return f"the bundle's Python ended with exit code {done.returncode}{last}"


def _renewed(resources: Node, answer: Mapping[str, Any], block: Node) -> Node:
    makers = block.get("resources") or Node(())
    places = {
        (type_, key): _at_the_root(makers.elements[index]) for type_, key, index in answer["added"]
    }
    made = {}
    for type_, entries in answer["resources"].items():
        old = resources.get(type_)
        if old is not None and not entries:
            made[type_] = old
        elif entries:
            made[type_] = Node(
                {
                    key: _changed(
                        resources.get(type_, key),
                        value,
                        places.get((type_, key)) or _at_the_root(block),
                    )
                    for key, value in entries.items()
                },
                block.place if old is None else old.place,
            )
    return Node(made, block.place if resources.value == {} else resources.place)


def _changed(old: Node | None, new: object, maker: Node) -> Node:
    """Return a value as it is now: what did not change stays where it was written."""
    if old is None:
        return node_of(new, maker.place)
    if plain(old) == new:
        return old
    if isinstance(new, Mapping):
        entries = {key: _changed(old.get(key), item, maker) for key, item in new.items()}
        return old.holding(entries)
    if isinstance(new, list):
        before = [(plain(node), node) for node in old.elements]
        return old.holding(tuple(_changed(_before(before, item), item, maker) for item in new))
    return node_of(new, old.place)


def _before(items: Sequence[tuple[Any, Node]], item: object) -> Node | None:
    """Return what an item of a list was: the same, or what has the same key, wherever it stood."""
    for value, node in items:
        if value == item:
            return node
    if isinstance(item, Mapping):
        for key in _KEYS:
            for _, node in items:
                if key in item and node.get(key) is not None and node.text_at(key) == item[key]:
                    return node
    return None


def _at_the_root(node: Node) -> Node:
    # Where a file that is included names the functions, paths are still those of the root.
    place = node.place
    return node if "/" not in place.file else Node(node.value, Place(ROOT_FILE, 1, 1))
