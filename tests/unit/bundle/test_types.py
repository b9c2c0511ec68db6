from __future__ import annotations

import pytest

from .conftest import MakeBundle


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("dashboards: {k: {warehouse_id: w}}", "dashboard k needs display_name"),
        ("dashboards: {k: {display_name: w}}", "dashboard k needs warehouse_id"),
        ("sql_warehouses: {k: {cluster_size: Small}}", "sql warehouse k needs name"),
        ("apps: {k: {name: a}}", "app k needs source_code_path or git_source"),
        (
            "schemas: {k: {name: s, catalog_name: c, grants: [{principal: p, privileges: []}]}}",
            "a grant of schema k has no privileges",
        ),
        (
            "jobs: {k: {deployment: {kind: BUNDLE, deployment_id: i}}}",
            "deployment.deployment_id is set by the deployment, not in a bundle",
        ),
    ],
)
def test_what_a_type_cannot_be_without_is_an_error(
    make_bundle: MakeBundle, resource: str, message: str
) -> None:
    bundle = make_bundle(f"bundle: {{name: x}}\nresources: {{{resource}}}\n")
    assert [problem.message for problem in bundle.errors] == [message]
