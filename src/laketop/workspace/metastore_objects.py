"""Objects of the metastore itself, outside of any catalog: kept, with an owner and their dates."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from databricks.sdk.errors.platform import InvalidParameterValue, PermissionDenied

from laketop.workspace import lake
from laketop.workspace.kept import Kept, Record
from laketop.workspace.unity_service import UnityService

_SET_BY_US = (
    *("id", "full_name", "metastore_id", "owner", "securable_type", "used_for_managed_storage"),
    *("created_at", "created_by", "updated_at", "updated_by", "browse_only"),
)


class MetastoreObjects(UnityService):
    """The service of one kind of them.

    Whoever holds the privilege makes one and owns it; owners and admins see, change and delete it.
    """

    shared = True

    kind: ClassVar[str]
    """As sentences name it."""
    code: ClassVar[str]
    """As error codes name it."""
    shape: ClassVar[type]
    """The dataclass of the SDK that an answer is."""
    privilege: ClassVar[str]
    """The privilege on the metastore that it takes to make one."""
    field: ClassVar[str]
    """The field that holds a list of them."""
    id_field: ClassVar[str] = "id"
    """The field that holds an id of ours, if there is one."""

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("objects"), self.kind, self.shape, code=self.code)

    def _make(self, sent: Mapping[str, Any], **more: Any) -> Record:
        self._rights.require(self.privilege, "METASTORE", "metastore")
        name, user, now = _name(sent.get("name")), self.workspace.user, self.workspace.now_ms()
        made = {
            **self._own_fields(sent),
            **more,
            "name": name,
            **({self.id_field: str(uuid.uuid4())} if self.id_field else {}),
            "metastore_id": self.workspace.metastore_id,
            "owner": user,
            "created_by": user,
            "created_at": now,
            "updated_by": user,
            "updated_at": now,
        }
        return self._kept.add(name, self._with_full_name(made))

    def _get(self, name: str) -> Record:
        found = self._kept.existing(name.lower())
        if not self._is_ours(found):
            raise PermissionDenied(f"User does not have BROWSE on {self.kind} '{name[:200]}'.")
        return found

    def _page(self, max_results: int, page_token: str | None, **same: Any) -> dict[str, Any]:
        def shows(one: Record) -> bool:
            return self._is_ours(one) and all(one.get(k) == v for k, v in same.items() if v)

        return self._kept.page(self.field, max_results, page_token, shows)

    def _change(self, name: str, sent: Mapping[str, Any], **more: Any) -> Record:
        old = self._managed(name)
        changed = {**old, **self._own_fields({**sent, "name": old["name"]}), **more}
        new_name = sent.get("new_name")
        changed["name"] = _name(new_name) if new_name is not None else old["name"]
        owner = sent.get("owner", old["owner"])
        if not isinstance(owner, str) or not owner:
            raise InvalidParameterValue("The owner is not the name of a principal.")
        changed |= {"owner": owner, "updated_by": self.workspace.user}
        changed["updated_at"] = self.workspace.now_ms()
        return self._kept.put(
            changed["name"], self._with_full_name(changed), before=str(old["name"])
        )

    def _drop(self, name: str) -> None:
        self._kept.remove(str(self._managed(name)["name"]))

    def _managed(self, name: str) -> Record:
        found = self._kept.existing(name.lower())
        if not self._is_ours(found):
            raise PermissionDenied(f"User does not have MANAGE on {self.kind} '{name[:200]}'.")
        return found

    def _is_ours(self, one: Record) -> bool:
        mine = {self.workspace.user, *self.workspace.groups_of_caller()}
        return self.workspace.is_admin or one.get("owner") in mine

    def _own_fields(self, sent: Mapping[str, Any]) -> Record:
        return self._kept.checked(sent, without=(*_SET_BY_US, self.id_field))

    def _with_full_name(self, one: Record) -> Record:
        has = "full_name" in getattr(self.shape, "__dataclass_fields__", {})
        return {**one, "full_name": one["name"]} if has else one


def _name(sent: Any) -> str:
    if not isinstance(sent, str):
        raise InvalidParameterValue("The name is not a string.")
    return lake.checked(sent)
