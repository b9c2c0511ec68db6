"""Where a target's things lie: the `bundle` and `workspace` blocks that references read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from laketop.bundle.model import Find, Git
from laketop.bundle.nodes import Node, Place, node_of

PATH_KEYS = ("root_path", "file_path", "artifact_path", "state_path", "resource_path")
DEFAULT_ROOT = "~/.bundle/${bundle.name}/${bundle.target}"
_BELOW_ROOT = {
    "file_path": "/files",
    "artifact_path": "/artifacts",
    "state_path": "/state",
    "resource_path": "/resources",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a bundle does not say of itself: who loads it, where, and from which checkout."""

    root: Path
    user: str
    host: str | None
    git: Git
    find: Find | None = None


def short_name(user: str) -> str:
    """Return the part of a user's name before the `@`, with `_` for all but letters and digits.

    >>> short_name("jane.doe@example.com")
    'jane_doe'
    """
    return re.sub(r"[\W_]", "_", user.partition("@")[0])


def friendly_name(user: str) -> str:
    """Return a user's short name as it may stand in a host name: `jane-doe`."""
    return short_name(user).replace("_", "-")


def bundle_block(tree: Node, target: str, git: Git) -> Node:
    """Return the `bundle` block with all that `${bundle.…}` may name."""
    block = tree.get("bundle") or Node({})
    declared = block.get("git") or Node({}, block.place)
    place = declared.place
    branch = declared.get("branch") or Node(git.branch, place)
    origin = declared.get("origin_url") or Node(git.origin_url, place)
    actual = {"actual_branch": git.branch, "commit": git.commit}
    known = {key: Node(value, place) for key, value in actual.items()}
    made = {
        **block.entries,
        "target": Node(target, block.place),
        "environment": Node(target, block.place),
        "git": Node({"branch": branch, "origin_url": origin, **known}, place),
    }
    made.setdefault("name", Node("", block.place))
    made.setdefault("mode", Node("", block.place))
    made.setdefault("uuid", Node("", block.place))
    return Node(made, block.place)


def workspace_block(tree: Node, around: Surroundings) -> Node:
    """Return the `workspace` block with its default paths and the current user."""
    block = tree.get("workspace") or Node({})
    made = dict(block.entries)
    for key in PATH_KEYS:
        default = f"${{workspace.root_path}}{_BELOW_ROOT.get(key, '')}"
        node = block.get(key) or Node(DEFAULT_ROOT if key == "root_path" else default, block.place)
        made[key] = Node(expanded(node.text, around.user), node.place)
    if around.host is not None:
        made["host"] = Node(around.host, block.place)
    made["current_user"] = _current_user(around.user, block.place)
    return Node(made, block.place)


def _current_user(user: str, place: Place) -> Node:
    names = {
        "userName": user,
        "short_name": short_name(user),
        "domain_friendly_name": friendly_name(user),
    }
    return node_of(names, place)


def expanded(path: str, user: str) -> str:
    """Return a workspace path in full: `~` is the user's folder, `/Users` lies in `/Workspace`.

    >>> expanded("~/x", "me@laketop.local")
    '/Workspace/Users/me@laketop.local/x'
    """
    if path == "~" or path.startswith("~/"):
        return f"/Workspace/Users/{user}{path[1:]}"
    return f"/Workspace{path}" if path.startswith(("/Users/", "/Shared/")) else path
