"""The dbt task: commands in turn, in a copy of the project; a small program stands for dbt."""

from __future__ import annotations

import os
import sys
import tarfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.repositories import git_source_of

from laketop.errors import ConfigError
from laketop.runner.context import Outcome, TaskContext
from laketop.runner.tasks.dbt import ARTIFACTS, DbtTask

Run = Callable[..., tuple[Outcome, str]]
PROGRAM = """#!/bin/sh
echo "$@" | sed 's/--profiles-dir .*//'
echo "host $DBT_HOST token $DBT_ACCESS_TOKEN stats $DBT_SEND_ANONYMOUS_USAGE_STATS"
while [ "$1" != --profiles-dir ]; do last="$1"; shift; done
cat "$2/profiles.yml"
touch made-by-dbt
mkdir -p target && echo "$last" >> target/manifest.json
[ "$last" != break ]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "target").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: p\nprofile: mine\n")
    return folder


@pytest.fixture
def run(tmp_path: Path, project: Path) -> Run:
    directory = tmp_path / ".laketop" / "runs" / "1" / "2"
    directory.mkdir(parents=True)
    own = tmp_path / "own"
    (own / "bin").mkdir(parents=True)
    (own / "bin" / "dbt").write_text(PROGRAM)
    (own / "bin" / "dbt").chmod(0o755)

    def saved(kind: str, name: str) -> Mapping[str, Any]:
        return {"id": f"{kind}-{name}"}

    def run(*commands: str, **more: Any) -> tuple[Outcome, str]:
        fields = {"own": more.pop("own", own)}
        git = more.pop("git_source", None)
        around = {"git_source": git} if git else {}
        settings = {"project_directory": str(project), "commands": list(commands), **more}
        context = TaskContext(
            run_id=1,
            job_id=3,
            task_run_id=2,
            task_key="it",
            attempt=0,
            task={"task_key": "it", "dbt_task": settings, **around},
            job_parameters={},
            task_values={},
            directory=directory,
            environment={
                "PATH": os.environ["PATH"],
                "DATABRICKS_HOST": "http://127.0.0.1:8123",
                "DATABRICKS_TOKEN": "secret",
            },
            python=Path(sys.executable),
            resolve=Path,
            cancelled=threading.Event(),
            run_job=lambda _job, _parameters, _of_tasks: pytest.fail("no job is run"),
            saved=saved,
            **fields,
        )
        outcome = DbtTask().run(context.task, context)
        return outcome, (directory / "output.log").read_text()

    return run


def _profiles(log: str) -> list[Any]:
    """Return the profiles of each command that the program has printed."""
    parts = log.split("stats false\n")[1:]
    return [yaml.safe_load(part.partition("\n$ dbt")[0]) for part in parts]


def test_commands_run_in_turn_in_a_copy_of_the_project(run: Run, project: Path) -> None:
    outcome, log = run("dbt deps", "dbt run --vars '{a: b c}'")
    assert (outcome.result_state, outcome.exit_code) == ("SUCCESS", 0)
    lines = [line for line in log.splitlines() if line.startswith(("$", "deps", "run", "host"))]
    told = "host http://127.0.0.1:8123 token [REDACTED] stats false"
    assert [line.strip() for line in lines] == [
        *("$ dbt deps", "deps", told),
        *("$ dbt run --vars '{a: b c}'", "run --vars {a: b c}", told),
    ]
    assert sorted(place.name for place in project.iterdir()) == ["dbt_project.yml", "target"]
    copy = project.parent / ".laketop" / "runs" / "1" / "2" / "dbt"
    assert sorted(place.name for place in copy.iterdir()) == [
        *("dbt_project.yml", "made-by-dbt", "target"),
    ]


@pytest.mark.parametrize("folder", [None, "dbt"])
def test_a_project_is_copied_out_of_the_repository_of_its_job(
    run: Run, tmp_path: Path, folder: str | None
) -> None:
    repository = tmp_path / "repository"
    place = repository / (folder or ".")
    place.mkdir(parents=True)
    (place / "dbt_project.yml").write_text("name: of_git\nprofile: mine\n")
    outcome, _ = run("dbt run", project_directory=folder, git_source=git_source_of(repository))
    assert outcome.result_state == "SUCCESS"
    copy = tmp_path / ".laketop" / "runs" / "1" / "2" / "dbt"
    assert (copy / "dbt_project.yml").read_text().startswith("name: of_git")
    assert not (copy / ".git").exists()


def test_what_dbt_wrote_is_packed_also_where_it_failed(run: Run, tmp_path: Path) -> None:
    run("dbt run", "dbt break")
    with tarfile.open(tmp_path / ".laketop/runs/1/2" / ARTIFACTS) as archive:
        assert archive.getnames() == ["target", "target/manifest.json"]
        member = archive.extractfile("target/manifest.json")
        assert member is not None
        assert member.read() == b"run\nbreak\n"


def test_a_command_that_fails_is_named_and_the_last_one(run: Run) -> None:
    outcome, log = run("dbt break", "dbt run")
    assert outcome.result_state == "FAILED"
    assert outcome.error == "'dbt break' ended with exit code 1"
    assert "$ dbt run" not in log


def test_a_profile_is_made_for_the_warehouse_with_the_targets_of_the_command(run: Run) -> None:
    _, log = run("dbt run --target=dev", warehouse_id="w", catalog="c", schema="s")
    (profiles,) = _profiles(log)
    assert set(profiles) == {"mine"}
    assert set(profiles["mine"]["outputs"]) == {"default", "dev"}
    output = profiles["mine"]["outputs"]["dev"]
    assert (output["catalog"], output["schema"]) == ("c", "s")
    assert output["http_path"] == "/sql/1.0/warehouses/warehouse-w"


def test_the_projects_own_profiles_lead_here(run: Run, project: Path) -> None:
    for name, schema in (("a", "of_a"), ("b", "of_b")):
        (project / name).mkdir()
        output = {"type": "databricks", "schema": schema, "host": "elsewhere"}
        text = yaml.safe_dump({"mine": {"target": "t", "outputs": {"t": output}}})
        (project / name / "profiles.yml").write_text(text)
    _, log = run("dbt run", "dbt test --profiles-dir b", profiles_directory="a")
    outputs = [profiles["mine"]["outputs"]["t"] for profiles in _profiles(log)]
    assert [output["schema"] for output in outputs] == ["of_a", "of_b"]
    assert {output["host"] for output in outputs} == {"http://127.0.0.1:8123/#"}


@pytest.mark.parametrize(
    ("commands", "more", "words"),
    [
        ([], {}, "1 to 10 commands, not 0"),
        (["ls"], {}, "'ls' does not start with dbt"),
        (["dbt 'run"], {}, "cannot be read"),
        (["dbt run"], {"warehouse_id": "w", "profiles_directory": "p"}, "and a profiles_directory"),
        (["dbt run"], {"profiles_directory": "p"}, "no profiles.yml"),
        (["dbt run"], {"project_directory": "/nowhere"}, "no dbt_project.yml in '/nowhere'"),
        (["dbt run"], {"project_directory": None}, "no project_directory"),
        (["dbt run"], {"own": Path("/nowhere")}, "there is no dbt in the environment"),
    ],
)
def test_what_cannot_be_run_is_named(
    run: Run, commands: list[str], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        run(*commands, **more)


def test_profiles_that_are_no_yaml_are_named(run: Run, project: Path) -> None:
    (project / "profiles.yml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"the file is not YAML"):
        run("dbt run")


def test_profiles_whose_aliases_unfold_without_end_are_refused(run: Run, project: Path) -> None:
    bomb = ["a0: &a0 [x]", *(f"a{n + 1}: &a{n + 1} [{f'*a{n},' * 9}]" for n in range(8))]
    (project / "profiles.yml").write_text("\n".join(bomb))
    with pytest.raises(ConfigError, match="more than 100000 values"):
        run("dbt run")
