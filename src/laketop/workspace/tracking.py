"""MLflow's tracking store with a workspace's rules. Imports MLflow: load late."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking import SEARCH_MAX_RESULTS_DEFAULT
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from laketop.workspace import mlflow_database

ARTIFACT_ROOT = "dbfs:/databricks/mlflow-tracking"

# The store writes `<experiment>/models/<id>`, which clients of a workspace take for a run called
# "models"; a workspace says `logged_models`. The store reads the name from its own class.
SqlAlchemyStore.MODELS_FOLDER_NAME = "logged_models"


class TrackingStore(mlflow_database.Durable, SqlAlchemyStore):
    """Experiments, runs and logged models, named and placed as a workspace does."""

    def __init__(
        self,
        database: Path,
        *,
        folder_exists: Callable[[str], bool],
        made: Callable[[str], None],
    ) -> None:
        """Open the store in the SQLite file `database`, made by `mlflow_database.make`.

        `folder_exists(path)` says whether a folder is in the workspace's tree; `made` is told the
        id of each experiment that is made.
        """
        self._folder_exists = folder_exists
        self._made = made
        start: Any = super().__init__
        start(mlflow_database.address(database), ARTIFACT_ROOT)
        self.ManagedSessionMaker = _blaming_what_was_sent(self.ManagedSessionMaker)

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Any = None
    ) -> str:
        """Create an experiment at an absolute workspace path, in a folder that exists."""
        self._check_path(name)
        if artifact_location and not artifact_location.startswith("dbfs:/Volumes/"):
            raise MlflowException(
                f"Artifact location {artifact_location!r} is not supported: leave it out, or name "
                "a volume as in 'dbfs:/Volumes/catalog/schema/volume/folder'.",
                INVALID_PARAMETER_VALUE,
            )
        create: Any = super().create_experiment
        experiment_id = str(create(name, artifact_location, tags))
        self._made(experiment_id)
        return experiment_id

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Move an experiment to another absolute workspace path."""
        self._check_path(new_name)
        rename: Any = super().rename_experiment
        rename(experiment_id, new_name)

    def get_experiment(self, experiment_id: str) -> Any:
        """Return the experiment; a workspace has no default one."""
        get: Any = super().get_experiment
        try:
            return get(experiment_id)
        except MlflowException as error:
            if str(experiment_id) == "0":
                raise MlflowException(
                    "No experiment was found. If using the Python fluent API, you can set an "
                    "active experiment under which to create runs by calling "
                    "mlflow.set_experiment('/Users/<you>/<name>') at the start of your program.",
                    RESOURCE_DOES_NOT_EXIST,
                ) from error
            raise

    def search_experiments(
        self,
        view_type: Any = ViewType.ACTIVE_ONLY,
        max_results: Any = 0,
        filter_string: Any = None,
        order_by: Any = None,
        page_token: Any = None,
    ) -> Any:
        """Return a page of experiments, of as many as MLflow's client asks for unless told."""
        search: Any = super().search_experiments
        most = max_results or SEARCH_MAX_RESULTS_DEFAULT
        return search(view_type, most, filter_string, order_by, page_token)

    def _create_default_experiment(self, session: Any) -> None:
        """Create none: a run without an experiment is an error on Databricks."""

    def _check_path(self, name: str) -> None:
        parts = name.split("/")
        if parts[0] != "" or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts[1:]):
            raise MlflowException(
                f"Got an invalid experiment name {name!r}. An experiment name must be an absolute "
                "path within the workspace, e.g. '/Users/<some-username>/my-experiment'.",
                INVALID_PARAMETER_VALUE,
            )
        parent = "/".join(parts[:-1]) or "/"
        if not self._folder_exists(parent):
            raise MlflowException(
                f"Parent directory {parent} does not exist.", RESOURCE_DOES_NOT_EXIST
            )


_UNREADABLE = (ValueError, OverflowError, RecursionError)
"""What MLflow's readers of ids, filters and tokens raise, of which it makes internal errors."""


def _blaming_what_was_sent(sessions: Callable[..., Any]) -> Callable[..., Any]:
    """Return what opens sessions in which what cannot be read is the fault of who sent it."""

    @contextlib.contextmanager
    def session(**options: Any) -> Iterator[Any]:
        try:
            with sessions(**options) as opened:
                yield opened
        except MlflowException as error:
            if isinstance(error.__cause__, _UNREADABLE):
                text = f"What was sent cannot be read: {error.message}"
                raise MlflowException(text, INVALID_PARAMETER_VALUE) from error
            raise

    return session
