"""Calls of databricks-sdk and MLflow, against minilake and `mlflow server`; in turns, one client.

minilake, an emulator of the Databricks API over DuckDB (MIT), runs in an environment of its own,
whose Python MINILAKE_PYTHON names: `nox -s minilake` makes it. Without it only MLflow's calls are
compared, those with `mlflow server` alone: minilake serves none of them. It keeps its state in
memory unless told otherwise; laketop flushes each write to the disk before it answers, and its
SELECT runs on Spark.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import requests
from benchmarks.project import resident_megabytes, warm_project
from benchmarks.ratios import judge, run
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.jobs import NotebookTask, Task
from databricks.sdk.service.sql import StatementState
from databricks.sdk.service.workspace import ImportFormat, Language
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from laketop.engine.local import free_port
from laketop.settings import Settings
from laketop.workspace import daemon

BUNDLE = "bundle: {name: bench}\ntargets: {dev: {default: true}}\n"
BODY = secrets.token_bytes(100_000)
SOURCE = base64.b64encode(b"# Databricks notebook source\nprint(1)\n").decode()
CATALOG, SCHEMA = "bench", "bench.calls"
VOLUME = "/Volumes/bench/calls/files"


def in_turns(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int
) -> None:
    """Tell the ratios of the medians and of the 99th percentiles; the goal is 1 for both."""
    took: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for act in (ours, theirs):
        act()
    for number in range(rounds):
        for act in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            began = time.perf_counter()
            act()
            took[act].append((time.perf_counter() - began) * 1000)
    for what, of in (("p50", statistics.median), ("p99", _p99)):
        mine, other = of(took[ours]), of(took[theirs])
        told = f"{mine:.1f} ÷ {other:.1f} ms, {rounds} rounds"
        judge(f"{name}: ratio of {what}", mine / other, goal=1, told=told)


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[min(len(took) - 1, int(len(took) * 0.99))]


@contextlib.contextmanager
def program(*order: str, health: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a server, once its address answers."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            order,
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server,
    ):
        try:
            while server.poll() is None:
                with contextlib.suppress(OSError), urllib.request.urlopen(health):  # noqa: S310 - loopback
                    break
                time.sleep(0.005)
            else:
                raise RuntimeError(f"{order[0]} did not come up")
            yield server
        finally:
            server.terminate()


class Calls:
    """The calls that are compared, of one client."""

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client
        client.catalogs.create(CATALOG)
        client.schemas.create("calls", CATALOG)
        client.volumes.create(CATALOG, "calls", "files", VolumeType.MANAGED)
        client.workspace.mkdirs("/Shared/bench")
        tasks = [Task(task_key="t", notebook_task=NotebookTask("/Shared/bench/nb"))]
        self._job = client.jobs.create(name="j", tasks=tasks).job_id or 0
        warehouses = list(client.warehouses.list())
        if not warehouses:
            client.warehouses.create(name="w")
            warehouses = list(client.warehouses.list())
        self._warehouse = warehouses[0].id or ""
        self.sql(f"CREATE TABLE {SCHEMA}.t (id INT)")

    def sql(self, text: str) -> None:
        """Run a statement to its end."""
        told = self._client.statement_execution.execute_statement(
            text, self._warehouse, wait_timeout="50s"
        )
        if told.status is None or told.status.state is not StatementState.SUCCEEDED:
            raise RuntimeError(f"{text}: {told.status}")

    def by_name(self) -> dict[str, tuple[Callable[[], object], int]]:
        """Return each call, and how many times it is made."""
        client = self._client
        put = functools.partial(_put, client, requests.Session())
        kept: dict[str, Any] = {
            "format": ImportFormat.SOURCE,
            "language": Language.PYTHON,
            "overwrite": True,
        }
        return {
            "job get": (lambda: client.jobs.get(self._job), 300),
            "file put of 100 kB": (put, 300),
            "notebook import": (
                lambda: client.workspace.import_("/Shared/bench/nb", content=SOURCE, **kept),
                300,
            ),
            "table get": (lambda: client.tables.get(f"{SCHEMA}.t"), 300),
            "SELECT 1": (lambda: self.sql("SELECT 1"), 60),
        }


def _put(client: WorkspaceClient, session: requests.Session) -> None:
    answer = session.put(
        f"{client.config.host}/api/2.0/fs/files{VOLUME}/file?overwrite=true",
        data=BODY,
        headers={"Authorization": f"Bearer {client.config.token}"},
        timeout=60,
    )
    answer.raise_for_status()


def against_minilake(contact: daemon.Contact, python: str) -> None:
    """Compare the calls of databricks-sdk."""
    port = free_port()
    theirs = f"http://127.0.0.1:{port}"
    order = (str(Path(python).with_name("minilake")), "--port", str(port))
    with (
        tempfile.TemporaryDirectory() as data,
        program(
            *order,
            health=f"{theirs}/_minilake/health",
            MINILAKE_DATA_DIR=str(Path(data).resolve()),
            MINILAKE_NOTEBOOK="0",
        ) as server,
    ):
        print(f"memory at rest of minilake: {resident_megabytes(server.pid):.0f} MB")
        ours = Calls(WorkspaceClient(host=contact.url, token=contact.token)).by_name()
        other = Calls(WorkspaceClient(host=theirs, token="dev")).by_name()  # noqa: S106 - theirs
        for name, (act, rounds) in ours.items():
            in_turns(f"{name} ÷ minilake", act, other[name][0], rounds=rounds)
        answer = requests.post(
            f"{theirs}/api/2.0/mlflow/experiments/create", json={"name": "/Shared/e"}, timeout=60
        )
        print(f"MLflow's calls ÷ minilake: not measured, it answers them {answer.status_code}")


class Logging:
    """MLflow's calls, to one server."""

    def __init__(self, tracking: str, registry: str, experiment: str, model: str) -> None:
        self._uris, self._model = (tracking, registry), model
        self._client = MlflowClient(tracking_uri=tracking, registry_uri=registry)
        self._experiment = self._client.create_experiment(experiment)
        self._run = self._client.create_run(self._experiment).info.run_id

    def metric(self) -> None:
        """Log a metric."""
        self._client.log_metric(self._run, "m", 0.5)

    def register(self) -> None:
        """Log a model, and register it."""
        mlflow.set_tracking_uri(self._uris[0])
        mlflow.set_registry_uri(self._uris[1])
        features = np.arange(8.0).reshape(4, 2)
        model = LinearRegression().fit(features, features[:, 0])
        with mlflow.start_run(experiment_id=self._experiment):
            mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name=self._model,
                signature=infer_signature(features, features[:, 0]),
                pip_requirements=["scikit-learn"],
                serialization_format="cloudpickle",
            )


def against_mlflow_server(contact: daemon.Contact) -> None:
    """Compare MLflow's calls."""
    os.environ["DATABRICKS_HOST"], os.environ["DATABRICKS_TOKEN"] = contact.url, contact.token
    port = free_port()
    theirs = f"http://127.0.0.1:{port}"
    order = (sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1")
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with program(
        *(*order, "--backend-store-uri", "sqlite:///mlflow.db"),
        health=f"{theirs}/health",
        **quiet,
    ):
        ours = Logging("databricks", "databricks-uc", "/Shared/bench-mlflow", f"{SCHEMA}.m")
        other = Logging(theirs, theirs, "bench-mlflow", "m")
        in_turns("log_metric ÷ mlflow server", ours.metric, other.metric, rounds=200)
        in_turns("log_model + register ÷ mlflow server", ours.register, other.register, rounds=9)


def start() -> None:
    """Print the time from `laketop up` to the first stored file, and the memory at rest."""
    took = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="laketop-bench-") as folder:
            (Path(folder) / "databricks.yml").write_text(BUNDLE, encoding="utf-8")
            settings = Settings.read(Path(folder))
            began = time.perf_counter()
            contact = daemon.start(settings)
            try:
                served = time.perf_counter()
                answer = requests.post(
                    f"{contact.url}/api/2.0/workspace-files/import-file/Shared%2Ff",
                    data=BODY,
                    headers={"Authorization": f"Bearer {contact.token}"},
                    timeout=60,
                )
                answer.raise_for_status()
                took.append((time.perf_counter() - began, time.perf_counter() - served))
                memory = resident_megabytes(contact.pid)
            finally:
                daemon.stop(settings)
    whole, stored = (statistics.median(each) * 1000 for each in zip(*took, strict=True))
    told = f"{whole:.0f} ms with the start of the process and what it imports"
    judge("from the first answer to the first stored file, ms", stored, goal=300, told=told)
    judge("memory at rest, MB", memory, goal=250)


def main() -> None:
    """Print the ratios."""
    start()
    with warm_project(BUNDLE, {}) as (_, contact):
        python = os.environ.get("MINILAKE_PYTHON")
        if python:
            against_minilake(contact, python)
        else:
            client = WorkspaceClient(host=contact.url, token=contact.token)
            client.catalogs.create(CATALOG)
            client.schemas.create("calls", CATALOG)
        against_mlflow_server(contact)


if __name__ == "__main__":
    run(main)
