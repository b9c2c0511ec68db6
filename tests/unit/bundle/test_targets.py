from __future__ import annotations

import pytest

from laketop.bundle.nodes import Node, node_of, plain
from laketop.bundle.problems import Problems
from laketop.bundle.targets import NoTarget, chosen, merged_lists, overlaid

from .conftest import MakeBundle


def name_of(targets: object, wanted: str | None = None, **environment: str) -> str:
    tree = node_of({} if targets is None else {"targets": targets})
    return chosen(tree, wanted, environment)[0]


def test_the_target_asked_for_comes_before_the_environment_and_the_default() -> None:
    targets = {"a": {"default": True}, "b": {}, "c": None}
    assert name_of(targets) == "a"
    assert name_of(targets, DATABRICKS_BUNDLE_TARGET="c") == "c"
    assert name_of(targets, "b", DATABRICKS_BUNDLE_TARGET="c") == "b"


def test_the_only_target_needs_no_default() -> None:
    assert name_of({"a": {}}) == "a"


def test_without_targets_there_is_one_named_default() -> None:
    assert name_of(None) == "default"
    assert name_of(None, "default") == "default"


@pytest.mark.parametrize(
    ("targets", "wanted", "message"),
    [
        ({"dev": {}}, "dve", "no target 'dve'"),
        (None, "dev", "no target 'dev'"),
        ({"a": {}, "b": {}}, None, "none is the default"),
        ({"a": {"default": "yes"}, "b": {"default": True}}, None, "a, b are all the default"),
    ],
)
def test_a_target_that_cannot_be_told_is_an_error(
    targets: object, wanted: str | None, message: str
) -> None:
    with pytest.raises(NoTarget, match=message):
        name_of(targets, wanted)


def test_the_old_word_for_targets_still_counts() -> None:
    assert chosen(node_of({"environments": {"a": {}}}), None, {})[0] == "a"


def test_a_block_is_laid_over_the_bundle_but_run_as_is_replaced() -> None:
    tree = node_of(
        {
            "bundle": {"name": "x", "git": {"branch": "main"}},
            "include": ["a"],
            "targets": {"t": {}},
            "run_as": {"user_name": "a"},
            "permissions": [1],
        }
    )
    block = node_of(
        {
            "mode": "production",
            "git": {"branch": "release"},
            "cluster_id": "c",
            "run_as": {"service_principal_name": "b"},
            "permissions": [2],
            "presets": {"name_prefix": "p"},
        }
    )
    assert plain(overlaid(tree, block, Problems())) == {
        "bundle": {
            "name": "x",
            "git": {"branch": "release"},
            "mode": "production",
            "cluster_id": "c",
        },
        "run_as": {"service_principal_name": "b"},
        "permissions": [1, 2],
        "presets": {"name_prefix": "p"},
    }


def test_lists_with_keys_are_merged_and_others_are_left() -> None:
    resources = node_of(
        {
            "jobs": {"j": {"tasks": [{"task_key": "a"}, {"task_key": "a", "x": 1}], "tags": {}}},
            "pipelines": {"p": {"clusters": [{"label": "l"}, {"label": "l", "n": 1}]}},
            "schemas": {"s": {"tasks": [{"task_key": "a"}, {"task_key": "a"}]}},
        }
    )
    made = plain(merged_lists(resources, Problems()))
    assert made["jobs"]["j"]["tasks"] == [{"task_key": "a", "x": 1}]
    assert made["pipelines"]["p"]["clusters"] == [{"label": "l", "n": 1}]
    assert len(made["schemas"]["s"]["tasks"]) == 2
    assert merged_lists(Node({}), Problems()) == Node({})


def test_a_part_of_a_task_in_a_target_needs_no_required_fields(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources:
          jobs: {j: {tasks: [{task_key: a, notebook_task: {notebook_path: /a}}]}}
        targets:
          t:
            resources:
              jobs:
                j: {tasks: [{task_key: a, notebook_task: {base_parameters: {n: 1}}}]}
    """)
    assert bundle.problems == ()
    assert bundle.job("j").body["tasks"] == [
        {"task_key": "a", "notebook_task": {"notebook_path": "/a", "base_parameters": {"n": "1"}}}
    ]


def test_what_is_missing_after_the_merge_is_told_once(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources: {jobs: {j: {tasks: [{task_key: a, notebook_task: {}}]}}}
    """)
    assert [problem.message for problem in bundle.problems] == [
        'required field "notebook_path" is not set'
    ]
