"""Bundles in the manner of public templates, run whole: by the command line and by the SDK."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from tests.integration.cli.conftest import run_laketop, states_of

from laketop.settings import Settings
from laketop.workspace import daemon

PROJECTS = Path(__file__).parents[3] / "fixtures" / "projects"
GOOD = "SUCCESS"
RUNS = {
    "default_python": (
        "default_python_job",
        {"notebook_task": GOOD, "python_wheel_task": GOOD},
    ),
    "default_sql": ("default_sql_job", {"orders_raw": GOOD, "orders_daily": GOOD}),
    "mlops_stack": (
        "model_training_job",
        {
            "Train": GOOD,
            "ModelValidation": GOOD,
            "IsGood": GOOD,
            "ModelDeployment": GOOD,
            "BatchInference": GOOD,
            "Rejected": "EXCLUDED",
        },
    ),
    "python_wheel": ("report_job", {"extract": GOOD, "summarise": GOOD, "script": GOOD}),
    "for_each": (
        "regions_job",
        {"list_regions": GOOD, "each_region": GOOD, "each_number": GOOD, "check": GOOD},
    ),
}
"""For each project the key of its job, and how its tasks end."""


@pytest.fixture
def state(laketop_project: Path) -> Path:
    """The state folder that every project here uses as well: one engine serves all."""
    settings = Settings.read(laketop_project)
    daemon.prepare(settings)
    return settings.state


@pytest.fixture
def project(request: pytest.FixtureRequest, state: Path, tmp_path: Path) -> Path:
    root = tmp_path / str(request.param)
    shutil.copytree(PROJECTS / request.param, root, ignore=shutil.ignore_patterns(".laketop"))
    (root / ".laketop").symlink_to(state)
    return root


def _client(project: Path) -> WorkspaceClient:
    contact = daemon.find(Settings.read(project))
    assert contact is not None
    return WorkspaceClient(host=contact.url, token=contact.token)


@pytest.mark.parametrize("project", sorted(RUNS), indirect=True)
def test_a_project_runs_whole_with_the_same_states_by_cli_and_sdk(project: Path) -> None:
    key, wanted = RUNS[project.name]
    said = run_laketop(project, "run", key, "--json")
    assert said.code == 0, said.err
    by_cli = json.loads(said.out)
    results = {task["task_key"]: task["state"]["result_state"] for task in by_cli["tasks"]}
    assert results == wanted

    client = _client(project)
    by_sdk = client.jobs.run_now(by_cli["job_id"]).result()
    assert states_of(by_sdk.as_dict()) == states_of(by_cli)
