from __future__ import annotations

import pytest

from .conftest import MakeBundle

NOTEBOOK_TASK = "notebook_task: {notebook_path: /a}"


def messages(make_bundle: MakeBundle, job: str) -> list[str]:
    bundle = make_bundle(f"bundle: {{name: x}}\nresources: {{jobs: {{j: {{{job}}}}}}}\n")
    return [problem.message for problem in bundle.problems]


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            "schedule: {quartz_cron_expression: x, timezone_id: UTC}, continuous: {}",
            "a job has a schedule or is continuous, not both",
        ),
        (
            "triggers: [], continuous: {}",
            "triggers and continuous exclude each other",
        ),
        (
            "tasks: [{task_key: a, depends_on: [{task_key: b}], " + NOTEBOOK_TASK + "}]",
            "task 'a' depends on 'b', which the job does not have",
        ),
        (
            f"tasks: [{{task_key: a, {NOTEBOOK_TASK}}}, {{task_key: a}}]",
            "task 'a' is declared twice and is merged into one",
        ),
        (
            "tasks: [{task_key: a, for_each_task: {inputs: '[]', task: {task_key: b}}}]",
            "task 'b' does not say what it runs",
        ),
        (
            "job_clusters: [{job_cluster_key: c, new_cluster: {num_workers: 0}}]",
            "num_workers is 0, and spark_conf and custom_tags do not ask for a single node",
        ),
    ],
)
def test_what_does_not_fit_is_told(make_bundle: MakeBundle, job: str, message: str) -> None:
    assert messages(make_bundle, job) == [message]


@pytest.mark.parametrize(
    "cluster",
    [
        "num_workers: 1",
        "num_workers: 0, is_single_node: true",
        "num_workers: 0, policy_id: p",
        (
            "num_workers: 0, custom_tags: {ResourceClass: SingleNode}, spark_conf:"
            " {spark.databricks.cluster.profile: singleNode, spark.master: 'local[*, 4]'}"
        ),
    ],
)
def test_a_cluster_of_one_node_says_so(make_bundle: MakeBundle, cluster: str) -> None:
    job = f"tasks: [{{task_key: a, {NOTEBOOK_TASK}, new_cluster: {{{cluster}}}}}]"
    assert messages(make_bundle, job) == []


def test_a_task_without_a_key_is_told(make_bundle: MakeBundle) -> None:
    assert messages(make_bundle, f"tasks: [{{{NOTEBOOK_TASK}}}, {{{NOTEBOOK_TASK}}}]") == [
        'required field "task_key" is not set',
        'required field "task_key" is not set',
    ]


def test_a_job_without_tasks_is_nothing_to_tell(make_bundle: MakeBundle) -> None:
    assert messages(make_bundle, "name: j") == []


def test_a_key_that_is_a_reference_is_left_to_the_deployment(make_bundle: MakeBundle) -> None:
    job = f"tasks: [{{task_key: a, {NOTEBOOK_TASK}, job_cluster_key: '${{resources.jobs.j.id}}'}}]"
    assert messages(make_bundle, job) == []
