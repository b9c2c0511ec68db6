"""What holds for the whole house: light imports, agreeing versions, tests where they belong."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from laketop.cli.main import parser
from laketop.engine import Runtime

ROOT = Path(__file__).parents[2]
HEAVY = ("pyspark", "mlflow", "databricks", "pandas", "numpy", "starlette", "yaml", "rich")


@pytest.mark.parametrize(
    "code",
    ["import laketop", "from laketop.cli.main import parser; parser().format_help()"],
)
def test_it_starts_without_loading_anything_heavy(code: str) -> None:
    ask = f"{code}\nimport sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("key", ["default", "17.3-LTS"])
def test_the_runtime_and_the_project_file_pin_the_same_versions(key: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = Runtime.load(key)
    extras = project["optional-dependencies"]
    wanted = [*extras[runtime.extra], *extras["local-base"]]
    pins = dict(text.split("==") for text in wanted if "==" in text)
    assert pins["pyspark"] == runtime.spark
    assert pins["delta-spark"] == runtime.delta
    delta = next(jar for jar in runtime.jars if jar.artifact.startswith("delta-spark"))
    spark_minor = ".".join(runtime.spark.split(".")[:2])
    assert delta.artifact == f"delta-spark_{spark_minor}_{runtime.scala}"
    assert delta.version == runtime.delta


def test_every_command_has_a_help_text_and_options_of_its_own() -> None:
    commands = parser()._subparsers
    assert commands is not None
    choices = commands._group_actions[0].choices
    assert isinstance(choices, dict)
    assert set(choices) >= {
        *("up", "status", "down", "reset", "run", "validate", "sql", "env", "doctor", "version"),
        *("cancel", "repair", "logs"),
    }
    for command in choices.values():
        assert command.description
        assert all("--json" in one.format_help() for one in (command, *_actions(command)))


def _actions(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of a command's own actions, as of `laketop clock set`."""
    groups = [] if command._subparsers is None else command._subparsers._group_actions
    return [one for group in groups for one in (group.choices or {}).values()]  # type: ignore[attr-defined]  # it maps names to parsers


def test_every_command_has_the_same_line_of_help_loaded_or_not() -> None:
    helps = [parser(only).format_help() for only in (None, "")]
    assert helps[0] == helps[1]


def test_every_command_of_the_readme_exists_and_every_command_is_in_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = parser()._subparsers
    assert commands is not None
    choices = commands._group_actions[0].choices
    assert isinstance(choices, dict)
    table = " ".join(line for line in readme.splitlines() if line.startswith("|"))
    told = set(re.findall(r"`(?:laketop )?([a-z]+)", table))
    assert set(choices) <= told
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"^laketop ([a-z]+)", blocks, re.MULTILINE)) <= set(choices)


@pytest.mark.parametrize("room", ["services", "tasks", "pages"])
def test_every_service_task_type_and_page_has_a_test_of_its_own(room: str) -> None:
    folders = {
        "services": "workspace/services",
        "tasks": "runner/tasks",
        "pages": "workspace/ui/pages",
    }
    folder = folders[room]
    tests = {file.stem for file in (ROOT / "tests").rglob("test_*.py")}
    for file in (ROOT / "src" / "laketop" / folder).glob("[a-z]*.py"):
        assert any(test.startswith(f"test_{file.stem}") for test in tests), file.name


@pytest.mark.parametrize(
    "file",
    sorted(
        file
        for folder in ("notebooks", "src", "tests")
        for file in (ROOT / "examples" / "flights" / folder).rglob("*.py")
    ),
    ids=lambda file: file.stem,
)
def test_the_reference_project_knows_laketop_ml_and_nothing_else_of_laketop(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert {name for name in _imported(tree) if f"{name}.".startswith("laketop.")} <= {"laketop.ml"}


def _imported(tree: ast.Module) -> set[str]:
    """Return the modules that a file imports, by two parts of their names at most."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:2]) for name in found}


OWN_PROCESSES = {
    "engine/stream_worker.py",
    "ml/environments.py",
    "runner/dbutils/secrets.py",
    "runner/forkserver.py",
    "runner/host.py",
    "runner/lazy_spark.py",
    "runner/pip.py",
    "shims/databricks/connect/__init__.py",
}
"""Code of the processes of tasks and streams: it reads or hands on what they were started with."""


def test_only_the_settings_and_the_processes_of_tasks_read_the_environment() -> None:
    house = ROOT / "src" / "laketop"
    readers = {
        file.relative_to(house).as_posix()
        for file in house.rglob("*.py")
        if _reads_the_environment(file.read_text(encoding="utf-8"))
    }
    assert readers == OWN_PROCESSES | {"settings.py"}


def _reads_the_environment(code: str) -> bool:
    return bool(re.search(r"\bos\.(environ\b(?!\.update)|getenv\b)", code))


def test_who_reads_the_environment_is_seen_and_who_adds_to_it_does_not() -> None:
    assert all(map(_reads_the_environment, ("os.environ['A']", "dict(os.environ)", "os.getenv(x)")))
    assert not _reads_the_environment("os.environ.update(more)")


def test_an_import_of_another_room_is_seen_however_it_is_written() -> None:
    for code, room in (
        ("import laketop", "laketop"),
        ("from laketop import engine", "laketop.engine"),
        ("def f():\n    import laketop.cli.main as m", "laketop.cli"),
        ("from laketop.ml.gates import Verdict", "laketop.ml"),
    ):
        assert _imported(ast.parse(code)) == {room}


def test_the_reference_project_names_nothing_of_laketop_but_its_ml_its_tests_neither() -> None:
    files = sorted((ROOT / "examples" / "flights").rglob("*.py"))
    named = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in re.findall(r"\blaketop\.\w+", file.read_text(encoding="utf-8"))
    }
    assert len(files) > 20
    assert {one for one in named if not one.endswith(": laketop.ml")} == set()
