"""Models that predict apart: in an environment made of what they ask for.

MLflow makes environments for Spark's functions on Databricks and on a classic cluster; over the
Spark Connect of others it refuses. There the environment is made beside this process, by uv or
pip, and a model that forwards to a process in it takes the place of the model.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laketop.errors import LaketopError, Refused
from laketop.ml.environments import (
    StepFailed,
    built,
    python_of,
    requirements_of,
    uv_program,
    within,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local"
ENVIRONMENTS = (LOCAL, "virtualenv", "uv", "conda")
"""What `env_manager` may be. Source: `mlflow.pyfunc.spark_udf`."""

_LONGEST_SECONDS = 900.0
_FORWARDING = Path(__file__).with_name("forwarding.py")


def check(env_manager: str) -> None:
    """Raise ValueError for a name that MLflow does not know."""
    if env_manager not in ENVIRONMENTS:
        raise ValueError(f"env_manager is {env_manager!r}, none of {', '.join(ENVIRONMENTS)}")


def function(
    spark: SparkSession, model: Path, *, env_manager: str, name: str, given: Mapping[str, Any]
) -> Any:
    """Return Spark's function of the model in this folder, which predicts in its environment.

    `given` are other arguments of `mlflow.pyfunc.spark_udf`, `name` what errors call the model.
    Errors: Refused where neither MLflow nor laketop makes such an environment, LaketopError with
    the requirement when it cannot be built; MLflow's own.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    if env_manager != LOCAL:
        try:  # before it does anything else, MLflow tells whether it makes environments here
            return mlflow.pyfunc.spark_udf(spark, str(model), env_manager=env_manager, **given)
        except MlflowException as error:
            if "Spark Connect" not in str(error):
                raise
        model = _forwarding(model, env_manager, name)
    return mlflow.pyfunc.spark_udf(spark, str(model), env_manager=LOCAL, **given)


def _forwarding(model: Path, env_manager: str, name: str) -> Path:
    """Return the folder of a model that answers as `model` does in its own environment."""
    import mlflow
    from mlflow.models.model import Model

    asked = f"score_batch(env_manager={env_manager!r})"
    if env_manager == "conda":
        hint = "'virtualenv' makes an environment of the same requirements"
        raise Refused(f"{asked} over Spark Connect", hint=hint)
    if env_manager == "uv" and uv_program() is None:
        raise Refused(f"{asked} without uv", hint="install uv, or use 'virtualenv'")
    try:
        file = requirements_of(model)
        python = _python(_Asked(file.read_text(encoding="utf-8"), python_of(model), file))
    except (StepFailed, subprocess.TimeoutExpired) as failure:
        hint = "pip and uv have to reach what the model requires; 'local' scores without"
        raise LaketopError(f"{name!r} cannot be scored: {failure}", hint=hint) from None
    folder = _scratch("model") / "model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow misses in a model is nobody's matter here
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(_FORWARDING),
            model_config={"python": str(python), "model": str(model)},
            signature=Model.load(str(model)).signature,
            pip_requirements=["mlflow"],
        )
    return folder


@dataclass(frozen=True)
class _Asked:
    """What makes an environment; the file says the same wherever it lies."""

    text: str
    version: str
    file: Path = field(compare=False)


@functools.cache
def _python(asked: _Asked) -> Path:
    """Return the Python of an environment that is there as long as this process."""
    folder = _scratch("environment")
    try:
        return built(
            folder / "environment",
            asked.file,
            offline=False,
            step=within(_LONGEST_SECONDS),
            version=asked.version,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _scratch(what: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"laketop-{what}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
