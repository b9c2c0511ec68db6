"""Users, groups and service principals, and who is in which group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceConflict,
)

from laketop.workspace import principals
from laketop.workspace.principals import Principals
from laketop.workspace.store import Store


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Principals]:
    store = Store(tmp_path / "s.db")
    with store.transaction(write=True):
        for statement in principals.SCHEMA:
            store.execute(statement)
        found = Principals(store)
        found.seed("me@x.io")
        found.seed("me@x.io")
        yield found
    store.close()


def _user(people: Principals, name: str) -> str:
    return str(people.create("Users", {"userName": name})["id"])


def _group(people: Principals, name: str, *members: str) -> str:
    listed = [{"value": one} for one in members]
    return str(people.create("Groups", {"displayName": name, "members": listed})["id"])


def test_whoever_is_at_the_laptop_is_an_admin_and_others_are_not(people: Principals) -> None:
    _user(people, "ann@x.io")
    assert people.is_admin("me@x.io")
    assert not people.is_admin("ann@x.io")
    assert people.groups_of("ann@x.io") == {"users"}
    assert people.admins() == {"me@x.io"}


def test_groups_of_groups_count_for_their_members(people: Principals) -> None:
    ann = _user(people, "ann@x.io")
    inner = _group(people, "inner", ann)
    _group(people, "outer", inner)
    assert people.groups_of("ann@x.io") == {"users", "inner", "outer"}
    admins = str(people.id_of("Groups", "admins"))
    members = [*people.get("Groups", admins)["members"], {"value": inner}]
    people.replace("Groups", admins, {"displayName": "admins", "members": members})
    assert people.is_admin("ann@x.io")
    people.delete("Groups", inner)
    assert not people.is_admin("ann@x.io")


def test_a_group_is_no_member_of_itself(people: Principals) -> None:
    inner = _group(people, "inner")
    outer = _group(people, "outer", inner)
    for of, member in ((inner, inner), (inner, outer)):
        with pytest.raises(InvalidParameterValue, match="member of itself"):
            people.replace("Groups", of, {"members": [{"value": member}]})


def test_names_are_taken_once_and_some_stay(people: Principals) -> None:
    _user(people, "ann@x.io")
    with pytest.raises(ResourceConflict, match=r"username ann@x\.io already exists"):
        _user(people, "ann@x.io")
    admins = str(people.id_of("Groups", "admins"))
    with pytest.raises(PermissionDenied):
        people.delete("Groups", admins)
    with pytest.raises(PermissionDenied):
        people.replace("Groups", admins, {"displayName": "others"})
    with pytest.raises(InvalidParameterValue, match="laketop's own"):
        _user(people, "laketop")
    with pytest.raises(InvalidParameterValue, match="laketop's own"):
        _group(people, "account users")
    with pytest.raises(InvalidParameterValue, match="userName"):
        people.create("Users", {})
    with pytest.raises(NotFound, match="Principal with id 5"):
        _group(people, "empty", "5")


def test_a_group_that_is_renamed_keeps_its_members(people: Principals) -> None:
    ann = _user(people, "ann@x.io")
    group = _group(people, "old", ann)
    _group(people, "other")
    members = people.get("Groups", group)["members"]
    people.replace("Groups", group, {"displayName": "new", "members": members})
    assert people.groups_of("ann@x.io") == {"users", "new"}
    with pytest.raises(ResourceConflict):
        people.replace("Groups", group, {"displayName": "other"})


def test_a_deleted_principal_is_in_no_group(people: Principals) -> None:
    ann = _user(people, "ann@x.io")
    group = _group(people, "data", ann)
    assert people.delete("Users", ann) == "ann@x.io"
    assert people.get("Groups", group)["members"] == []
    assert people.find("ann@x.io") is None
    for id_ in (ann, "x", "9" * 30):
        with pytest.raises(NotFound):
            people.get("Users", id_)


def test_a_service_principal_has_an_application_id(people: Principals) -> None:
    made = people.create("ServicePrincipals", {"displayName": "robot"})
    assert len(made["applicationId"]) == 36
    assert people.find(made["applicationId"]) == ("ServicePrincipals", made)
    people.replace("ServicePrincipals", made["id"], {"active": False})
    assert people.inactive() == {made["applicationId"]}


@pytest.mark.parametrize(
    "sent",
    [{"emails": "x"}, {"active": "yes"}, {"displayName": 5}, {"name": []}, {"groups": [5]}],
)
def test_attributes_have_types(people: Principals, sent: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterValue):
        people.create("Users", {"userName": "u", **sent})
