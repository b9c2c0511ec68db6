from __future__ import annotations

import pytest

from laketop.bundle import Place, Resource
from laketop.errors import ConfigError

from .conftest import MakeBundle

RESOURCE = Resource(
    type="jobs",
    key="j",
    body={
        "tasks": [{"run_job_task": {"job_id": "${resources.jobs.other.id}"}}],
        "description": "see ${resources.jobs.other.url} for {{job.id}} of ${HOME}",
    },
    position=Place("databricks.yml", 7, 3),
)


def test_the_references_still_open_are_listed() -> None:
    assert RESOURCE.references == ("jobs.other.id", "jobs.other.url")


def test_a_whole_reference_takes_over_the_type_of_its_value() -> None:
    filled = RESOURCE.filled({"jobs.other.id": 42, "jobs.other.url": "http://x"})
    assert filled.body == {
        "tasks": [{"run_job_task": {"job_id": 42}}],
        "description": "see http://x for {{job.id}} of ${HOME}",
    }
    assert filled.references == ()
    assert RESOURCE.references


def test_a_reference_without_a_value_is_an_error_with_its_place() -> None:
    with pytest.raises(
        ConfigError, match=r"databricks\.yml:7: jobs\.j refers to 'jobs\.other\.id'"
    ):
        RESOURCE.filled({})


def test_every_value_knows_its_place(make_bundle: MakeBundle) -> None:
    text = """
    bundle: {name: x}
    resources:
      jobs:
        j:
          tasks:
            - task_key: b
              notebook_task: {notebook_path: /b}
            - task_key: a
              condition_task: {left: "1", op: EQUAL_TO, right: "2"}
    """
    job = make_bundle(text).job("j")
    assert [task["task_key"] for task in job.body["tasks"]] == ["a", "b"]
    assert str(job.place_of("tasks[0].condition_task.op")) == "databricks.yml:10:43"
    assert str(job.place_of("tasks[1].task_key")) == "databricks.yml:7:21"
    assert str(job.place_of("tasks[1].nothing.here")) == "databricks.yml:7:11"
    assert str(job.place_of("max_concurrent_runs")) == str(job.position)
