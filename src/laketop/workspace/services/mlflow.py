"""MLflow's tracking: experiments, runs and logged models, served by MLflow's own handlers."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from databricks.sdk.errors.platform import InternalError, NotFound

from laketop.workspace.lake import Lake
from laketop.workspace.model_rights import ModelRights
from laketop.workspace.paths import located
from laketop.workspace.service import Service, mount

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from laketop.workspace.experiment_rights import ExperimentRights
    from laketop.workspace.mlflow_app import Backend
    from laketop.workspace.registry import Registry
    from laketop.workspace.workspace import Workspace

_TRACKING_ROOT = "dbfs:/databricks/mlflow-tracking/"
_VOLUMES_ROOT = "dbfs:/Volumes/"
_ARTIFACTS = "/WorkspaceInternal/Mlflow/Artifacts"
_LOGGED_MODELS = "logged_models"

log = logging.getLogger("laketop.workspace")

# Read by MLflow when it is imported. A server of MLflow's own would call home, and would check
# hosts and origins, which the workspace has done before it asks MLflow.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
}


@dataclasses.dataclass(frozen=True)
class Parts:
    """What MLflow gives once it is imported."""

    backend: Backend
    registry: Registry


class Mlflow(Service):
    """Experiments, runs, logged models and traces; also the owner of MLflow's database."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._loading = threading.Lock()
        self._parts: Parts | None = None
        self._pages: dict[bool, ASGIApp] = {}

    @mount("/api/2.0/mlflow", "/api/3.0/mlflow")
    def tracking(self) -> ASGIApp:
        """Return MLflow's handlers."""
        backend = self.parts().backend
        from laketop.workspace.mlflow_app import app_of, tracking_routes

        return app_of(tracking_routes(), backend, self.rights())

    def rights(self) -> ExperimentRights:
        """Return who may do what with experiments. Errors: as `parts`."""
        tracking = self.parts().backend.tracking
        from laketop.workspace.experiment_rights import ExperimentRights

        return ExperimentRights(self.workspace, lambda: tracking)

    def check_artifacts(self, experiment: Sequence[str], level: str) -> None:
        """Let only callers pass who have a level on the experiment that artifacts are of.

        `experiment` holds its id, or nothing for the place above all experiments, where admins
        alone may be. Errors: PermissionDenied; NotFound for an experiment that is not there.
        """
        if self.workspace.is_admin:  # for whom MLflow need not be loaded
            return
        if not experiment:
            self.workspace.require_admin()
        rights = self.rights()
        from mlflow.exceptions import MlflowException

        try:
            rights.require(experiment[0], level)
        except MlflowException as error:
            raise NotFound(f"The experiment {experiment[0][:100]!r} does not exist.") from error

    def parts(self) -> Parts:
        """Return MLflow's store and the registry over it.

        The first call imports MLflow and opens its database, which takes seconds; calls that
        come meanwhile wait for it. Not to be made inside a transaction.
        Errors: InternalError if that fails.
        """
        with self._loading:
            if self._parts is None:
                try:
                    self._parts = self._load()
                except Exception as error:
                    log.exception("MLflow could not be loaded")
                    raise InternalError(
                        f"MLflow could not be loaded: {type(error).__name__}; see the log."
                    ) from error
            return self._parts

    def page(self) -> ASGIApp:
        """Return MLflow's own web page over the same stores; models are shown to admins alone.

        Errors: as `parts`.
        """
        backend = self.parts().backend
        is_admin = self.workspace.is_admin
        with self._loading:
            if is_admin not in self._pages:
                from laketop.workspace.mlflow_page import NoModels, page_of

                registry = backend.registry if is_admin else NoModels()
                self._pages[is_admin] = page_of(dataclasses.replace(backend, registry=registry))
            return self._pages[is_admin]

    def shutdown(self) -> None:
        """Close MLflow's database."""
        with self._loading:
            if self._parts is not None:
                from laketop.workspace import mlflow_database

                mlflow_database.close(self.workspace.state / "mlflow.db")

    def _load(self) -> Parts:
        os.environ.update(_ENVIRONMENT)
        from laketop.workspace import mlflow_database
        from laketop.workspace.mlflow_app import Backend
        from laketop.workspace.registry import Registry
        from laketop.workspace.tracking import TrackingStore

        database = self.workspace.state / "mlflow.db"
        mlflow_database.make(database)
        begin = functools.partial(self.workspace.permissions.begin, "experiments")
        tracking = TrackingStore(database, folder_exists=self._folder_exists, made=begin)
        if self.workspace.first is not self.workspace:  # models are of the metastore
            registry = self.workspace.first.model_registry.registry
        else:
            registry = Registry(
                database,
                files=self.workspace.metastore / "models",
                schema_exists=self._schema_exists,
                now_ms=self.workspace.now_ms,
                allow=ModelRights(self.workspace).allow,
                told=self.workspace.webhooks.fire,
                problem_of=functools.partial(
                    Lake(self.workspace.metastore / "catalog").other_routine, "models"
                ),
            )
        return Parts(Backend(tracking, registry.store, self._folder_of), registry)

    def _schema_exists(self, catalog: str, schema: str | None) -> bool:
        folder = self.workspace.metastore / "catalog" / catalog
        return (folder if schema is None else folder / schema).is_dir()

    def _folder_exists(self, path: str) -> bool:
        names = path.removeprefix("/Workspace").strip("/").split("/")
        if names in ([""], ["Shared"], ["Users"], ["Users", self.workspace.user]):
            return True
        return self.workspace.state.joinpath("files", *names).is_dir()

    def _folder_of(self, uri: str) -> Path:
        """Return where the artifacts of a run, a trace or a logged model are on disk."""
        if uri.startswith(_VOLUMES_ROOT):
            return located(self.workspace.state, uri.removeprefix("dbfs:")).path
        experiment, owner, *rest = uri.removeprefix(_TRACKING_ROOT).split("/")
        names = [experiment, "Runs", owner, *rest]
        if owner == _LOGGED_MODELS:
            names = [experiment, "LoggedModels", *rest]
        return located(self.workspace.state, "/".join([_ARTIFACTS, *names])).path
