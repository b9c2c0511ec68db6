"""What comes before and after the registry acts, in any dialect. Imports MLflow: load late."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import BadRequest
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2

from laketop.ml.gates.approval import APPROVED_BY
from laketop.workspace import wire
from laketop.workspace.registry import Registry
from laketop.workspace.registry_records import READY, ModelVersion, NewVersion, RegisteredModel

LINEAGE_HEADER = "X-Databricks-Lineage-Identifier"


class Deployment(Protocol):
    """How the deployment job of a version stands."""

    job_id: int
    run_id: int | None
    run_state: str
    task: str


class Deployments(Protocol):
    """What starts jobs for new versions; see `services/model_deployments.py`."""

    def check(self, job_id: str) -> None:
        """Check that a job can deploy models. Errors: the SDK's InvalidParameterValue."""

    def connection(self, job_id: str | None) -> str:
        """Return how a model and its job stand, a word of MLflow's protocol."""

    def expect(self, name: str, version: int, job_id: str, user: str) -> None:
        """Write down that a version of `user` is about to open."""

    def opened(self, name: str, version: int) -> None:
        """Start the job of a version that has opened."""

    def failed(self, name: str, version: int) -> None:
        """Forget a version that did not open."""

    def of(self, name: str, version: int) -> Deployment | None:
        """Return how the job of a version stands, None where it has none."""


class Registrations:
    """The registry with deployment jobs, approvals and logged models around it.

    `caller` is the user who asks. Errors: MlflowException, as those of the registry.
    """

    def __init__(
        self,
        registry: Registry,
        logged_model: Callable[[str], Any | None],
        deployments: Deployments,
    ) -> None:
        """Act on `registry`; `logged_model(id)` returns MLflow's entity, None if unknown."""
        self.registry = registry
        self.logged_model = logged_model
        self.deployments = deployments

    def create_model(
        self,
        name: str,
        *,
        caller: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Create a model, whose deployment job is one that can deploy it."""
        self._check_job(deployment_job_id)
        return self.registry.create_model(
            name,
            owner=caller,
            description=description,
            tags=tags,
            deployment_job_id=deployment_job_id,
        )

    def update_model(
        self,
        name: str,
        *,
        description: str | None,
        deployment_job_id: str | None = None,
        owner: str | None = None,
    ) -> RegisteredModel:
        """Change description, deployment job or owner; None leaves as it is."""
        self._check_job(deployment_job_id)
        return self.registry.update_model(
            name, description=description, deployment_job_id=deployment_job_id, owner=owner
        )

    def create_version(self, name: str, new: NewVersion, *, caller: str) -> ModelVersion:
        """Make room for a version, which waits for its files."""
        if APPROVED_BY in new.tags:
            _check_approver(new.tags[APPROVED_BY], caller)
        if new.model_id and self.logged_model(new.model_id) is None:
            raise MlflowException(
                f"Logged model with ID '{new.model_id}' not found.",
                databricks_pb2.RESOURCE_DOES_NOT_EXIST,
            )
        return self.registry.create_version(name, new, owner=caller)

    def finalize_version(self, name: str, number: int, *, caller: str) -> ModelVersion:
        """Check a version's files, open it for use, and start the job that deploys it."""
        job_id = self.registry.model(name).deployment_job_id
        was_open = self.registry.version(name, number).status == READY
        if job_id and not was_open:
            self.deployments.expect(name, number, job_id, caller)
        try:
            version = self.registry.finalize_version(name, number)
        except MlflowException:
            self.deployments.failed(name, number)
            raise
        if self.deployments.of(name, number) is not None:
            self.deployments.opened(name, number)
        return version

    def set_version_tag(self, name: str, number: int, key: str, value: str, *, caller: str) -> None:
        """Set a version's tag; who approves a version says so in person."""
        if key == APPROVED_BY:
            _check_approver(value, caller)
        self.registry.set_version_tag(name, number, key, value)

    def change_version_tags(
        self, name: str, number: int, added: Mapping[str, str], removed: list[str], *, caller: str
    ) -> None:
        """Set and delete a version's tags, all or none, as `set_version_tag` does one."""
        if APPROVED_BY in added:
            _check_approver(added[APPROVED_BY], caller)
        self.registry.change_version_tags(name, number, added, removed)

    def _check_job(self, job_id: str | None) -> None:
        try:
            self.deployments.check(job_id or "")
        except DatabricksError as error:
            raise MlflowException(str(error), databricks_pb2.INVALID_PARAMETER_VALUE) from error


def lineage_of(header: str | None) -> dict[str, Any] | None:
    """Return what the header of a new version tells of who registers it, None without one.

    Source: MLflow's client, base64 of JSON. Errors: MlflowException for anything else.
    """
    if header is None:
        return None
    try:
        return wire.fields_of(base64.b64decode(header, validate=True))
    except (ValueError, BadRequest) as error:
        raise MlflowException(
            f"The header {LINEAGE_HEADER} is not base64 of a JSON object.",
            databricks_pb2.INVALID_PARAMETER_VALUE,
        ) from error


def _check_approver(value: str, caller: str) -> None:
    """Refuse a tag that says that somebody else than the caller has approved."""
    if value != caller:
        raise MlflowException(
            f"The tag {APPROVED_BY!r} tells who approves: {caller!r} cannot set it to {value!r}.",
            databricks_pb2.PERMISSION_DENIED,
        )
