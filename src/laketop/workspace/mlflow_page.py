"""MLflow's own web page over a workspace's stores, for looking alone. Imports MLflow: load late."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow.server
from flask import Response, send_from_directory
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.protos.model_registry_pb2 import ModelRegistryService
from mlflow.protos.service_pb2 import MlflowService
from mlflow.server import handlers
from mlflow.store.entities import PagedList

from laketop.workspace.mlflow_app import answer, app_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from laketop.workspace.mlflow_app import Backend

Rule = tuple[str, Callable[..., Any], list[str]]

_API = "/ajax-api/2.0/mlflow"
_READ = re.compile(
    r"/ajax-api/[23]\.0/mlflow/"
    r"(experiments|runs|metrics|artifacts|logged-models|traces|datasets|registered-models|model-versions)"
    r"(/.*)?"
)
_SEARCHES = frozenset(
    {
        "_search_experiments",
        "_search_runs",
        "_search_logged_models",
        "_search_traces_v3",
        "_search_evaluation_datasets_handler",
        "_batch_get_trace_infos",
        "_query_trace_metrics",
        "_calculate_trace_filter_correlation",
        "_get_latest_versions",
    }
)
"""Handlers that look something up although they are asked by POST."""

_BUILD = Path(mlflow.server.__file__).parent / "js" / "build"
_YEAR_SECONDS = 365 * 86_400


def page_of(backend: Backend) -> ASGIApp:
    """Return MLflow's page and what its scripts ask for; a change is refused, not made.

    What GraphQL has to offer are look-ups alone, its mutations too.
    """
    return app_of([*_reads(), *_extras(), *_files(), *_refusals()], backend)


class NoModels:
    """A registry in which nobody finds anything: for people whose rights on models are to be asked.

    The workspace's own page asks them; MLflow's handlers know of no rights.
    """

    def search_registered_models(self, *_: Any, **__: Any) -> PagedList[Any]:
        """Return no model."""
        return PagedList([], None)

    def search_model_versions(self, *_: Any, **__: Any) -> PagedList[Any]:
        """Return no version."""
        return PagedList([], None)

    def __getattr__(self, name: str) -> Any:
        raise MlflowException("Models are shown on the page of laketop.", PERMISSION_DENIED)


def _reads() -> Iterator[Rule]:
    endpoints: Any = handlers.get_service_endpoints
    for service in (MlflowService, ModelRegistryService):
        for path, handler, methods in endpoints(service, handlers.get_handler):
            if not _READ.fullmatch(path) or handler.__name__ == "_not_implemented":
                continue
            if methods == ["GET"] or handler.__name__ in _SEARCHES:
                yield path, handler, methods


def _extras() -> Iterator[Rule]:
    got: Any = handlers
    yield "/graphql", got._graphql, ["GET", "POST"]  # noqa: SLF001 - what MLflow's server serves
    yield "/get-artifact", got.get_artifact_handler, ["GET"]
    yield f"{_API}/metrics/get-history-bulk", got.get_metric_history_bulk_handler, ["GET"]
    bulk = f"{_API}/metrics/get-history-bulk-interval"
    yield bulk, got.get_metric_history_bulk_interval_handler, ["GET"]
    yield f"{_API}/experiments/search-datasets", got._search_datasets_handler, ["POST"]  # noqa: SLF001 - the same
    files = f"{_API}/logged-models/<model_id>/artifacts/files"
    yield files, got.get_logged_model_artifact_handler, ["GET"]
    yield f"{_API}/gateway-proxy", _no_gateway, ["GET"]
    yield "/ajax-api/3.0/mlflow/server-info", got._get_server_info, ["GET"]  # noqa: SLF001 - the same
    yield "/ajax-api/3.0/mlflow/ui-telemetry", got.get_ui_telemetry_handler, ["GET"]


def _no_gateway() -> Response:
    return answer(json.dumps({"endpoints": []}))


def _files() -> Iterator[Rule]:
    def index() -> Response:
        return send_from_directory(_BUILD, "index.html", max_age=0)

    def static(path: str) -> Response:
        return send_from_directory(_BUILD, path, max_age=_YEAR_SECONDS)

    yield "/", index, ["GET"]
    yield "/static-files/<path:path>", static, ["GET"]


def _refusals() -> Iterator[Rule]:
    def refused(path: str) -> Response:
        message = f"MLflow's page is only read here: '{path}' goes through a client, as in Python."
        return answer(json.dumps({"error_code": "PERMISSION_DENIED", "message": message}), 403)

    yield "/<path:path>", refused, ["POST", "PUT", "PATCH", "DELETE"]
