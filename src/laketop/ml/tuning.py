"""A search of hyper-parameters under a budget: Optuna's trials, each a child run of MLflow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from laketop.errors import LaketopError
from laketop.ml.tracking import CODE_VERSION

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Budget:
    """When a search ends: after `trials`, or when `seconds` are over, whichever is first.

    The trial that runs when time is up is finished.
    """

    trials: int
    seconds: float = float("inf")

    def __post_init__(self) -> None:
        """Refuse a budget in which nothing can be tried."""
        if self.trials < 1 or not self.seconds > 0:
            raise ValueError(f"a budget of {self.trials} trials, {self.seconds} s tries nothing")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found: the best parameters, their value, and what each trial came to."""

    parameters: Mapping[str, Any]
    value: float
    tried: tuple[float, ...] = field(default_factory=tuple)


def search(
    objective: Callable[[Mapping[str, Any]], float],
    space: Callable[[optuna.Trial], Mapping[str, Any]],
    *,
    budget: Budget,
    first: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Found:
    """Return the parameters with the least `objective`, which is asked once a trial.

    `space` draws parameters from a trial; `first` is tried first, so that the search never
    returns anything worse. Each trial is a child run of the active MLflow run with its parameters
    and `objective`. With the same seed and a budget of trials alone the same trials are made.
    Errors: LaketopError when Optuna is not installed, ValueError when no trial came to a number.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise LaketopError("Optuna is not installed", hint="pip install optuna") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    began = time.monotonic()
    tried: list[tuple[dict[str, Any], float]] = []
    tags = _carried()
    while len(tried) < budget.trials and (not tried or time.monotonic() - began < budget.seconds):
        drawn = None if tried or first is None else dict(first)
        trial = None if drawn is not None else study.ask()
        parameters = drawn if drawn is not None else dict(space(trial))  # type: ignore[arg-type]
        value = _tried(objective, parameters, number=len(tried), tags=tags)
        if trial is not None and math.isnan(value):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif trial is not None:
            study.tell(trial, value)
        tried.append((parameters, value))
    known = [pair for pair in tried if not math.isnan(pair[1])]
    if not known:
        raise ValueError(f"none of {len(tried)} trials came to a number")
    parameters, value = min(known, key=lambda pair: pair[1])
    return Found(parameters=parameters, value=value, tried=tuple(v for _, v in tried))


def _carried() -> dict[str, str]:
    """Return what child runs have of the active run's tags: the commit of the code."""
    import mlflow

    parent = mlflow.active_run()
    known = {} if parent is None else mlflow.get_run(parent.info.run_id).data.tags
    return {CODE_VERSION: known[CODE_VERSION]} if CODE_VERSION in known else {}


def _tried(
    objective: Callable[[Mapping[str, Any]], float],
    parameters: Mapping[str, Any],
    *,
    number: int,
    tags: dict[str, str],
) -> float:
    import mlflow

    parent = mlflow.active_run()
    if parent is None:
        return float(objective(parameters))
    place = parent.info.experiment_id  # which need not be the one that new runs go to
    with mlflow.start_run(run_name=f"trial {number}", nested=True, experiment_id=place, tags=tags):
        mlflow.log_params(dict(parameters))
        value = float(objective(parameters))
        mlflow.log_metric("objective", value)
    return value
