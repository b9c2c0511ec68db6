from __future__ import annotations

import pytest

from .conftest import MakeBundle

TEXT = """
    bundle: {{name: x}}
    permissions:
      - {{level: {level}, group_name: users}}
      - {{level: CAN_VIEW, group_name: users}}
      - {{level: CAN_MANAGE, user_name: me@laketop.local}}
    resources:
      {type}: {{r: {{name: n}}}}
"""


@pytest.mark.parametrize(
    ("type_", "level", "made"),
    [
        ("jobs", "CAN_RUN", "CAN_MANAGE_RUN"),
        ("jobs", "CAN_VIEW", "CAN_VIEW"),
        ("experiments", "CAN_VIEW", "CAN_READ"),
        ("clusters", "CAN_VIEW", "CAN_ATTACH_TO"),
        ("clusters", "CAN_RUN", "CAN_RESTART"),
        ("model_serving_endpoints", "CAN_RUN", "CAN_QUERY"),
        ("secret_scopes", "CAN_MANAGE", "MANAGE"),
        ("database_instances", "CAN_RUN", "CAN_USE"),
        ("genie_spaces", "CAN_VIEW", "CAN_READ"),
        ("instance_pools", "CAN_RUN", "CAN_ATTACH_TO"),
        ("vector_search_endpoints", "CAN_VIEW", "CAN_USE"),
    ],
)
def test_a_level_of_the_bundle_has_its_word_for_each_type(
    make_bundle: MakeBundle, type_: str, level: str, made: str
) -> None:
    bundle = make_bundle(TEXT.format(type=type_, level=level))
    entries = bundle.resource(type_, "r").permissions
    assert {"group_name": "users", "permission_level": made} in entries


def test_the_deployer_owns_jobs(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(TEXT.format(type="jobs", level="CAN_VIEW"))
    assert bundle.job("r").permissions[-1] == {
        "user_name": "me@laketop.local",
        "permission_level": "IS_OWNER",
    }


def test_types_without_permissions_have_none(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        permissions: [{level: CAN_MANAGE, user_name: me@laketop.local}]
        resources:
          schemas: {s: {name: s, catalog_name: c}}
    """)
    assert bundle.resource("schemas", "s").permissions == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{}", "run_as names nobody"),
        ("{user_name: a, service_principal_name: b}", "run_as names both"),
    ],
)
def test_run_as_names_exactly_one(make_bundle: MakeBundle, entry: str, message: str) -> None:
    bundle = make_bundle(f"bundle: {{name: x}}\nrun_as: {entry}\n")
    assert bundle.errors[0].message.startswith(message)


def test_run_as_the_deployer_may_have_endpoints(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        run_as: {user_name: me@laketop.local}
        resources: {model_serving_endpoints: {e: {name: e}}}
    """)
    assert bundle.problems == ()
