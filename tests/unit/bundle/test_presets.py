from __future__ import annotations

import pytest

from laketop.bundle.presets import identifier_prefix

from .conftest import MakeBundle


@pytest.mark.parametrize(
    ("prefix", "made"),
    [
        ("[dev jane] ", "dev_jane_"),
        ("[prefix]", "prefix_"),
        ("prefix-", "prefix"),
        ("a b", "a_b"),
        ("_x_", "x"),
    ],
)
def test_a_prefix_has_the_form_of_an_identifier(prefix: str, made: str) -> None:
    assert identifier_prefix(prefix) == made


def test_an_empty_prefix_leaves_the_one_of_the_mode(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        targets: {dev: {mode: development, presets: {name_prefix: ""}}}
        resources: {jobs: {j: {name: j}}}
    """)
    assert bundle.job("j").body["name"] == "[dev me] j"


def test_presets_may_be_references(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        variables: {n: {default: "6"}}
        presets:
          jobs_max_concurrent_runs: ${var.n}
          name_prefix: "${workspace.current_user.short_name}-"
        resources: {jobs: {j: {name: j}}}
    """)
    body = bundle.job("j").body
    assert (body["name"], body["max_concurrent_runs"]) == ("me-j", 6)


def test_a_trigger_starts_unless_it_is_paused(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources: {jobs: {j: {trigger: {periodic: {interval: 1, unit: DAYS}}}}}
    """)
    assert bundle.job("j").body["trigger"]["pause_status"] == "UNPAUSED"


def test_a_place_of_the_user_is_accepted_in_development(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        targets:
          dev:
            mode: development
            presets: {name_prefix: "[${workspace.current_user.short_name}] "}
            workspace: {root_path: "/x/${workspace.current_user.short_name}/x"}
    """)
    assert bundle.problems == ()


@pytest.mark.parametrize(
    ("preset", "asked", "linked"),
    [
        ("", None, True),
        ("source_linked_deployment: false", None, False),
        ("source_linked_deployment: false", True, True),
        ("", False, False),
    ],
)
def test_development_is_source_linked_unless_told(
    make_bundle: MakeBundle, preset: str, asked: bool | None, linked: bool
) -> None:
    text = f"bundle: {{name: x}}\ntargets: {{d: {{mode: development, presets: {{{preset}}}}}}}\n"
    bundle = make_bundle(text, source_linked=asked)
    assert bundle.source_linked is linked
    assert (bundle.workspace.file_path == str(bundle.root)) is linked


def test_production_is_not_source_linked(make_bundle: MakeBundle) -> None:
    text = "bundle: {name: x}\nworkspace: {root_path: /x}\ntargets: {p: {mode: production}}\n"
    bundle = make_bundle(text)
    assert (bundle.source_linked, bundle.problems) == (False, ())
