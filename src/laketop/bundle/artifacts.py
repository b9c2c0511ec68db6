"""What a bundle builds, and the local libraries that its jobs use."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from laketop.bundle import nodes
from laketop.bundle.dynamic_versions import patched_name
from laketop.bundle.model import Artifact, Upload
from laketop.bundle.nodes import Node
from laketop.bundle.paths import FILE, Translator, is_local
from laketop.bundle.patterns import EACH, TASKS, found
from laketop.bundle.problems import Problems
from laketop.bundle.syncing import beside

INFERRED_BUILD = "python -m pip wheel --no-deps --wheel-dir dist ."
"""The build of a wheel that says neither how it is built nor which files it is."""

_KINDS = ("whl", "jar", "egg")
_LIBRARIES: tuple[nodes.Path, ...] = tuple(("jobs", EACH, *task, "libraries") for task in TASKS)
_DEPENDENCIES: tuple[nodes.Path, ...] = (
    ("jobs", EACH, "environments", EACH, "spec", "dependencies"),
    ("jobs", EACH, "environments", EACH, "spec", "java_dependencies"),
    ("pipelines", EACH, "environment", "dependencies"),
)
_EXTRA = re.compile(r"(.+\.(?:whl|\*|tar\.gz|zip))(\[[\w., -]+\])")
_OPTION = re.compile(r"""(-r|--requirement|-e|--editable|-c|--constraint)([ =]+)(["']?)(.+?)\3""")
_PACKAGE_ENDS = (".whl", ".jar", ".egg", ".tar.gz", ".zip")


def artifacts_of(
    tree: Node, root: Path, *, dynamic: bool, problems: Problems
) -> tuple[Artifact, ...]:
    """Return the artifacts of a bundle, or the one that its `setup.py` and its jobs imply."""
    made = []
    for key, node in (tree.get("artifacts") or Node({})).entries.items():
        path: nodes.Path = ("artifacts", key)
        artifact = _artifact(key, node, root, dynamic=dynamic)
        if not artifact.path.is_dir():
            message = f"the folder {node.text_at('path')!r} of artifact {key} is not there"
            problems.error(message, (*path, "path"), node.get("path") or node)
        if artifact.dynamic_version and artifact.type != "whl":
            message = "dynamic_version has no effect: it is for wheels"
            problems.warning(message, (*path, "dynamic_version"), node)
        _note_missing(artifact, path, node, problems)
        made.append(artifact)
    if not made and (root / "setup.py").is_file() and _uses_wheels(tree):
        pattern = str(root / "dist" / "*.whl")
        made.append(Artifact("python_artifact", "whl", root, INFERRED_BUILD, (pattern,)))
    return tuple(made)


def _artifact(key: str, node: Node, root: Path, *, dynamic: bool) -> Artifact:
    at = node.get("path")
    path = Path(os.path.normpath(beside(at, root) / at.text)) if at else root
    type_ = node.text_at("type")
    sources = [source for _, source in found(node, ("files", EACH, "source"))]
    files = tuple(os.path.normpath(beside(source, root) / source.text) for source in sources)
    build = node.text_at("build") or None
    if type_ == "whl" and not files:
        build = build or INFERRED_BUILD
        files = (str(path / "dist" / "*.whl"),)
    own = node.get("dynamic_version")
    return Artifact(
        key,
        type_,
        path,
        build,
        files,
        node.text_at("executable") or "bash",
        dynamic_version=own.value is True if own else dynamic and type_ == "whl",
    )


def _note_missing(artifact: Artifact, path: nodes.Path, node: Node, problems: Problems) -> None:
    for pattern in () if artifact.build else artifact.files:
        if not glob.glob(pattern):  # noqa: PTH207  the pattern is a whole path
            message = f"no file matches {Path(pattern).name!r} of artifact {artifact.key}"
            problems.error(message, path, node, "say how it is built: build")


def _uses_wheels(tree: Node) -> bool:
    resources = tree.get("resources") or Node({})
    wheels = (
        node for pattern in _LIBRARIES for _, node in found(resources, (*pattern, EACH, "whl"))
    )
    return any(is_local(node.text) for node in wheels)


@dataclass(slots=True)
class Libraries:
    """Finds local libraries in jobs, and gives each its path in the workspace."""

    translator: Translator
    artifacts: tuple[Artifact, ...]
    artifact_path: str
    problems: Problems
    uploads: dict[str, Upload] = field(default_factory=dict)

    def rewritten(self, resources: Node) -> Node:
        """Return the resources with the remote path of every local library in them."""
        for pattern in _LIBRARIES:
            for path, node in found(resources, pattern):
                made = tuple(
                    new for i, n in enumerate(node.elements) for new in self._library(n, (*path, i))
                )
                resources = resources.put(path, Node(made, node.place))
        for pattern in _DEPENDENCIES:
            for path, node in found(resources, pattern):
                made = tuple(
                    Node(text, n.place)
                    for i, n in enumerate(node.elements)
                    for text in self._dependency(n, ("resources", *path, i))
                )
                resources = resources.put(path, Node(made, node.place))
        return resources

    def _library(self, node: Node, path: nodes.Path) -> Iterator[Node]:
        kind = next((kind for kind in _KINDS if kind in node.entries), None)
        inner = None if kind is None else node.get(kind)
        if kind is None or inner is None or not is_local(inner.text):
            yield node
            return
        for text in self._remote(inner, inner.text, ("resources", *path, kind)):
            yield Node({**node.entries, kind: Node(text, inner.place)}, node.place)

    def _dependency(self, node: Node, path: nodes.Path) -> Iterator[str]:
        option = _OPTION.fullmatch(node.text)
        if option:
            flag, space, quote, text = option.groups()
            if is_local(text):
                kind = "folder" if flag in {"-e", "--editable"} else FILE
                text = self.translator.remote(Node(text, node.place), kind, path)
            yield f"{flag}{space}{quote}{text}{quote}"
            return
        whole = _EXTRA.fullmatch(node.text)
        text, extra = (whole[1], whole[2]) if whole else (node.text, "")
        if not _is_local_package(text):
            yield node.text
            return
        for remote in self._remote(node, text, path):
            yield remote + extra

    def _remote(self, node: Node, text: str, path: nodes.Path) -> Iterator[str]:
        place = beside(node, self.translator.root)
        pattern = os.path.normpath(place / text.removeprefix("file://"))
        matches = sorted(match for match in glob.glob(pattern) if Path(match).is_file())  # noqa: PTH207
        if not matches and not any(artifact.build for artifact in self.artifacts):
            message = f"no file matches {text!r}"
            self.problems.error(message, path, node, "build it, or name its build in: artifacts")
            yield text
            return
        for local in matches or [pattern]:
            name = patched_name(Path(local)) if self._is_dynamic(local) else Path(local).name
            remote = f"{self.artifact_path.rstrip('/')}/.internal/{name}"
            known = self.uploads.setdefault(remote, Upload(local, remote, node.place))
            if known.local != local:
                message = f"two local libraries have the name {Path(local).name!r}"
                self.problems.error(message, path, node, f"the other is used at {known.place}")
            yield remote

    def _is_dynamic(self, local: str) -> bool:
        return local.endswith(".whl") and any(
            fnmatch.fnmatch(local, pattern)
            for artifact in self.artifacts
            if artifact.dynamic_version
            for pattern in artifact.files
        )


def _is_local_package(text: str) -> bool:
    if not is_local(text) or text.startswith("-") or " @ " in text:
        return False
    return text.startswith(("./", "../", "file:")) or text.endswith(_PACKAGE_ENDS)
