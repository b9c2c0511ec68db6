from __future__ import annotations

import pytest
from databricks.sdk.errors.platform import InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed

from laketop.workspace.run_settings import (
    given_to_tasks,
    run_as_of,
    with_environments,
    with_parameters,
)

NOTEBOOK = {
    "task_key": "a",
    "notebook_task": {"notebook_path": "n", "base_parameters": {"x": "1", "y": "1"}},
}
DBT = {"task_key": "c", "dbt_task": {"project_directory": "/p", "commands": ["dbt run"]}}
SQL = {
    "task_key": "d",
    "sql_task": {"file": {"path": "/q.sql"}, "parameters": {"a": "1", "b": "1"}},
}
SCRIPT = {"task_key": "b", "spark_python_task": {"python_file": "/f.py", "parameters": ["old"]}}


def test_parameters_reach_the_tasks_of_their_kind_and_no_others() -> None:
    settings = {"tasks": [NOTEBOOK, SCRIPT, DBT, SQL]}
    given = given_to_tasks(
        {
            "notebook_params": {"x": "2"},
            "python_params": ["new"],
            "dbt_commands": ["dbt test"],
            "sql_params": {"a": "2"},
            "job_id": 1,
        }
    )
    notebook, script, dbt, sql = with_parameters(settings, given)["tasks"]
    assert sql["sql_task"]["parameters"] == {"a": "2", "b": "1"}
    assert dbt["dbt_task"]["commands"] == ["dbt test"]
    assert notebook["notebook_task"]["base_parameters"] == {"x": "2", "y": "1"}
    assert script["spark_python_task"]["parameters"] == ["new"]
    assert NOTEBOOK["notebook_task"] != notebook["notebook_task"]


def test_parameters_of_tasks_and_of_the_job_do_not_mix() -> None:
    with pytest.raises(InvalidParameterValue, match="do not mix"):
        given_to_tasks({"job_parameters": {"y": "3"}, "notebook_params": {"x": "2"}})


def test_parameters_of_tasks_have_ten_thousand_bytes_at_most() -> None:
    longest = "x" * (10_000 - len('{"python_params": [""]}'))
    assert given_to_tasks({"python_params": [longest]})["python_params"] == [longest]
    with pytest.raises(InvalidParameterValue, match="python_params has more than 10000 bytes"):
        given_to_tasks({"python_params": [longest + "x"]})


def test_what_is_not_served_is_refused_by_name() -> None:
    assert given_to_tasks({"pipeline_params": None}) == {}
    with pytest.raises(NotServed, match="pipeline_params"):
        given_to_tasks({"pipeline_params": {"a": "b"}})


def test_parameters_of_jars_replace_those_of_the_job_and_do_not_mix_with_those_of_notebooks() -> (
    None
):
    settings = {"tasks": [{"task_key": "j", "spark_jar_task": {"parameters": ["old"]}}]}
    (jar,) = with_parameters(settings, given_to_tasks({"jar_params": ["new"]}))["tasks"]
    assert jar["spark_jar_task"] == {"parameters": ["new"]}
    with pytest.raises(InvalidParameterValue, match="jar_params do not mix"):
        given_to_tasks({"jar_params": ["a"], "notebook_params": {"a": "b"}})


@pytest.mark.parametrize("sent", [{"sql_params": ["a"]}, {"python_params": {"a": "b"}}])
def test_parameters_of_another_type_are_refused_by_name(sent: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterValue, match=next(iter(sent))):
        given_to_tasks(sent)


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("environment_key", "environments"),
        ("environment_variables_key", "environment_variables"),
    ],
)
def test_a_task_that_names_what_its_job_has_is_given_it(key: str, field: str) -> None:
    entries = [{key: "e"}]
    each = {"task_key": "c", "for_each_task": {"task": {**SCRIPT, key: "e"}}}
    settings = {"tasks": [NOTEBOOK, each], field: entries}
    plain, looped = with_environments(settings)["tasks"]
    assert field not in plain
    assert looped["for_each_task"]["task"][field] == entries


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({}, None),
        ({"run_as": {"user_name": "ann"}}, "ann"),
        ({"run_as": {"service_principal_name": "robot"}}, "robot"),
    ],
)
def test_run_as_is_a_user_or_a_service_principal(
    settings: dict[str, object], who: str | None
) -> None:
    assert run_as_of(settings) == who


def test_arguments_of_a_wheel_replace_its_named_parameters() -> None:
    wheel = {"package_name": "p", "entry_point": "e", "named_parameters": {"a": "b"}}
    settings = {"tasks": [{"task_key": "w", "python_wheel_task": wheel}]}
    (task,) = with_parameters(settings, given_to_tasks({"python_params": ["x"]}))["tasks"]
    made = task["python_wheel_task"]
    assert (made["parameters"], made["named_parameters"]) == (["x"], None)
