"""Names that a shell would run, quote or take for an option. Source: reliability S15."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.jobs import NotebookTask, RunResultState, SparkPythonTask, Task
from databricks.sdk.service.workspace import ImportFormat, Language
from tests.integration.workspace.test_jobs import _ended, _job, _result, _start
from tests.integration.workspace.test_repos import ME, commit, git
from tests.integration.workspace.test_repos import remote as remote  # noqa: PLC0414

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from laketop.workspace.workspace import Workspace

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

_MARK = "laketop-was-here"
NAMES = (
    f"$(touch {_MARK})",
    f"`touch {_MARK}`",
    f"' & touch {_MARK} & '",
    f'" && touch {_MARK} && "',
    f"| touch {_MARK}",
    "-rf",
    "--upload-pack=touch",
    "a b  c",
)


def test_a_path_with_a_semicolon_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(InvalidParameterValue, match="cannot be used"):
        client.workspace.mkdirs(f"/Shared/a; touch {_MARK} #")


def _nothing_ran(*folders: Path) -> None:
    for folder in (*folders, Path.cwd(), Path.home()):
        found = folder.rglob(_MARK) if folder in folders else folder.glob(_MARK)
        assert [*found] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_task_whose_file_is_called_so_runs_and_nothing_else_does(
    client: WorkspaceClient, workspace: Workspace, tmp_path: Path, name: str
) -> None:
    folder = f"/Shared/{name}"
    client.workspace.mkdirs(folder)
    source = base64.b64encode(b"dbutils.notebook.exit(dbutils.widgets.get('say'))").decode()
    client.workspace.import_(
        f"{folder}/{name}", content=source, language=Language.PYTHON, format=ImportFormat.SOURCE
    )
    said = tmp_path / "said"
    code = base64.b64encode(
        f"import sys\nopen({str(said)!r}, 'w').write(repr(sys.argv[1:]))\n".encode()
    ).decode()
    client.workspace.import_(f"{folder}/{name}.s.py", content=code, format=ImportFormat.RAW)
    notebook = NotebookTask(f"{folder}/{name}", base_parameters={"say": name})
    script = SparkPythonTask(f"/Workspace{folder}/{name}.s.py", parameters=[name, "-x"])
    tasks = [
        Task(task_key="n", notebook_task=notebook),
        Task(task_key="s", spark_python_task=script),
    ]
    run = _ended(client, _start(client, _job(client, *tasks)))
    assert _result(run) is RunResultState.SUCCESS
    ids = {task.task_key: task.run_id or 0 for task in run.tasks or []}
    output = client.jobs.get_run_output(ids["n"]).notebook_output
    assert output is not None
    assert output.result == name
    assert said.read_text(encoding="utf-8") == repr([name, "-x"])
    _nothing_ran(workspace.settings.root, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_git_folder_that_is_called_so_is_cloned_and_nothing_else_happens(
    client: WorkspaceClient, workspace: Workspace, remote: Path, tmp_path: Path, name: str
) -> None:
    commit(remote, f"{name}/f.txt", "1")
    path = f"/Repos/{ME}/{name}"
    made = client.repos.create(remote.as_uri(), "gitHub", path=path)
    try:
        assert (workspace.state / "files" / path[1:] / name / "f.txt").is_file()
        branch = name.replace(" ", "_").strip("-")
        if not any(mark in branch for mark in ("$", "`", ";", "'", '"', "|", "--")):
            git(remote, "branch", branch)
            client.repos.update(made.id or 0, branch=branch)
            assert client.repos.get(made.id or 0).branch == branch
    finally:
        client.repos.delete(made.id or 0)
    _nothing_ran(workspace.settings.root, tmp_path)
