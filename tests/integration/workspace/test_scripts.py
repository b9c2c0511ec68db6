"""Scripts of a bundle: around a deployment in their order, and those that a user runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from laketop.bundle import load
from laketop.errors import LaketopError
from laketop.settings import Settings
from laketop.workspace.daemon import Contact
from laketop.workspace.deployment import Site, run_script
from laketop.workspace.deployment.scripts import run_hook

CONTACT = Contact("http://127.0.0.1:1", "local-token", "", 0, "", "")


def site_of(root: Path, said: list[str]) -> Site:
    settings = Settings.read(root, {"PATH": "/usr/bin:/bin", "DATABRICKS_HOST": "https://far.away"})
    return Site.local(settings, CONTACT, said.append)


def write(root: Path, text: str) -> None:
    (root / "databricks.yml").write_text(f"bundle: {{name: b}}\n{text}", encoding="utf-8")


def test_a_script_runs_at_the_root_with_its_variables_and_the_local_workspace(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        "variables: {who: {default: ann}}\nscripts:\n  hello:\n"
        '    content: "echo $WHO, $DATABRICKS_HOST, $DATABRICKS_BUNDLE_TARGET > said; exit 3"\n'
        '    env: {WHO: "${var.who}"}\n',
    )
    bundle = load(tmp_path)
    assert bundle.problems == ()
    environment = site_of(tmp_path, []).environment
    assert run_script(bundle.scripts["hello"], bundle, environment) == 3
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert said == "ann, http://127.0.0.1:1, default\n"


def test_a_script_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    write(tmp_path, 'scripts: {s: {content: "false\\n\\ntouch never"}}\n')
    bundle = load(tmp_path)
    assert run_script(bundle.scripts["s"], bundle, {"PATH": "/usr/bin:/bin"}) == 1
    assert not (tmp_path / "never").exists()


def test_a_script_without_content_is_named(tmp_path: Path) -> None:
    write(tmp_path, "scripts: {s: {}}\n")
    bundle = load(tmp_path)
    with pytest.raises(LaketopError, match="the script 's' has no content"):
        run_script(bundle.scripts["s"], bundle, {})


def test_a_hook_says_its_lines_and_its_failure_is_told_with_its_last_words(tmp_path: Path) -> None:
    write(
        tmp_path,
        "experimental:\n  scripts:\n"
        "    prebuild: echo one $DATABRICKS_HOST\n    predeploy: echo no; exit 4\n",
    )
    said: list[str] = []
    bundle, site = load(tmp_path), site_of(tmp_path, said)
    assert not run_hook("postbuild", bundle, site)
    assert run_hook("prebuild", bundle, site)
    assert said == ["running the prebuild script", "one http://127.0.0.1:1"]
    with pytest.raises(LaketopError, match="the predeploy script ended with 4: no"):
        run_hook("predeploy", bundle, site)
