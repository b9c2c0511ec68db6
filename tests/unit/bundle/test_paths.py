from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle import is_notebook
from laketop.bundle.paths import is_local

from .conftest import NOTEBOOK, MakeBundle


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("a.py", "# Databricks notebook source\n", True),
        ("a.py", "# Databricks notebook source\r\nx", True),
        ("a.py", "import os\n", False),
        ("a.py", "", False),
        ("a.sql", "-- Databricks notebook source\n", True),
        ("a.sql", "# Databricks notebook source\n", False),
        ("a.scala", "// Databricks notebook source\n", True),
        ("a.R", "# Databricks notebook source\n", True),
        ("a.ipynb", "{}", True),
        ("a.txt", "# Databricks notebook source\n", False),
    ],
)
def test_a_notebook_is_known_by_its_first_line(
    tmp_path: Path, name: str, text: str, answer: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert is_notebook(path) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a/b.py", True),
        ("./a.py", True),
        ("../a.py", True),
        ("file:./a.py", True),
        ("/Workspace/a", False),
        ("s3://a/b", False),
        ("dbfs:/a", False),
        ("~/a", False),
        ("${resources.x.y}", False),
        ("{{job.parameters.path}}", False),
        ("", False),
    ],
)
def test_a_local_path_is_relative_and_known(text: str, answer: bool) -> None:
    assert is_local(text) is answer


def test_a_path_is_relative_to_the_file_where_it_stands(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        """
        bundle: {name: x}
        include: [resources/*.yml]
        variables: {p: {default: ../nb/a.py}}
        targets:
          dev:
            default: true
            resources:
              jobs:
                j: {tasks: [{task_key: b, notebook_task: {notebook_path: nb/b.py}}]}
        """,
        {
            "resources/j.yml": "resources: {jobs: {j: {tasks: [{task_key: a, notebook_task:"
            " {notebook_path: '${var.p}'}}]}}}\n",
            "nb/a.py": NOTEBOOK,
            "nb/b.py": NOTEBOOK,
        },
    )
    assert bundle.problems == ()
    assert [task["notebook_task"]["notebook_path"] for task in bundle.job("j").body["tasks"]] == [
        f"{bundle.workspace.file_path}/nb/a",
        f"{bundle.workspace.file_path}/nb/b",
    ]


def test_a_designer_notebook_keeps_its_extension(make_bundle: MakeBundle) -> None:
    bundle = make_bundle(
        "bundle: {name: x}\nresources: {jobs: {j: {tasks: [{task_key: a, notebook_task:"
        " {notebook_path: a.designer.ipynb}}]}}}\n",
        {"a.designer.ipynb": "{}"},
    )
    assert (
        bundle.job("j")
        .body["tasks"][0]["notebook_task"]["notebook_path"]
        .endswith("/files/a.designer.ipynb")
    )


def test_the_bundle_itself_may_be_a_dbt_project(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources:
          jobs:
            j:
              tasks:
                - {task_key: a, dbt_task: {project_directory: ., commands: [dbt run]}}
                - {task_key: b, dbt_task: {project_directory: dbt, commands: [dbt run]}}
    """)
    (problem,) = bundle.problems
    assert problem.message == "folder dbt not found"
    task = bundle.job("j").body["tasks"][0]
    assert task["dbt_task"]["project_directory"] == bundle.workspace.file_path


def test_a_task_of_the_workspace_is_left_if_the_job_is_from_git(make_bundle: MakeBundle) -> None:
    bundle = make_bundle("""
        bundle: {name: x}
        resources:
          jobs:
            j:
              tasks:
                - task_key: a
                  for_each_task:
                    inputs: "[1]"
                    task:
                      task_key: b
                      sql_task: {warehouse_id: w, file: {path: q.sql, source: GIT}}
    """)
    assert bundle.problems == ()
