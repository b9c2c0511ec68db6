"""The parameters of a run, as the job hands them to each task."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from flights.months import span


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What one run works on. Months are text, "2013-04"; `origin` empty means every airport.

    `model_name` and `model_version` are told to a deployment job by the registry; the run then
    works in that model's schema. `deployment_job` is the id of that job, where it is to be told.
    """

    catalog: str = "dev"
    schema: str = "flights"
    experiment: str = ""
    endpoint: str = ""
    git_commit: str = ""
    origin: str = ""
    first_month: str = "2013-01"
    train_through: str = "2013-03"
    last_month: str = "2013-12"
    drift_threshold: str = "0.07"
    replay: str = "false"
    refresh: str = "batch"
    trials: str = "2"
    search_seconds: str = "20"
    approval_required: str = "false"
    approval_seconds: str = "3600"
    advisories: str = ""
    reproduction_required: str = "false"
    environment_required: str = "false"
    leak_lag_hours: str = "0"
    deployment_job: str = ""
    model_name: str = ""
    model_version: str = ""
    run: str = ""
    retraining_run: str = ""
    retrain_through: str = ""

    @property
    def full_schema(self) -> str:
        """Catalog and schema, as SQL names them."""
        return f"{self.catalog}.{self.schema}"

    @property
    def model(self) -> str:
        """The registered model."""
        return self.table("delay")

    @property
    def leak_lag(self) -> timedelta | None:
        """How much earlier features are looked up too, to see what they tell fade; None: not."""
        return timedelta(hours=float(self.leak_lag_hours)) or None

    @property
    def retraining(self) -> bool:
        """Whether this run trains anew because of drift."""
        return bool(self.retrain_through)

    @property
    def through(self) -> str:
        """The last month to learn from."""
        return self.retrain_through or self.train_through

    @property
    def training_months(self) -> tuple[str, ...]:
        """The months to learn from."""
        return span(self.first_month, self.through)

    @property
    def run_name(self) -> str:
        """The job run that figures are kept under."""
        return self.run or self.retraining_run

    @property
    def starts_over(self) -> bool:
        """Whether what earlier runs have promoted is forgotten first."""
        return self.replay == "true" and not self.retraining

    def table(self, name: str) -> str:
        """Return the full name of a table of this run."""
        return f"{self.full_schema}.{name}"


def read(arguments: Sequence[str] | None = None) -> Parameters:
    """Return the parameters among `--name=value` arguments, by default those of the process.

    A job hands every parameter to every task, so names that are not known here are passed over.
    Errors: ValueError for an argument of another form.
    """
    given: dict[str, str] = {}
    for argument in sys.argv[1:] if arguments is None else arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if not equals or not argument.startswith("--"):
            raise ValueError(f"the argument {argument!r} is not of the form --name=value")
        given[name] = value
    return from_mapping(given)


def from_mapping(given: Mapping[str, str]) -> Parameters:
    """Return the parameters among `given`; names that are not known here are passed over."""
    known = {field.name for field in fields(Parameters)}
    found = Parameters(**{name: value for name, value in given.items() if name in known})
    match found.model_name.split("."):
        case [catalog, schema, _]:
            return replace(found, catalog=catalog, schema=schema)
    return found
