"""What a bundle is once it is loaded: frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from laketop.bundle.nodes import NOWHERE, Node, Place
from laketop.bundle.ordering import ordered
from laketop.bundle.problems import ERROR, Problem, near
from laketop.bundle.resources import Resource
from laketop.errors import NotFound


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a target's things lie in a workspace; all paths are absolute text.

    `file_path` is the project's own folder if the deployment is source-linked. `host` is the
    workspace in use, `declared_host` the one that the bundle names.
    """

    root_path: str
    file_path: str
    artifact_path: str
    state_path: str
    resource_path: str
    host: str
    declared_host: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Git:
    """The checked-out branch, the commit and the origin; empty text where there is none."""

    branch: str = ""
    commit: str = ""
    origin_url: str = ""


@dataclass(frozen=True, slots=True)
class Deploying:
    """How the target is deployed, as `bundle.deployment` says; `lock` says whether it is locked."""

    fail_on_active_runs: bool = False
    lock: bool = True
    force_lock: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something to build: run `build` in `path`, then take what `files` match.

    `build` is None if there is nothing to run; `files` are absolute glob patterns.
    """

    key: str
    type: str
    path: Path
    build: str | None
    files: tuple[str, ...]
    executable: str = "bash"
    dynamic_version: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A local library and the workspace path under which jobs find it.

    `local` may be a glob pattern, and then `remote` ends in one: what it stands for is not built
    yet, and loading again after the build tells.
    """

    local: str
    remote: str
    place: Place

    @property
    def is_pattern(self) -> bool:
        """Whether this stands for files that are still to be built."""
        return any(sign in self.local for sign in "*?[")


Find: TypeAlias = Callable[[str, str], str | None]
"""Returns the id of a thing by its kind and its name, such as ("warehouse", "Shared").

None means that nobody can tell yet. Errors: NotFound where there is no such thing.
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A variable whose value is the id of a thing in the workspace, and is not known yet."""

    variable: str
    kind: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Script:
    """A command of the bundle, and the variables that it finds in its environment."""

    key: str
    content: str
    environment: Mapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class Sync:
    """Which files belong to the bundle: absolute `paths` below `root`, less what is ignored.

    `include` and `exclude` are patterns as .gitignore writes them, relative to the bundle's root.
    """

    root: Path
    paths: tuple[Path, ...]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as one target of it sees it, every reference resolved that a file can resolve.

    `configuration` is the whole of it as plain values, in the form in which bundles are written;
    the bodies of `resources` have the form of the REST API's create calls.
    """

    name: str
    root: Path
    target: str
    mode: str | None
    user: str
    workspace: Workspace
    git: Git
    variables: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Resource]]
    artifacts: tuple[Artifact, ...]
    uploads: tuple[Upload, ...]
    sync: Sync
    problems: tuple[Problem, ...]
    source_linked: bool
    configuration: Mapping[str, Any] = field(repr=False)
    sources: tuple[Path, ...] = ()
    """The files of settings that were read, the root file first."""
    scripts: Mapping[str, Script] = field(default_factory=dict)
    """What `scripts` holds, by key."""
    hooks: Mapping[str, str] = field(default_factory=dict)
    """The commands of `experimental.scripts`, by their moment: "predeploy", "postbuild" …"""
    deploying: Deploying = field(default_factory=Deploying)
    lookups: tuple[Lookup, ...] = ()
    """What is still to be looked up in the workspace; its references are open."""
    tree: Node = field(default_factory=lambda: Node({}), repr=False, compare=False)
    """What `configuration` is made of: each value with its place."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a deployment."""
        return tuple(problem for problem in self.problems if problem.severity == ERROR)

    def place(self, *path: str | int) -> Place | None:
        """Return where the value at a path of `configuration` stands.

        `place("resources", "jobs", "train", "tasks", 0, "max_retries")` is the line and column of
        that number. None where there is no such value, and for one that no file holds, such as a
        default.
        """
        node = self.tree.get(*path)
        return None if node is None or node.place == NOWHERE else node.place

    @property
    def ordered(self) -> tuple[Resource, ...]:
        """Every resource, each after those that it refers to."""
        return ordered(tuple(r for kind in self.resources.values() for r in kind.values()))

    def job(self, key: str) -> Resource:
        """Return the job with this key.

        Errors: NotFound, with the keys most like it.
        """
        return self.resource("jobs", key)

    def resource(self, type: str, key: str) -> Resource:  # noqa: A002  the bundle's own word
        """Return the resource of a type with this key.

        Errors: NotFound, with the keys most like it.
        """
        found = self.resources.get(type, {})
        if key not in found:
            listed = f"the bundle has {', '.join(sorted(found))}" if found else None
            kind = type.removesuffix("s").replace("_", " ")
            raise NotFound(kind, key, hint=near(key, found) or listed)
        return found[key]
