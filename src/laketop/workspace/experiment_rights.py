"""Who may do what with MLflow's experiments, and with the runs, models and traces in them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import PermissionDenied
from flask import Request, Response
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from laketop.workspace.tracking import TrackingStore
    from laketop.workspace.workspace import Workspace

_READING = ("get", "search", "list", "get-history", "get-by-name", "get-history-bulk", "batchGet")
_MANAGING = ("experiments/delete", "experiments/restore")
_FREE = ("experiments/create", "experiments/search")
_FOLDER_LEVELS = {"CAN_READ": "CAN_READ", "CAN_EDIT": "CAN_EDIT", "CAN_MANAGE": "CAN_MANAGE"}


class ExperimentRights:
    """Asked before every request to MLflow's handlers by a caller who is no admin.

    What holds for an experiment holds for all that is in it; what holds for the folder that an
    experiment's name lies in holds for the experiment. Source: the access control page of
    Databricks' documentation for MLflow experiments.
    """

    def __init__(self, workspace: Workspace, tracking: Callable[[], TrackingStore]) -> None:
        self._workspace = workspace
        self._tracking = tracking

    def check(self, request: Request) -> None:
        """Let a request pass. Errors: PermissionDenied."""
        if self._workspace.is_admin or request.url_rule is None:
            return
        name = request.path.partition("/mlflow/")[2]
        sent = _sent(request)
        if name == "experiments/create":
            self._check_name(str(sent.get("name", "")))
            return
        level = _level(request.method, name)
        if name not in _FREE:
            finders = [*self._finders(name, sent, request)]
            if not finders:
                raise PermissionDenied(f"The request {name} names no experiment to decide it by.")
            for find in finders:
                # What is not there is left to be not found.
                with contextlib.suppress(MlflowException):
                    self._require(str(find()), level)

    def shown(self, request: Request, response: Response) -> Response:
        """Take from a list of experiments those that the caller may not see."""
        if not request.path.endswith("/experiments/search") or self._workspace.is_admin:
            return response
        told = json.loads(response.get_data() or b"{}")
        found = told.get("experiments", [])
        told["experiments"] = [
            one for one in found if self._allows(one["experiment_id"], one["name"], "CAN_READ")
        ]
        response.set_data(json.dumps(told))
        return response

    def _check_name(self, name: str) -> None:
        if name.startswith("/"):
            folder = name.rpartition("/")[0].removeprefix("/Workspace") or "/"
            self._workspace.permissions.require_path(folder, "CAN_EDIT")

    def _require(self, experiment_id: str, level: str) -> None:
        name = str(self._tracking().get_experiment(experiment_id).name)
        if not self._allows(experiment_id, name, level):
            user = self._workspace.user
            raise PermissionDenied(
                f"User {user} does not have {level} permission on experiment {experiment_id}."
            )

    def _allows(self, experiment_id: str, name: str, level: str) -> bool:
        permissions = self._workspace.permissions
        if permissions.allows("experiments", experiment_id, level):
            return True
        path = name.removeprefix("/Workspace")
        return path.startswith("/") and bool(permissions.allows_path(path, _FOLDER_LEVELS[level]))

    def _finders(
        self, name: str, sent: dict[str, Any], request: Request
    ) -> Iterator[Callable[[], Any]]:
        """Yield what returns the ids of the experiments that a request is about."""
        store: Any = self._tracking()  # untyped in places
        if name == "experiments/get-by-name":
            yield lambda: _id_of(store.get_experiment_by_name(str(sent.get("experiment_name"))))
        for experiment_id in _named(sent):
            yield lambda found=experiment_id: found  # type: ignore[misc]  # of a loop
        places: dict[str, Any] = {**sent, **(request.view_args or {})}
        run_id = places.get("run_id") or places.get("run_uuid")
        model_id, trace_id = places.get("model_id"), places.get("trace_id")
        if run_id:
            yield lambda: store.get_run(str(run_id)).info.experiment_id
        if model_id:
            yield lambda: store.get_logged_model(str(model_id)).experiment_id
        if trace_id or places.get("request_id"):
            trace = str(trace_id or places.get("request_id"))
            yield lambda: store.get_trace_info(trace).experiment_id


def _named(sent: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of experiments that the fields of a request hold."""
    for key in ("experiment_id", "experiment_ids"):
        value = sent.get(key)
        yield from (str(one) for one in (value if isinstance(value, list) else [value]) if one)
    nested = [*(sent.get("locations") or ()), (sent.get("trace") or {})]
    for one in nested:
        info = one.get("trace_info", one) if isinstance(one, dict) else {}
        location = info.get("trace_location", info) if isinstance(info, dict) else {}
        found = location.get("mlflow_experiment") if isinstance(location, dict) else None
        if isinstance(found, dict) and found.get("experiment_id"):
            yield str(found["experiment_id"])


def _id_of(experiment: Any) -> str:
    if experiment is None:
        raise MlflowException("no such experiment")
    return str(experiment.experiment_id)


def _sent(request: Request) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for key in request.args:
        values = request.args.getlist(key)
        sent[key] = values if key == "experiment_ids" else values[0]
    body = request.get_json(silent=True)
    return {**sent, **body} if isinstance(body, dict) else sent


def _level(method: str, name: str) -> str:
    if name in _MANAGING:
        return "CAN_MANAGE"
    is_read = method == "GET" or name.rpartition("/")[2] in _READING
    return "CAN_READ" if is_read else "CAN_EDIT"
