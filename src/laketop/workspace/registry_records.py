"""What the registry keeps of a model and of a version, and the tables beside MLflow's own.

MLflow's tables hold models, versions, tags and aliases; these hold what Unity Catalog knows on
top: owners, logged models, digests and lineage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

PENDING = "PENDING_REGISTRATION"
READY = "READY"
FAILED = "FAILED_REGISTRATION"

tables = sa.MetaData()
models = sa.Table(
    "laketop_registered_models",
    tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("deployment_job_id", sa.String),
)
versions = sa.Table(
    "laketop_model_versions",
    tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("model_id", sa.String),
    sa.Column("run_tracking_server_id", sa.String),
    sa.Column("dependencies", sa.JSON),
    sa.Column("created_by", sa.JSON),
    sa.Column("files", sa.JSON),
)
lineage = sa.Table(
    "laketop_model_lineage",
    tables,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("direction", sa.String, primary_key=True),
    sa.Column("entities", sa.String, primary_key=True),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """A model by its three-part name. Units: times in ms since 1970, UTC."""

    name: str
    owner: str
    created_ms: int
    updated_ms: int
    description: str | None = None
    deployment_job_id: str | None = None
    aliases: Mapping[str, int] = dataclasses.field(default_factory=dict)
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One version of a model. Units: times in ms since 1970, UTC; versions count from 1."""

    name: str
    version: int
    owner: str
    created_ms: int
    updated_ms: int
    source: str
    status: str
    status_message: str | None = None
    description: str | None = None
    run_id: str | None = None
    run_tracking_server_id: str | None = None
    model_id: str | None = None
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewVersion:
    """What a client says of the version that it is about to upload."""

    source: str
    run_id: str | None = None
    run_tracking_server_id: str | None = None
    model_id: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dependencies: tuple[Mapping[str, Any], ...] = ()
    created_by: Mapping[str, Any] | None = None
    """The lineage header: the notebook or job that registers, and the tables it read."""


def model_of(entity: Any, facts: Any) -> RegisteredModel:
    """Return a model from MLflow's entity and its row of `models`, None if it has none."""
    return RegisteredModel(
        name=entity.name,
        owner="" if facts is None else facts.owner,
        created_ms=int(entity.creation_timestamp),
        updated_ms=int(entity.last_updated_timestamp or entity.creation_timestamp),
        description=entity.description,
        deployment_job_id=None if facts is None else facts.deployment_job_id,
        aliases={alias: int(version) for alias, version in entity.aliases.items()},
        tags=dict(entity.tags),
    )


def version_of(entity: Any, facts: Any) -> ModelVersion:
    """Return a version from MLflow's entity and its row of `versions`, None if it has none."""
    return ModelVersion(
        name=entity.name,
        version=int(entity.version),
        owner=entity.user_id or "",
        created_ms=int(entity.creation_timestamp),
        updated_ms=int(entity.last_updated_timestamp or entity.creation_timestamp),
        source=entity.source,
        status=entity.status,
        status_message=entity.status_message,
        description=entity.description,
        run_id=entity.run_id or None,
        run_tracking_server_id=None if facts is None else facts.run_tracking_server_id,
        model_id=None if facts is None else facts.model_id,
        aliases=tuple(entity.aliases),
        tags=dict(entity.tags),
    )
