"""Who may do what with MLflow's experiments, and with the runs, models and traces in them."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from databricks.sdk.errors.platform import PermissionDenied
from flask import Request, Response
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from laketop.workspace.tracking import TrackingStore
    from laketop.workspace.workspace import Workspace

_READING = {
    *("get", "search", "list", "get-history", "get-by-name", "get-history-bulk"),
    *("batchGet", "batchGetInfos"),
}
_MANAGING = ("experiments/delete", "experiments/restore")
_LISTING = ("experiments/search", "experiments/list")
_FREE = ("experiments/create", *_LISTING)
_IDS = {
    **dict.fromkeys(("experiment_id", "experiment_ids"), "experiment"),
    **dict.fromkeys(("run_id", "run_ids", "run_uuid"), "run"),
    "model_id": "model",
    **dict.fromkeys(("trace_id", "trace_ids", "request_id", "request_ids"), "trace"),
}
"""What the fields of MLflow's requests name, at any depth."""
_FREE_FIELDS = {"models", "tags", "trace_metadata", "request_metadata"}
"""What is not looked into: models that a run only refers to, and names of the user's choice."""
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
            self._check_name(str(sent.get("name") or ""))
            return
        level = _level(request.method, name)
        if name not in _FREE:
            finders = [*self._finders(name, sent, request)]
            if not finders:
                raise PermissionDenied(f"The request {name} names no experiment to decide it by.")
            for find in finders:
                # What is not there is left to be not found.
                with contextlib.suppress(MlflowException):
                    self.require(str(find()), level)

    def require(self, experiment_id: str, level: str) -> None:
        """Let only callers pass who have a level on an experiment.

        Errors: PermissionDenied; MlflowException for an experiment that is not there.
        """
        name = str(self._tracking().get_experiment(experiment_id).name)
        if not self._allows(experiment_id, name, level):
            user = self._workspace.user
            raise PermissionDenied(
                f"User {user} does not have {level} permission on experiment {experiment_id}."
            )

    def sees(self, experiment_id: str, name: str) -> bool:
        """Tell whether the caller may read an experiment that is there."""
        return self._allows(experiment_id, name, "CAN_READ")

    def shown(self, request: Request, response: Response) -> Response:
        """Take from a list of experiments those that the caller may not see."""
        if not request.path.endswith(_LISTING) or self._workspace.is_admin:
            return response
        told = json.loads(response.get_data() or b"{}")
        found = told.get("experiments", [])
        told["experiments"] = [one for one in found if self.sees(one["experiment_id"], one["name"])]
        response.set_data(json.dumps(told))
        return response

    def _check_name(self, name: str) -> None:
        if name.startswith("/"):
            folder = name.rpartition("/")[0].removeprefix("/Workspace") or "/"
            self._workspace.permissions.require_path(folder, "CAN_EDIT")

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
        finds: Mapping[str, Callable[[str], Any]] = {
            "experiment": lambda found: found,
            "run": lambda found: store.get_run(found).info.experiment_id,
            "model": lambda found: store.get_logged_model(found).experiment_id,
            "trace": lambda found: store.get_trace_info(found).experiment_id,
        }
        named = dict.fromkeys([*_named(sent), *_named(request.view_args or {})])
        for kind, found in named:
            yield functools.partial(finds[kind], found)


def _named(sent: Any) -> Iterator[tuple[str, str]]:
    """Yield kind and id of all that a request names, however deep and in either spelling."""
    if isinstance(sent, list):
        for one in sent:
            yield from _named(one)
    if not isinstance(sent, dict):
        return
    for key, value in sent.items():
        name = _snake(key)
        kind = _IDS.get(name)
        values = value if isinstance(value, list) else [value]
        if kind is not None:
            yield from ((kind, str(one)) for one in values if one not in (None, ""))
        elif name not in _FREE_FIELDS:
            yield from _named(value)


def _snake(key: str) -> str:
    """Return the name of a field; protobuf takes `runId` for `run_id`."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


def _id_of(experiment: Any) -> str:
    if experiment is None:
        raise MlflowException("no such experiment")
    return str(experiment.experiment_id)


def _sent(request: Request) -> dict[str, Any]:
    """Return what MLflow's handlers act on: the query of a GET that has one, else the body alone.

    Errors: BadRequest for a body that is not read.
    """
    if request.method == "GET" and request.args:
        asked = request.args.lists()
        return {key: values if key in _IDS else values[0] for key, values in asked}
    return {_snake(key): value for key, value in request.get_json(force=True).items()}


def _level(method: str, name: str) -> str:
    if name in _MANAGING:
        return "CAN_MANAGE"
    is_read = method == "GET" or name.rpartition("/")[2] in _READING
    return "CAN_READ" if is_read else "CAN_EDIT"
