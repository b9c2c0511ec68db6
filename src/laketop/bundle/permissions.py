"""Who may do what, and who a bundle runs as: shapes checked, levels translated."""

from __future__ import annotations

from typing import Any

from laketop.bundle.nodes import Node, Path
from laketop.bundle.problems import Problems
from laketop.bundle.resources import WITH_PERMISSIONS

_PRINCIPALS = ("user_name", "service_principal_name", "group_name")
_OWNED = frozenset({"jobs", "pipelines"})
_ORDER = (
    *("CAN_VIEW", "CAN_READ", "READ", "CAN_ATTACH_TO", "CAN_USE", "CAN_QUERY", "CAN_RUN", "WRITE"),
    *("CAN_RESTART", "CAN_MANAGE_RUN", "CAN_EDIT", "CAN_MANAGE", "MANAGE", "IS_OWNER"),
)
_READ = {"CAN_VIEW": "CAN_READ", "CAN_RUN": "CAN_READ"}
_USE = {"CAN_VIEW": "CAN_USE", "CAN_RUN": "CAN_USE"}
_LEVELS = {
    "jobs": {"CAN_RUN": "CAN_MANAGE_RUN"},
    "clusters": {"CAN_VIEW": "CAN_ATTACH_TO", "CAN_RUN": "CAN_RESTART"},
    "experiments": _READ,
    "models": _READ,
    "dashboards": {"CAN_VIEW": "CAN_READ"},
    "alerts": {"CAN_VIEW": "CAN_READ"},
    "model_serving_endpoints": {"CAN_RUN": "CAN_QUERY"},
    "sql_warehouses": {"CAN_RUN": "CAN_USE"},
    "apps": _USE,
    "database_instances": _USE,
    "genie_spaces": {"CAN_VIEW": "CAN_READ"},
    "instance_pools": {"CAN_VIEW": "CAN_ATTACH_TO", "CAN_RUN": "CAN_ATTACH_TO"},
    "postgres_projects": _USE,
    "vector_search_endpoints": _USE,
    "secret_scopes": {"CAN_MANAGE": "MANAGE", "CAN_VIEW": "READ", "CAN_RUN": "READ"},
}


def check_entries(node: Node | None, path: Path, problems: Problems) -> None:
    """Report entries that name no principal, or several."""
    for index, entry in enumerate(() if node is None else node.elements):
        named = [key for key in _PRINCIPALS if entry.get(key) is not None]
        if len(named) != 1:
            said = "several principals" if named else "no principal"
            message = f"the entry names {said}"
            problems.error(message, (*path, index), entry, f"give one of {', '.join(_PRINCIPALS)}")


def check_run_as(tree: Node, user: str, problems: Problems) -> None:
    """Report a `run_as` that names nobody or two, or that an endpoint cannot follow."""
    node = tree.get("run_as")
    if node is None or node.value is None:
        return
    named = [entry.text for key, entry in node.entries.items() if key in _PRINCIPALS]
    if len(named) != 1:
        message = f"run_as names {'both a user and a service principal' if named else 'nobody'}"
        hint = "give user_name or service_principal_name"
        problems.error(message, ("run_as",), node, hint)
    elif named[0] != user and (tree.get("resources", "model_serving_endpoints") or node).entries:
        endpoints = tree.get("resources", "model_serving_endpoints")
        if endpoints is not None and endpoints.entries:
            message = f"run_as {named[0]!r} is not who deploys, and serving endpoints cannot follow"
            problems.error(message, ("run_as",), node)


def entries_for(
    name: tuple[str, str], resource: Node, of_bundle: Node | None, user: str, problems: Problems
) -> tuple[dict[str, Any], ...]:
    """Return the permissions of one resource: its own, then the bundle's, then the deployer's."""
    type_, key = name
    if type_ not in WITH_PERMISSIONS:
        return ()
    made = _strongest(resource.get("permissions"), {})
    levels = _LEVELS.get(type_, {})
    for principal, level in _strongest(of_bundle, levels).items():
        if principal in made and made[principal] != level:
            message = f"{principal[1]!r} has {made[principal]} here and {level} by the bundle"
            problems.warning(message, ("resources", type_, key, "permissions"), resource)
        made.setdefault(principal, level)
    if made:
        owner = type_ in _OWNED and "IS_OWNER" not in made.values()
        manager = levels.get("CAN_MANAGE", "CAN_MANAGE")
        made.setdefault(("user_name", user), manager)
        if owner:
            made["user_name", user] = "IS_OWNER"
    return tuple({kind: name, "permission_level": level} for (kind, name), level in made.items())


def _strongest(node: Node | None, levels: dict[str, str]) -> dict[tuple[str, str], str]:
    made: dict[tuple[str, str], str] = {}
    for entry in () if node is None else node.elements:
        level = levels.get(entry.text_at("level"), entry.text_at("level"))
        for kind in _PRINCIPALS:
            name = entry.text_at(kind)
            if name and _rank(level) >= _rank(made.get((kind, name), "")):
                made[kind, name] = level
    return made


def _rank(level: str) -> int:
    return _ORDER.index(level) if level in _ORDER else -1


def check_shared(tree: Node, problems: Problems) -> None:
    """Warn of a bundle that everyone in a workspace can write, unless it says that they may."""
    root = tree.get("workspace", "root_path")
    if root is None or not f"{root.text}/".startswith("/Workspace/Shared/"):
        return
    everyone = (("group_name", "users"), "CAN_MANAGE")
    if everyone not in _strongest(tree.get("permissions"), {}).items():
        message = f"root_path {root.text!r} can be written by every user of the workspace"
        hint = "let the group users have CAN_MANAGE in: permissions"
        problems.warning(message, ("workspace", "root_path"), root, hint)


def check_deployer(tree: Node, user: str, problems: Problems) -> None:
    """Recommend that the permissions of a bundle name the one who deploys it."""
    node = tree.get("permissions")
    if node is None or not node.elements:
        return
    if not any(entry.text_at("user_name") == user for entry in node.elements):
        message = f"the permissions do not name {user!r}, who deploys"
        problems.recommendation(message, ("permissions",), node)
