from __future__ import annotations

import json
from pathlib import Path

import pytest

from laketop.cli.main import main
from laketop.cli.validate import given, summary
from laketop.errors import ConfigError

GOOD = "bundle: {name: x}\nresources: {jobs: {j: {name: '${bundle.name}-${var.v}'}}}\n"
VARIABLE = "variables: {v: {default: d}}\n"


def validate(folder: Path, text: str, *options: str) -> int:
    (folder / "databricks.yml").write_text(text, encoding="utf-8")
    return main(["validate", "--project", str(folder), *options])


def test_a_good_bundle_is_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate(tmp_path, GOOD + VARIABLE) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Validation OK!"


def test_a_target_that_names_a_host_is_checked_for_the_local_workspace_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "bundle: {name: x}\nworkspace: {host: https://far.example, root_path: /Shared/x}\n"
    assert validate(tmp_path, text) == 0
    assert "Workspace: local, path /Workspace/Shared/x" in capsys.readouterr().out


def test_every_problem_is_told_at_once_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yml").write_text("a: [\n", encoding="utf-8")
    (tmp_path / "b.yml").write_text("b:\n\tc: 1\n", encoding="utf-8")
    text = GOOD + "include: ['*.yml']\nnonsense: 1\n"
    assert validate(tmp_path, text) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "Found 3 errors and 1 warning"
    for place in ("a.yml:1:1", "b.yml:2:1", "databricks.yml:2:30", "databricks.yml:4:1"):
        assert f"in {place}\n" in said.err


def test_json_is_the_resolved_tree_and_the_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate(tmp_path, GOOD, "--json", "--var", "v=1") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["resources"]["jobs"]["j"]["name"] == "x-${var.v}"
    assert said["problems"][0]["message"] == "variable v has not been defined"


def test_strict_fails_on_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD + VARIABLE + "nonsense: 1\n"
    assert (validate(tmp_path, text), validate(tmp_path, text, "--strict")) == (0, 1)
    assert "Found 1 warning" in capsys.readouterr().out


def test_a_finding_of_the_lint_names_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = "{schedule: {quartz_cron_expression: 0 0 0 30 2 ?, timezone_id: UTC}}"
    assert validate(tmp_path, f"bundle: {{name: x}}\nresources: {{jobs: {{j: {job}}}}}\n") == 0
    assert "see docs/lint/cron-never-fires.md" in capsys.readouterr().err


def test_variables_may_stand_in_one_option_and_only_once() -> None:
    assert given([("a", "1,b=2"), ("c", "x,y")]) == {"a": "1", "b": "2", "c": "x,y"}
    with pytest.raises(ConfigError, match="the variable 'a' is given twice: '1' and '2'"):
        given([("a", "1"), ("a", "2")])


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([], "Validation OK!"),
        (["error"], "Found 1 error"),
        (["warning", "warning", "error"], "Found 1 error and 2 warnings"),
        (
            ["recommendation", "warning", "error"],
            "Found 1 error, 1 warning and 1 recommendation",
        ),
    ],
)
def test_the_summary_counts_each_severity(found: list[str], line: str) -> None:
    assert summary(found) == line


def test_the_bundle_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named, other = tmp_path / "named", tmp_path / "other"
    for folder in (named, other):
        (folder / "below").mkdir(parents=True)
        (folder / "databricks.yml").write_text(f"bundle: {{name: {folder.name}}}\n")
    monkeypatch.chdir(other)
    monkeypatch.setenv("DATABRICKS_BUNDLE_ROOT", str(named))
    assert main(["validate"]) == 0
    assert "named" in capsys.readouterr().out
    assert main(["validate", "--project", "."]) == 0
    assert "other" in capsys.readouterr().out
    monkeypatch.setenv("DATABRICKS_BUNDLE_ROOT", str(named / "below"))
    assert main(["validate"]) == 1
    assert "no databricks.yml in 'below'" in capsys.readouterr().err


def test_another_git_branch_than_the_targets_is_an_error_unless_it_is_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "databricks.yml").write_text(
        "bundle: {name: b}\ntargets: {prod: {default: true, git: {branch: release}}}\n"
    )
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert main(["validate", "--project", str(tmp_path)]) == 1
    assert "'release' is wanted, 'main' is here" in capsys.readouterr().err
    assert main(["validate", "--project", str(tmp_path), "--force"]) == 0
