"""Principals over REST: what the three SCIM services share, and what their changes bring along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

from laketop.workspace import scim
from laketop.workspace.principals import Kind, Principals
from laketop.workspace.scim import Resource

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace


class Directory:
    """The principals of one kind, for the caller: everybody may read, admins may write."""

    def __init__(self, workspace: Workspace, kind: Kind) -> None:
        self._workspace = workspace
        self._kind = kind
        self._principals = Principals(workspace.store)

    def list(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of those that a filter lets through; the fields are those of SCIM."""
        found = self._principals.all(self._kind)
        if sent.get("filter"):
            test = scim.filter_of(str(sent["filter"]))
            found = [one for one in found if test(one)]
        found = scim.ordered(found, _text(sent, "sortBy"), _text(sent, "sortOrder"))
        shown = scim.chosen(_text(sent, "attributes"), _text(sent, "excludedAttributes"))
        start, count = _number(sent, "startIndex", 1), _number(sent, "count", scim.MOST_LISTED)
        return scim.page(found, start, count, shown)

    def get(self, id_: str, sent: Mapping[str, Any]) -> Resource:
        """Return one by its id."""
        shown = scim.chosen(_text(sent, "attributes"), _text(sent, "excludedAttributes"))
        return shown(self._principals.get(self._kind, id_))

    def create(self, sent: Mapping[str, Any]) -> Resource:
        """Make one."""
        self._check()
        if self._kind == "Groups":
            _members(sent)
        made = self._principals.create(self._kind, sent)
        self._changed()
        return made

    def replace(self, id_: str, sent: Mapping[str, Any]) -> Resource:
        """Replace one."""
        self._check()
        self._check_stays(id_, sent)
        found = self._principals.replace(self._kind, id_, sent)
        self._changed()
        return found

    def patch(self, id_: str, sent: Mapping[str, Any]) -> Resource:
        """Apply the operations of a PATCH."""
        self._check()
        operations = sent.get("Operations")
        if not isinstance(operations, list):
            raise InvalidParameterValue("A PATCH holds a list of Operations.")
        old = self._principals.get(self._kind, id_)
        new = scim.patched(old, operations)
        self._check_stays(id_, new)
        if self._kind != "Groups" and new.get("groups") != old.get("groups"):
            raise PermissionDenied("Groups of a principal are changed at the group.")
        found = self._principals.replace(self._kind, id_, new)
        self._changed()
        return found

    def delete(self, id_: str) -> None:
        """Forget one, and its tokens."""
        self._check()
        self._check_stays(id_, {"active": False})
        name = self._principals.delete(self._kind, id_)
        if self._kind != "Groups":
            self._workspace.tokens.forget(name)
        self._changed()

    def _check(self) -> None:
        self._workspace.require_admin()

    def _check_stays(self, id_: str, sent: Mapping[str, Any]) -> None:
        """Refuse to lock out the person at the laptop."""
        owner = self._workspace.settings.user
        own = self._principals.id_of("Users", owner)
        if self._kind == "Users" and id_ == str(own) and sent.get("active") is False:
            raise PermissionDenied(f"The user {owner} is at this laptop, and stays.")
        if self._kind == "Groups":
            members = _members(sent)
            if id_ == str(self._principals.id_of("Groups", "admins")) and str(own) not in members:
                raise PermissionDenied(f"The user {owner} is at this laptop, and stays an admin.")

    def _changed(self) -> None:
        self._workspace.store.after_commit(self._workspace.principals_changed)


def _members(sent: Mapping[str, Any]) -> set[str]:
    """Return the ids of the members that a group is sent with; null and nothing are none."""
    members = sent.get("members") or []
    if not isinstance(members, list) or not all(isinstance(one, dict) for one in members):
        raise InvalidParameterValue("The members of a group are a list of objects with a value.")
    return {str(one.get("value")) for one in members}


def _text(sent: Mapping[str, Any], name: str) -> str | None:
    value = sent.get(name)
    return None if value is None else str(value)


def _number(sent: Mapping[str, Any], name: str, default: int) -> int:
    text = str(sent.get(name, default))
    return int(text) if re.fullmatch("-?[0-9]{1,9}", text) else default
