from __future__ import annotations

import pytest

from .conftest import MakeBundle


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        (
            "experimental: {python_wheel_wrapper: true, skip_name_prefix_for_schema: true}",
            "warning",
            "python_wheel_wrapper has no effect: this is not supported",
        ),
        (
            "targets: {t: {cluster_id: c}}",
            "warning",
            "cluster_id has no effect: this is not supported",
        ),
        (
            "variables: {v: {default: '${artifacts.a.path}'}}",
            "error",
            "reference does not exist: ${artifacts.a.path}",
        ),
        (
            "workspace: {root_path: /Shared/x}",
            "warning",
            "root_path '/Workspace/Shared/x' can be written by every user of the workspace",
        ),
    ],
)
def test_what_is_not_done_is_told_by_name(
    make_bundle: MakeBundle, text: str, severity: str, message: str
) -> None:
    (problem,) = make_bundle(f"bundle: {{name: x}}\n{text}\n").problems
    assert (problem.severity, problem.message) == (severity, message)


def test_a_setting_that_asks_for_nothing_is_nothing_to_tell(make_bundle: MakeBundle) -> None:
    text = "bundle: {name: x}\nexperimental: {python_wheel_wrapper: false}\nscripts: {}\n"
    assert make_bundle(text).problems == ()


def test_a_shared_bundle_may_say_that_it_is_shared(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        workspace: {root_path: /Workspace/Shared/x}
        permissions:
          - {level: CAN_MANAGE, group_name: users}
          - {level: CAN_MANAGE, user_name: me@laketop.local}
    """)
    assert bundle.problems == ()
