"""`laketop run` with the key of a script: it runs here, and takes no option of jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.cli.main import main
from laketop.workspace import daemon
from laketop.workspace.daemon import Contact

BUNDLE = """
bundle: {name: scripted}
variables: {who: {default: ann}}
scripts:
  hello:
    content: "echo $WHO, $DATABRICKS_HOST, $DATABRICKS_BUNDLE_TARGET > said; exit 3"
    env: {WHO: "${var.who}"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose workspace is said to run already: scripts only hear of its address."""
    (tmp_path / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
    contact = Contact("http://127.0.0.1:1", "token", "", 0, "", "")
    for name in ("find", "start"):
        monkeypatch.setattr(daemon, name, lambda _settings: contact)
    return tmp_path


def test_a_script_runs_with_its_variables_and_its_exit_code_is_ours(project: Path) -> None:
    assert main(["run", "hello", "--project", str(project), "--var", "who=bob"]) == 3
    said = (project / "said").read_text(encoding="utf-8")
    assert said == "bob, http://127.0.0.1:1, default\n"


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (["--only", "a"], "--only"),
        (["--task", "a"], "--task"),
        (["--params", "a=b"], "--params"),
        (["--no-wait"], "--no-wait"),
        (["--restart"], "--restart"),
        (["--", "x"], "arguments"),
        (["--chaos", "seed=0"], "--chaos"),
        (["--json"], "--json"),
    ],
)
def test_an_option_of_jobs_is_refused_by_name(
    project: Path, option: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "hello", "--project", str(project), *option]) == 1
    assert f"'hello' is a script of the bundle, which takes no {named}" in capsys.readouterr().err
    assert not (project / "said").exists()


def test_a_command_without_a_key_runs_with_the_workspace_in_its_environment(project: Path) -> None:
    command = ["sh", "-c", "echo $DATABRICKS_HOST $1 > said; exit 4", "-", "a  b"]
    assert main(["run", "--project", str(project), "--", *command]) == 4
    assert (project / "said").read_text(encoding="utf-8") == "http://127.0.0.1:1 a b\n"


def test_a_command_takes_no_option_of_jobs_either(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--project", str(project), "--json", "--", "true"]) == 1
    assert "a command takes no --json" in capsys.readouterr().err
