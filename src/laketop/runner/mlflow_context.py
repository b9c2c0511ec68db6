"""MLflow in a task: the notebook's own experiment, and models in UDFs of Spark."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from laketop.shims.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_PROVIDER = "mlflow.tracking.default_experiment.databricks_notebook_experiment_provider"


def use_notebook_experiment(name: Callable[[], str]) -> None:
    """Let MLflow's default experiment be the one of this name, which is asked for when needed.

    MLflow itself asks the server to create it each time, which only a second run notices.
    """
    after_import(_PROVIDER, functools.partial(_get_or_create, name))


def share_models_with_workers() -> None:
    """Let `mlflow.pyfunc.spark_udf` load a model from where the task has downloaded it.

    The workers of Spark are on this machine. Over Spark Connect MLflow would have each of them
    download it from the registry, to which they have no credentials.
    """
    after_import("mlflow.pyfunc", _load_from_disk)


def _load_from_disk(module: ModuleType) -> None:
    name = "is_spark_connect_mode"  # asked by `spark_udf` alone
    setattr(module, name, lambda: False)


def _get_or_create(name: Callable[[], str], module: ModuleType) -> None:
    @functools.cache
    def experiment_id() -> Any:
        client = module.MlflowClient()
        path = name()
        known = client.get_experiment_by_name(path)
        return client.create_experiment(path) if known is None else known.experiment_id

    def get_experiment_id(_provider: object) -> Any:
        return experiment_id()

    module.DatabricksNotebookExperimentProvider.get_experiment_id = get_experiment_id
