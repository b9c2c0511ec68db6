"""MLflow's own request handlers over a workspace's store, as an ASGI app. Imports MLflow."""

from __future__ import annotations

import contextvars
import dataclasses
import functools
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import BadRequest, InvalidParameterValue
from databricks.sdk.errors.platform import NotImplemented as NotServed
from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from google.protobuf.json_format import (  # type: ignore[import-untyped]  # no stubs
    ParseDict,
    ParseError,
)
from mlflow.protos.service_pb2 import MlflowService
from mlflow.server import handlers
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from werkzeug.exceptions import HTTPException

from laketop.workspace import wire
from laketop.workspace.known import is_known

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from laketop.workspace.experiment_rights import ExperimentRights
    from laketop.workspace.tracking import TrackingStore

# What a workspace has of MLflow's routes. The others are of MLflow's own server: its gateway, its
# jobs, and the registry with stages, which Unity Catalog takes the place of.
_SERVED = re.compile(
    r"/api/2\.0/mlflow/(experiments|runs|metrics|logged-models|traces)(/.*)?"
    r"|/api/2\.0/mlflow/artifacts/list"
    r"|/api/3\.0/mlflow/traces(/.*)?"
)
_REFUSED = {"_not_implemented", "_link_prompts_to_trace"}

log = logging.getLogger("laketop.workspace")


@dataclasses.dataclass(frozen=True)
class Backend:
    """What MLflow's handlers work on: the stores, and where an artifact URI is on disk."""

    tracking: TrackingStore
    registry: Any
    """MLflow's own store of models, or what stands for it where none are shown."""
    folder_of: Callable[[str], Path]


_current: contextvars.ContextVar[Backend] = contextvars.ContextVar("mlflow backend")


def _artifacts_at(artifact_uri: str) -> ArtifactRepository:
    # The folder is there from the first artifact on; to list none is no error.
    return LocalArtifactRepository(str(_current.get().folder_of(artifact_uri)))


# The handlers find the store and the artifacts through these functions, which otherwise keep one
# store for the process and reach artifacts as a client would. Per request instead: several
# workspaces live in one process, and this one's artifacts are files next to it.
handlers._get_tracking_store = lambda *_: _current.get().tracking  # noqa: SLF001 - see above
handlers._get_model_registry_store = lambda *_: _current.get().registry  # noqa: SLF001
handlers._get_artifact_repo = lambda run: _artifacts_at(run.info.artifact_uri)  # noqa: SLF001
handlers._get_artifact_repository_for_uri = _artifacts_at  # noqa: SLF001


class _OneDecoder(DefaultJSONProvider):
    """Reads the bodies of MLflow's handlers as those of all other routes are read."""

    def loads(self, s: str | bytes, **_options: Any) -> dict[str, Any]:
        """Return the fields of a body, without those that are null. Errors: as `wire.fields_of`.

        In the JSON of protobuf null is a field that is not set; MLflow takes it for a value.
        """
        fields = wire.fields_of(s.encode() if isinstance(s, str) else s)
        return {name: value for name, value in fields.items() if value is not None}


def tracking_routes() -> Iterator[tuple[str, Callable[..., Any], list[str]]]:
    """Yield path, handler and methods of every tracking route that a workspace has."""
    endpoints: Any = handlers.get_service_endpoints
    for path, handler, methods in endpoints(MlflowService, _checked):
        if _SERVED.fullmatch(path) and handler.__name__ not in _REFUSED:
            yield path, handler, methods
        if path == "/api/2.0/mlflow/experiments/search" and methods == ["GET"]:
            yield "/api/2.0/mlflow/experiments/list", handler, methods  # of databricks-sdk alone


def _checked(asked: Callable[[], Any]) -> Callable[..., Any]:
    """Return MLflow's handler of a message; a body that is none is not its fault."""
    handler_of: Any = handlers.get_handler  # untyped
    handler: Callable[..., Any] = handler_of(asked)

    @functools.wraps(handler)
    def handle(*captures: Any, **named: Any) -> Any:
        try:
            return handler(*captures, **named)
        except Exception as error:
            problem = _misfit(asked())
            if problem is None:
                raise
            raise InvalidParameterValue(
                f"The request is not what this route takes: {problem}"
            ) from error

    return handle


def _misfit(asked: Any) -> str | None:
    sent = request.get_json(force=True) if request.method != "GET" else {}
    # To the letter: where names that are not known may stand, a text passes for a message.
    try:
        ParseDict(sent, asked)
    except (ParseError, TypeError, ValueError, AttributeError) as error:
        return str(error)[:500]
    return _no_object(sent, asked.DESCRIPTOR)


def _no_object(sent: Mapping[str, Any], message: Any) -> str | None:
    """Return which field of a message holds what is no object: an empty text or list is parsed."""
    for field in message.fields:
        kind = field.message_type
        if kind is None or kind.GetOptions().map_entry or kind.file.package == "google.protobuf":
            continue
        value = sent.get(field.name, sent.get(field.camelcase_name))
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            if not isinstance(one, dict):
                return f"{field.name} holds {json.dumps(one)[:100]}, which is no object."
            if (problem := _no_object(one, kind)) is not None:
                return problem
    return None


def app_of(
    routes: Iterable[tuple[str, Callable[..., Any], list[str]]],
    backend: Backend,
    rights: ExperimentRights | None = None,
) -> ASGIApp:
    """Return the app of the routes; errors of any kind are answered as JSON.

    `rights` are asked before each request.
    """
    flask = Flask("laketop.mlflow")
    flask.json = _OneDecoder(flask)
    flask.before_request(_check_body)
    flask.before_request(_name_the_model)
    if rights is not None:
        flask.before_request(lambda: rights.check(request))
        flask.after_request(lambda response: rights.shown(request, response))
    for path, handler, methods in routes:
        flask.add_url_rule(path, f"{methods} {path}", handler, methods=methods)
    flask.register_error_handler(HTTPException, _no_route)
    flask.register_error_handler(DatabricksError, _refused)
    flask.register_error_handler(RecursionError, _too_deep)
    flask.register_error_handler(Exception, _broken)

    def wsgi(environ: Any, start_response: Any) -> Any:
        token = _current.set(backend)
        try:
            return flask(environ, start_response)
        finally:
            _current.reset(token)

    app: Any = WSGIMiddleware(wsgi)
    return app  # type: ignore[no-any-return]  # a2wsgi types ASGI apart from Starlette


def _check_body() -> None:
    if request.method not in {"GET", "HEAD"} and request.get_data():
        wire.check_is_json(request.get_data(), request.content_type or "")
        request.get_json(force=True)  # Flask keeps it for the handler


def _name_the_model() -> None:
    """Add the logged model that the path names to the body, where MLflow's handlers look for it.

    MLflow's client sends it in both places, databricks-sdk in the path alone.
    """
    model_id = (request.view_args or {}).get("model_id")
    if model_id and request.method in {"PATCH", "POST"}:
        body = request.get_json(force=True, silent=True)  # cached, so that handlers see the change
        if isinstance(body, dict) and "modelId" not in body:
            body.setdefault("model_id", model_id)


def answer(text: str, status: int = 200) -> Response:
    """Return `text`, which is JSON, as Flask answers."""
    return Response(text, status, mimetype="application/json")


def _failure(code: str, message: str, status: int) -> Response:
    return answer(json.dumps({"error_code": code, "message": message}), status)


def _no_route(error: HTTPException) -> Response:
    if error.code in {404, 405}:
        name = f"{request.method} {request.path}"
        if is_known(name):
            return _refused(NotServed(f"laketop does not serve '{name}'."))
        return _failure("ENDPOINT_NOT_FOUND", "No API found at this path of MLflow's.", 404)
    return _failure("BAD_REQUEST", str(error.description), error.code or 400)


def _too_deep(_error: RecursionError) -> Response:
    # Texts inside of a body, which MLflow parses itself: filters, tokens of pages, JSON in JSON.
    return _refused(BadRequest("What was sent is nested too deep.", error_code="MALFORMED_REQUEST"))


def _refused(error: DatabricksError) -> Response:
    return answer(wire.encode_error(error).decode(), wire.status_of(error))


def _broken(error: Exception) -> Response:
    # The text of an error can hold what was sent: the log names the place alone.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    log.error("MLflow failed: %s at %s", type(error).__name__, place)
    return _failure("INTERNAL_ERROR", f"MLflow failed: {type(error).__name__}.", 500)
