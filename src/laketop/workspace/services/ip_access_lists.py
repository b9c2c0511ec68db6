"""IP access lists: the addresses from which a workspace answers, and those it turns away."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any, NamedTuple

from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.service.settings import IpAccessListInfo, ListType

from laketop.workspace.kept import Kept, Record
from laketop.workspace.service import Request, Service, route
from laketop.workspace.workspace import Workspace

_MOST = 1000
"""How many addresses and ranges all lists hold together."""
_OWN = "127.0.0.1"
"""From where the tasks of the workspace, and its commands, ask it."""
_SWITCH = "enableIpAccessLists"

Addresses = list[str]


class Rules(NamedTuple):
    """The enabled lists of a workspace, as networks."""

    allow: tuple[ipaddress.IPv4Network, ...]
    block: tuple[ipaddress.IPv4Network, ...]

    def admits(self, address: str) -> bool:
        """Tell whether an address may ask: block lists first, then allow lists if there are any."""
        asking = ipaddress.IPv4Address(address)
        if any(asking in network for network in self.block):
            return False
        return not self.allow or any(asking in network for network in self.allow)


class IpAccessLists(Service):
    """Lists that hold once the switch `enableIpAccessLists` is on.

    The workspace listens to the laptop alone, so that the addresses which ask are those of
    127.0.0.0/8. Source: databricks-sdk, `settings.IpAccessListsAPI`.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._rules: Rules | None = None

    @property
    def _kept(self) -> Kept:
        return Kept(self.table("lists"), "IP access list", IpAccessListInfo)

    def start(self) -> None:
        """Let the lists hold from the first request on."""
        self._hold()

    @route("POST /api/2.0/ip-access-lists")
    def create(
        self,
        request: Request,
        label: str,
        list_type: ListType,
        ip_addresses: Addresses | None = None,
    ) -> Record:
        """Keep an enabled list. Errors: BadRequest with INVALID_STATE if it blocks the caller."""
        self.workspace.require_admin()
        id_, user, now = str(uuid.uuid4()), self._user_id(), self.workspace.now_ms()
        made = {
            "list_id": id_,
            **_checked(label, list_type, ip_addresses or []),
            "enabled": True,
            "created_at": now,
            "created_by": user,
            "updated_at": now,
            "updated_by": user,
        }
        self._kept.add(id_, made)
        self.settle(request.address)
        return {"ip_access_list": made}

    @route("GET /api/2.0/ip-access-lists")
    def list(self) -> dict[str, Any]:
        """Return every list."""
        self.workspace.require_admin()
        return {"ip_access_lists": self._kept.all()}

    @route("GET /api/2.0/ip-access-lists/{ip_access_list_id}")
    def get(self, ip_access_list_id: str) -> Record:
        """Return a list."""
        self.workspace.require_admin()
        return {"ip_access_list": self._kept.existing(ip_access_list_id)}

    @route("PUT /api/2.0/ip-access-lists/{ip_access_list_id}")
    def replace(  # noqa: PLR0917 - the fields of the request
        self,
        request: Request,
        ip_access_list_id: str,
        label: str,
        list_type: ListType,
        enabled: bool,
        ip_addresses: Addresses | None = None,
    ) -> None:
        """Put a list in the place of another. Errors: as `create`."""
        new = {**_checked(label, list_type, ip_addresses or []), "enabled": enabled}
        self._change(ip_access_list_id, new, request.address)

    @route("PATCH /api/2.0/ip-access-lists/{ip_access_list_id}")
    def update(  # noqa: PLR0917 - the fields of the request
        self,
        request: Request,
        ip_access_list_id: str,
        label: str | None = None,
        list_type: ListType | None = None,
        enabled: bool | None = None,
        ip_addresses: Addresses | None = None,
    ) -> None:
        """Change what was sent of a list. Errors: as `create`."""
        self.workspace.require_admin()
        old = self._kept.existing(ip_access_list_id)
        new = _checked(
            old["label"] if label is None else label,
            ListType(old["list_type"]) if list_type is None else list_type,
            old["ip_addresses"] if ip_addresses is None else ip_addresses,
        )
        is_enabled = old["enabled"] if enabled is None else enabled
        self._change(ip_access_list_id, {**new, "enabled": is_enabled}, request.address)

    @route("DELETE /api/2.0/ip-access-lists/{ip_access_list_id}")
    def delete(self, request: Request, ip_access_list_id: str) -> None:
        """Forget a list. Errors: as `create`."""
        self.workspace.require_admin()
        self._kept.remove(ip_access_list_id)
        self.settle(request.address)

    def admits(self, address: str) -> bool:
        """Tell whether the workspace answers an address."""
        return self._rules is None or self._rules.admits(address)

    def _change(self, id_: str, new: Record, address: str) -> None:
        self.workspace.require_admin()
        old = self._kept.existing(id_)
        told = {"updated_at": self.workspace.now_ms(), "updated_by": self._user_id()}
        self._kept.put(id_, {**old, **new, **told})
        self.settle(address)

    def settle(self, address: str) -> None:
        """Check the lists as they are, and let them hold, if the switch is on, once committed.

        Errors: BadRequest with INVALID_STATE if they lock out `address`, which is the caller's,
        or with QUOTA_EXCEEDED.
        """
        lists = self._kept.all()
        count = sum(one["address_count"] for one in lists)
        if count > _MOST:
            raise BadRequest(
                f"The IP access lists would hold {count} addresses, and {_MOST} is the most.",
                error_code="QUOTA_EXCEEDED",
            )
        rules = _rules(lists)
        for one in (address, _OWN):
            if not rules.admits(one):
                raise BadRequest(
                    f"The IP access lists would block {one}, which asks this workspace now.",
                    error_code="INVALID_STATE",
                )
        self.store.after_commit(self._hold)

    def _hold(self) -> None:
        with self.store.reading():
            is_on = self.workspace.workspace_conf.is_on(_SWITCH)
            self._rules = _rules(self._kept.all()) if is_on else None

    def _user_id(self) -> int:
        found = self.workspace.principals.find(self.workspace.user)
        return int(found[1]["id"]) if found is not None else 0


def _checked(label: str, type_: ListType, addresses: Addresses) -> Record:
    if not label:
        raise InvalidParameterValue("Missing required field: label")
    for address in addresses:
        _network(address)
    return {
        "label": label,
        "list_type": type_.value,
        "ip_addresses": addresses,
        "address_count": len(addresses),
    }


def _rules(lists: list[Record]) -> Rules:
    networks: dict[str, list[ipaddress.IPv4Network]] = {"ALLOW": [], "BLOCK": []}
    for one in lists:
        if one["enabled"]:
            networks[one["list_type"]] += [_network(each) for each in one["ip_addresses"]]
    return Rules(tuple(networks["ALLOW"]), tuple(networks["BLOCK"]))


def _network(address: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(address, strict=False)
    except ValueError as error:
        raise InvalidParameterValue(
            f"{address[:100]!r} is neither an IPv4 address nor a range such as '10.0.0.0/8'."
        ) from error
