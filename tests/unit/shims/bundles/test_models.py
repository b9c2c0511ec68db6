"""Classes of a bundle: made by name, from YAML's values and back to them."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laketop.shims.bundles.core import Variable
from laketop.shims.bundles.models import TYPES, modules, resource_class, singular

MODULES = {module.__name__.rpartition(".")[2]: module for module in modules("bundles")}
WORDS = st.text("abc", min_size=1)


@pytest.fixture
def jobs() -> ModuleType:
    return MODULES["jobs"]


@given(
    name=WORDS,
    keys=st.lists(WORDS, unique=True),
    tags=st.dictionaries(WORDS, WORDS),
    retries=st.none() | st.integers(1, 9),
)
def test_what_is_read_is_written_again(
    name: str, keys: list[str], tags: dict[str, str], retries: int | None
) -> None:
    more = {} if retries is None else {"max_retries": retries}
    tasks = [{"task_key": key, "notebook_task": {"notebook_path": "a"}, **more} for key in keys]
    value = {"name": name, "tasks": tasks, "tags": tags}
    made = resource_class("jobs").from_dict(value)
    assert made.as_dict() == {key: part for key, part in value.items() if part}
    assert [type(task).__name__ for task in made.tasks] == ["Task"] * len(keys)


def test_enumerations_are_their_values_and_variables_their_references(jobs: ModuleType) -> None:
    schedule = jobs.CronSchedule(
        quartz_cron_expression=Variable(path="var.cron", type=str),
        timezone_id="UTC",
        pause_status=jobs.PauseStatus.PAUSED,
    )
    assert jobs.PauseStatus.PAUSED == "PAUSED"
    assert jobs.Job(schedule=schedule).as_dict() == {
        "schedule": {
            "quartz_cron_expression": "${var.cron}",
            "timezone_id": "UTC",
            "pause_status": "PAUSED",
        }
    }


def test_a_copy_may_differ_in_a_field(jobs: ModuleType) -> None:
    job = jobs.Job(name="a", tasks=[jobs.Task(task_key="t")])
    assert dataclasses.replace(job, name="b").as_dict() == {
        "name": "b",
        "tasks": job.as_dict()["tasks"],
    }


def test_a_field_that_is_not_there_is_refused_by_name(jobs: ModuleType) -> None:
    with pytest.raises(ValueError, match="Task has no field 'task_kye'"):
        jobs.Job.from_dict({"tasks": [{"task_kye": "a"}]})
    with pytest.raises(TypeError, match="task_kye"):
        jobs.Task(task_kye="a")


def test_what_yaml_has_beyond_the_fields_is_kept_where_it_is_only_warned_of() -> None:
    value = {"name": "a", "nmae": "b", "tasks": [{"task_key": "t", "other": [1]}]}
    made = resource_class("jobs").read(value, is_strict=False)
    made.name = "c"
    assert made.as_dict() == {**value, "name": "c"}


def test_a_class_that_is_not_there_is_an_error_of_the_import(jobs: ModuleType) -> None:
    with pytest.raises(AttributeError, match="'Nothing'"):
        jobs.Nothing  # noqa: B018 - asking is what fails


@pytest.mark.parametrize("type_", TYPES)
def test_each_type_has_a_module_with_its_class(type_: str) -> None:
    made = resource_class(type_)
    assert getattr(MODULES[type_], made.__name__) is made
    assert made.type == type_
    assert not singular(type_).endswith("s") or type_.startswith("postgres")


@pytest.mark.parametrize("name", ["JobPermission", "Lifecycle", "JobParam", "TaskDict"])
def test_names_of_the_bundle_itself_and_of_annotations_are_there(
    jobs: ModuleType, name: str
) -> None:
    assert getattr(jobs, name) is not None
