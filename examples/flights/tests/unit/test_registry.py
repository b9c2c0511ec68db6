"""How a model is told of its deployment job by registries that answer in words of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from flights import registry
from flights.parameters import Parameters

RUN = Parameters(catalog="prod", schema="flights", deployment_job="7")


class Registry(HTTPServer):
    """A registry that refuses to make a model, and keeps what it is asked to change."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.refusal = (0, "")
        self.changes: list[dict[str, Any]] = []


class Answers(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self._answer(200, {"registered_model": {"name": RUN.model}})

    def do_POST(self) -> None:
        self._asked()
        status, code = self.server.refusal
        self._answer(status, {"error_code": code, "message": "refused"})

    def do_PATCH(self) -> None:
        self.server.changes.append(self._asked())
        self._answer(200, {"registered_model": {"name": RUN.model}})

    def _asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return asked

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with Registry() as server:
        monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", "a-token")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    "refusal", [(400, "RESOURCE_ALREADY_EXISTS"), (409, "ALREADY_EXISTS")], ids=lambda one: one[1]
)
def test_a_model_that_is_there_already_is_given_the_job(
    served: Registry, refusal: tuple[int, str]
) -> None:
    served.refusal = refusal
    registry.connect(MlflowClient("databricks", "databricks-uc"), RUN)
    (change,) = served.changes
    assert (change["name"], change["deployment_job_id"]) == (RUN.model, "7")


def test_another_refusal_is_told(served: Registry) -> None:
    served.refusal = (403, "PERMISSION_DENIED")
    with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
        registry.connect(MlflowClient("databricks", "databricks-uc"), RUN)
    assert served.changes == []
