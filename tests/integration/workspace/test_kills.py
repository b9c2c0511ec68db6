"""What MLflow's routes have acknowledged is there after a kill, and what is there is whole."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow import MlflowClient
from tests.integration.workspace.forking import forking_server

# MLflow, and what it loads, warn of each other.
pytestmark = pytest.mark.filterwarnings("default")

MODEL = "main.default.delay"
MLMODEL = """\
flavors: {}
signature:
  inputs: '[{"type": "double", "name": "a"}]'
  outputs: '[{"type": "double"}]'
"""


@dataclasses.dataclass
class Acknowledged:
    """What the workspace has said to have written."""

    steps: dict[str, int] = dataclasses.field(default_factory=dict)
    """For each run, of how many steps there is a metric."""
    ready: list[int] = dataclasses.field(default_factory=list)
    """The versions of the model that were registered."""
    champion: int = 0
    """The version that the alias points at."""


class Sender:
    """Sends requests as MLflow's client does, but does not try again once nobody answers."""

    def __init__(self, host: str, token: str) -> None:
        self._host = host
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, **fields: Any) -> Any:
        return self._answer("POST", f"mlflow/{path}", json=fields).json()

    def put(self, path: str, content: str) -> None:
        self._answer("PUT", f"fs/files{path}", data=content)

    def _answer(self, method: str, path: str, **sent: Any) -> requests.Response:
        answer = self._session.request(method, f"{self._host}/api/2.0/{path}", timeout=60, **sent)
        assert answer.ok, answer.text
        return answer


def track(sender: Sender, acknowledged: Acknowledged) -> None:
    name = f"/Shared/{secrets.token_hex(4)}"
    experiment = sender.post("experiments/create", name=name)["experiment_id"]
    while True:
        made = sender.post("runs/create", experiment_id=experiment, start_time=1)
        run_id = made["run"]["info"]["run_id"]
        acknowledged.steps[run_id] = 0
        for step in range(3):
            metric = {"key": "auc", "value": step, "timestamp": 1, "step": step}
            sender.post("runs/log-metric", run_id=run_id, **metric)
            acknowledged.steps[run_id] += 1


def register(sender: Sender, acknowledged: Acknowledged) -> None:
    catalog = "unity-catalog"
    sender.post(f"{catalog}/registered-models/create", name=MODEL)
    while True:
        new = {"name": MODEL, "source": "dbfs:/somewhere"}
        made = sender.post(f"{catalog}/model-versions/create", **new)
        one = {"name": MODEL, "version": made["model_version"]["version"]}
        sender.put(f"/Models/{MODEL.replace('.', '/')}/{one['version']}/MLmodel", MLMODEL)
        sender.post(f"{catalog}/model-versions/finalize", **one)
        acknowledged.ready.append(int(one["version"]))
        sender.post(f"{catalog}/registered-models/alias", alias="champion", **one)
        acknowledged.champion = int(one["version"])


def until_the_kill(write: Callable[[Sender, Acknowledged], None], *given: Any) -> None:
    with contextlib.suppress(requests.RequestException):
        write(*given)


def test_a_kill_loses_no_run_metric_or_version_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged = Acknowledged()
    with forking_server(tmp_path, 2, "laketop.workspace.mlflow_app") as server:
        assert server.stdout is not None
        pid, port, token = server.stdout.readline().split()
        given = (Sender(f"http://127.0.0.1:{port}", token), acknowledged)
        writers = [
            threading.Thread(target=until_the_kill, args=(write, *given))
            for write in (track, register)
        ]
        for writer in writers:
            writer.start()
        while len(acknowledged.steps) < 5 or len(acknowledged.ready) < 2:
            assert all(writer.is_alive() for writer in writers)
            time.sleep(0.001)
        os.kill(int(pid), signal.SIGKILL)
        for writer in writers:
            writer.join()
        pid, port, token = server.stdout.readline().split()
        monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", token)
        check(MlflowClient("databricks", "databricks-uc"), acknowledged)
        os.kill(int(pid), signal.SIGKILL)


def check(client: MlflowClient, acknowledged: Acknowledged) -> None:
    for run_id, steps in acknowledged.steps.items():
        found = [metric.value for metric in client.get_metric_history(run_id, "auc")]
        # One that was written, but of which nobody heard any more, may be there.
        assert found in (list(range(steps)), list(range(steps + 1)))
    for version in acknowledged.ready:
        assert client.get_model_version(MODEL, str(version)).status == "READY"
    champion = client.get_model_version_by_alias(MODEL, "champion")
    assert int(champion.version) in {acknowledged.champion, acknowledged.ready[-1]}
