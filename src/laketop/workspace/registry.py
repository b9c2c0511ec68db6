"""Unity Catalog's registry of models, over MLflow's own store. Imports MLflow: load late."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from databricks.sdk.errors.base import DatabricksError
from mlflow.entities import model_registry
from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    INVALID_STATE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlRegisteredModel,
    SqlRegisteredModelAlias,
)
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.validation import (
    _validate_model_version_tag,
    _validate_registered_model_tag,
    _validate_tag_name,
)

from laketop import durable
from laketop.workspace import mlflow_database, model_files
from laketop.workspace.model_names import alias_problem, name_problem, source_problem
from laketop.workspace.registry_events import Told
from laketop.workspace.registry_records import (
    FAILED,
    PENDING,
    READY,
    ModelVersion,
    NewVersion,
    RegisteredModel,
    lineage,
    model_of,
    models,
    tables,
    version_of,
    versions,
)

# MLflow's entities and checks have no types of their own.
_tag: Any = model_registry
_check_model_tag: Any = _validate_registered_model_tag
_check_version_tag: Any = _validate_model_version_tag
_check_key: Any = _validate_tag_name

PAGE = 100
LARGEST_PAGE = 1000


class RegistryStore(mlflow_database.Durable, SqlAlchemyStore):
    """MLflow's own store of registered models, opened durably."""


Allow = Callable[[str, str, str | None], None]
"""Is handed a right, the full name of a model and its owner, None without a model."""


class Registry:
    """The registered models of a metastore.

    Every method that writes holds one lock and commits one transaction, so that two clients that
    set one alias see one of the two values, whole. Errors: MlflowException with the code that
    Unity Catalog answers.
    """

    def __init__(
        self,
        database: Path,
        *,
        files: Path,
        schema_exists: Callable[[str, str | None], bool],
        now_ms: Callable[[], int],
        allow: Allow = lambda _right, _name, _owner: None,
        told: Told = lambda _event, _data: None,
        problem_of: Callable[[str], str | None] = lambda _name: None,
    ) -> None:
        """Open the registry in the SQLite file `database`, made by `mlflow_database.make`.

        The files of a version are at `files`/catalog/schema/model/version.

        `schema_exists(catalog, schema)` says whether a schema is there; with None as the
        schema, whether the catalog is. `allow` raises where the caller may not do what is asked.
        `told` is called after what a webhook may want to know of. `problem_of` returns why no
        new model can have a full name, None if one can.
        """
        store: Any = RegistryStore
        self._store = store(mlflow_database.address(database))
        self._files = files
        self._schema_exists = schema_exists
        self._now_ms = now_ms
        self._allow = allow
        self._told = told
        self._problem_of = problem_of
        self._writing = threading.Lock()
        tables.create_all(self._store.engine)

    @property
    def store(self) -> RegistryStore:
        """MLflow's own store under the rules here: for what only looks."""
        found: RegistryStore = self._store
        return found

    # Models

    def create_model(
        self,
        name: str,
        *,
        owner: str,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Create a model in a schema that exists."""
        self._check_name(name)
        self._check_schema(name)
        self._allow("CREATE MODEL", name, None)
        with self._writing:
            if self._model_or_none(name) is not None:
                raise MlflowException(
                    f"Registered Model (name={name}) already exists.", RESOURCE_ALREADY_EXISTS
                )
            problem = self._problem_of(name)
            if problem is not None:
                raise MlflowException(problem, INVALID_PARAMETER_VALUE)
            for key, value in (tags or {}).items():
                _check_model_tag(key, value)
            # The engine knows a model, on which SQL grants, by its folder.
            durable.make_folder(self._files.joinpath(*name.split(".")))
            # The owner goes first: without its model it says nothing, and the next create takes it.
            self._replace_model_facts(name, owner, deployment_job_id)
            self._store.create_registered_model(
                name,
                tags=[_tag.RegisteredModelTag(key, value) for key, value in (tags or {}).items()],
                description=description,
            )
            made = self.model(name)
        tagged = {"tags": dict(tags or {}), "description": description}
        self._told("registered_model.created", {"name": name, **tagged})
        return made

    def model(self, name: str) -> RegisteredModel:
        """Return the model with its aliases and tags."""
        self._allow("READ", name, self.owner_of(name))
        self._check_name(name)
        found = self._model_or_none(name)
        if found is None:
            raise MlflowException(
                f"Registered Model with name={name} not found", RESOURCE_DOES_NOT_EXIST
            )
        return found

    def update_model(
        self,
        name: str,
        *,
        description: str | None,
        deployment_job_id: str | None = None,
        owner: str | None = None,
    ) -> RegisteredModel:
        """Change the description, the deployment job or the owner; None leaves as it is."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            before = self.model(name)
            if description is not None:
                self._store.update_registered_model(name, description)
            if deployment_job_id is not None or owner is not None:
                job = before.deployment_job_id if deployment_job_id is None else deployment_job_id
                self._replace_model_facts(name, owner or before.owner, job)
            return self.model(name)

    def delete_model(self, name: str) -> None:
        """Delete the model, its versions and their files."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.model(name)
            with self._store.ManagedSessionMaker(read_only=False) as session:
                session.delete(session.get(SqlRegisteredModel, ("default", name)))
                for table in (models, versions, lineage):
                    session.execute(table.delete().where(table.c.name == name))
            shutil.rmtree(self._files.joinpath(*name.split(".")), ignore_errors=True)

    def search_models(
        self,
        *,
        max_results: int | None = None,
        page_token: str | None = None,
        only_seen: bool = False,
    ) -> tuple[list[RegisteredModel], str | None]:
        """Return one page of models, by name, and the token of the next page.

        With `only_seen` those that the caller may not know of are left out of their page.
        """
        page = self._store.search_registered_models(
            max_results=_page_size(max_results), page_token=page_token or None
        )
        with self._store.ManagedSessionMaker() as session:
            facts = {row.name: row for row in session.execute(sa.select(models))}
        found = [model_of(entity, facts.get(entity.name)) for entity in page]
        seen = [one for one in found if not only_seen or self._sees(one.name, one.owner)]
        return seen, page.token

    def set_model_tag(self, name: str, key: str, value: str) -> None:
        """Set or change a tag."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.model(name)
            self._store.set_registered_model_tag(name, _tag.RegisteredModelTag(key, value))

    def delete_model_tag(self, name: str, key: str) -> None:
        """Delete a tag; one that is not there is gone already."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.model(name)
            self._store.delete_registered_model_tag(name, key)

    def change_model_tags(self, name: str, added: Mapping[str, str], removed: list[str]) -> None:
        """Set and delete tags; all of them, or none where one cannot be."""
        for key, value in added.items():
            _check_model_tag(key, value)
        for key in removed:
            _check_key(key)
        self.model(name)
        for key, value in added.items():
            self.set_model_tag(name, key, value)
        for key in removed:
            self.delete_model_tag(name, key)

    # Versions

    def create_version(self, name: str, new: NewVersion, *, owner: str) -> ModelVersion:
        """Make room for the next version; it waits for its files and for `finalize_version`."""
        self._allow("CREATE MODEL VERSION", name, self.owner_of(name))
        problem = source_problem(new.source)
        if problem is not None:
            raise MlflowException(problem, INVALID_PARAMETER_VALUE)
        with self._writing:
            self.model(name)
            number = self._next_version(name)
            # A folder of that number can only be left over from a deletion that was cut short.
            model_files.remove(self.folder(name, number))
            with self._store.ManagedSessionMaker(read_only=False) as session:
                now = self._now_ms()
                session.get(SqlRegisteredModel, ("default", name)).last_updated_time = now
                session.add(_version_row(name, number, new, owner=owner, now_ms=now))
                session.execute(
                    versions.insert().values(
                        name=name,
                        version=number,
                        model_id=new.model_id,
                        run_tracking_server_id=new.run_tracking_server_id,
                        dependencies=list(new.dependencies),
                        created_by=new.created_by,
                    )
                )
            for key, value in new.tags.items():
                self._store.set_model_version_tag(name, number, _tag.ModelVersionTag(key, value))
            return self.version(name, number)

    def finalize_version(self, name: str, version: int) -> ModelVersion:
        """Check the uploaded files, record their digests and open the version for use.

        A version that is open already is answered as it is: its files cannot change any more.
        """
        self._allow("CREATE MODEL VERSION", name, self.owner_of(name))
        found = self.version(name, version)
        if found.status == READY:
            return found
        if found.status == FAILED:
            raise MlflowException(
                f"Model version '{version}' of '{name}' failed to register: {found.status_message}",
                INVALID_STATE,
            )
        folder = self.folder(name, version)
        if folder.is_dir():
            model_files.seal(folder)
        problem = model_files.registration_problem(folder)
        if problem is not None:
            self._settle(name, version, FAILED, message=problem)
            raise MlflowException(problem, INVALID_PARAMETER_VALUE)
        self._settle(name, version, READY, files=model_files.digests(folder))
        opened = self.version(name, version)
        told = {
            "name": name,
            "version": str(opened.version),
            "source": opened.source,
            "run_id": opened.run_id,
            "tags": dict(opened.tags),
            "description": opened.description,
        }
        self._told("model_version.created", told)
        return opened

    def version(self, name: str, version: int) -> ModelVersion:
        """Return the version with its aliases and tags."""
        self._allow("READ", name, self.owner_of(name))
        self._check_name(name)
        entity = self._store.get_model_version(name, version)
        with self._store.ManagedSessionMaker() as session:
            facts = session.execute(
                sa.select(versions).where(
                    versions.c.name == name, versions.c.version == int(version)
                )
            ).one_or_none()
        return version_of(entity, facts)

    def update_version(self, name: str, version: int, *, description: str | None) -> ModelVersion:
        """Change the description."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.version(name, version)
            self._store.update_model_version(name, version, description)
            return self.version(name, version)

    def delete_version(self, name: str, version: int) -> None:
        """Delete the version, its aliases and its files; its number is not given again."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.version(name, version)
            self._store.delete_model_version(name, version)
            model_files.remove(self.folder(name, version))

    def search_versions(
        self,
        *,
        filter_string: str | None = None,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> tuple[list[ModelVersion], str | None]:
        """Return one page of versions, newest change first, and the token of the next page.

        Those of models that the caller may not know of are left out.
        """
        page = self._store.search_model_versions(
            filter_string=filter_string or None,
            max_results=_page_size(max_results),
            page_token=page_token or None,
        )
        with self._store.ManagedSessionMaker() as session:
            names = {entity.name for entity in page}
            seen = {name for name in names if self._sees(name, self.owner_of(name))}
            rows = session.execute(sa.select(versions).where(versions.c.name.in_(names)))
            facts = {(row.name, row.version): row for row in rows}
        found = [
            version_of(entity, facts.get((entity.name, int(entity.version))))
            for entity in page
            if entity.name in seen
        ]
        return found, page.token

    def set_version_tag(self, name: str, version: int, key: str, value: str) -> None:
        """Set or change a tag."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.version(name, version)
            self._store.set_model_version_tag(name, version, _tag.ModelVersionTag(key, value))
        told = {"name": name, "version": str(version), "key": key, "value": value}
        self._told("model_version_tag.set", told)

    def delete_version_tag(self, name: str, version: int, key: str) -> None:
        """Delete a tag; one that is not there is gone already."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self.version(name, version)
            self._store.delete_model_version_tag(name, version, key)
        told = {"name": name, "version": str(version), "key": key}
        self._told("model_version_tag.deleted", told)

    def change_version_tags(
        self, name: str, version: int, added: Mapping[str, str], removed: list[str]
    ) -> None:
        """Set and delete tags; all of them, or none where one cannot be."""
        for key, value in added.items():
            _check_version_tag(key, value)
        for key in removed:
            _check_key(key)
        self.version(name, version)
        for key, value in added.items():
            self.set_version_tag(name, version, key, value)
        for key in removed:
            self.delete_version_tag(name, version, key)

    # Aliases

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Point the alias at the version, from wherever it pointed before."""
        self._allow("MANAGE", name, self.owner_of(name))
        problem = alias_problem(alias)
        if problem is not None:
            raise MlflowException(problem, INVALID_PARAMETER_VALUE)
        with self._writing:
            found = self.version(name, version)
            if found.status != READY:
                raise MlflowException(
                    f"Model version '{version}' of '{name}' is {found.status}; "
                    "an alias can only point at a version that is READY.",
                    INVALID_STATE,
                )
            self._store.set_registered_model_alias(name, alias, version)
        told = {"name": name, "alias": alias, "version": str(version)}
        self._told("model_version_alias.created", told)

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete the alias."""
        self._allow("MANAGE", name, self.owner_of(name))
        with self._writing:
            self._aliased(name, alias)
            self._store.delete_registered_model_alias(name, alias)
        self._told("model_version_alias.deleted", {"name": name, "alias": alias})

    def by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that the alias points at."""
        self._allow("READ", name, self.owner_of(name))
        return self.version(name, self._aliased(name, alias))

    # Files and lineage

    def folder(self, name: str, version: int) -> Path:
        """Return the folder of the version's files, whether it is there or not."""
        return self._files.joinpath(*name.split("."), str(int(version)))

    def file_digests(self, name: str, version: int) -> dict[str, str]:
        """Return the sha256 of each file of an open version, by its path in the folder."""
        if self.version(name, version).status != READY:
            raise MlflowException(
                f"Model version '{version}' of '{name}' is not READY.", INVALID_STATE
            )
        with self._store.ManagedSessionMaker() as session:
            files = session.execute(
                sa.select(versions.c.files).where(
                    versions.c.name == name, versions.c.version == int(version)
                )
            ).scalar_one()
        return dict(files)

    def add_lineage(
        self, name: str, version: int, *, direction: str, entities: list[dict[str, Any]]
    ) -> None:
        """Remember what read the version; the same reader is remembered once."""
        row = {
            "name": name,
            "version": int(version),
            "direction": direction,
            "entities": json.dumps(entities, sort_keys=True),
        }
        with self._writing:
            self.version(name, version)
            with self._store.ManagedSessionMaker(read_only=False) as session:
                session.execute(lineage.insert().prefix_with("OR IGNORE").values(row))

    def lineage_of(self, name: str, version: int) -> dict[str, Any]:
        """Return what the version was made by and depends on, and what has read or written it."""
        self.version(name, version)
        with self._store.ManagedSessionMaker() as session:
            made = session.execute(
                sa.select(versions.c.created_by, versions.c.dependencies).where(
                    versions.c.name == name, versions.c.version == int(version)
                )
            ).one_or_none()
            told = session.execute(
                sa.select(lineage.c.direction, lineage.c.entities)
                .where(lineage.c.name == name, lineage.c.version == int(version))
                .order_by(lineage.c.direction, lineage.c.entities)
            )
            seen = [{"direction": d, "entities": json.loads(entities)} for d, entities in told]
        return {
            "created_by": None if made is None else made.created_by,
            "dependencies": [] if made is None else made.dependencies or [],
            "lineages": seen,
        }

    # What the above is made of

    @staticmethod
    def _check_name(name: str) -> None:
        problem = name_problem(name)
        if problem is not None:
            raise MlflowException(problem, INVALID_PARAMETER_VALUE)

    def _check_schema(self, name: str) -> None:
        catalog, schema, _ = name.split(".")
        if not self._schema_exists(catalog, None):
            raise MlflowException(f"Catalog '{catalog}' does not exist.", RESOURCE_DOES_NOT_EXIST)
        if not self._schema_exists(catalog, schema):
            raise MlflowException(
                f"Schema '{catalog}.{schema}' does not exist.", RESOURCE_DOES_NOT_EXIST
            )

    def owner_of(self, name: str) -> str | None:
        """Return who owns a model, None where there is none."""
        asked = (
            sa.select(models.c.owner)
            .select_from(SqlRegisteredModel)
            .outerjoin(models, models.c.name == SqlRegisteredModel.name)
            .where(SqlRegisteredModel.name == name)
        )
        with self._store.ManagedSessionMaker() as session:
            row = session.execute(asked).one_or_none()
        return None if row is None else row.owner or ""

    def _sees(self, name: str, owner: str | None) -> bool:
        try:
            self._allow("READ", name, owner)
        except DatabricksError:
            return False
        return True

    def _model_or_none(self, name: str) -> RegisteredModel | None:
        with self._store.ManagedSessionMaker() as session:
            row = session.get(SqlRegisteredModel, ("default", name))
            if row is None:
                return None
            facts = session.execute(sa.select(models).where(models.c.name == name)).one_or_none()
            # Without its latest versions, for which MLflow would load every version there is.
            return model_of(row.to_mlflow_entity([]), facts)

    def _replace_model_facts(self, name: str, owner: str, deployment_job_id: str | None) -> None:
        row = {"name": name, "owner": owner, "deployment_job_id": deployment_job_id}
        with self._store.ManagedSessionMaker(read_only=False) as session:
            session.execute(models.insert().prefix_with("OR REPLACE").values(row))

    def _next_version(self, name: str) -> int:
        # Deleted versions keep their row, so that a number is never given twice.
        with self._store.ManagedSessionMaker() as session:
            highest = session.execute(
                sa.select(sa.func.max(SqlModelVersion.version)).where(SqlModelVersion.name == name)
            ).scalar()
        return int(highest or 0) + 1

    def _settle(
        self,
        name: str,
        version: int,
        status: str,
        *,
        message: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        with self._writing, self._store.ManagedSessionMaker(read_only=False) as session:
            row = session.get(SqlModelVersion, ("default", name, int(version)))
            if row is None or row.current_stage == STAGE_DELETED_INTERNAL:
                raise MlflowException(
                    f"Model Version (name={name}, version={version}) not found",
                    RESOURCE_DOES_NOT_EXIST,
                )
            row.status = status
            row.status_message = None if message is None else message[:500]
            row.last_updated_time = self._now_ms()
            session.execute(
                versions.update()
                .where(versions.c.name == name, versions.c.version == int(version))
                .values(files=None if files is None else dict(files))
            )

    def _aliased(self, name: str, alias: str) -> int:
        self.model(name)
        with self._store.ManagedSessionMaker() as session:
            row = session.get(SqlRegisteredModelAlias, ("default", name, alias))
            if row is None:
                raise MlflowException(
                    f"Alias '{alias}' of registered model '{name}' does not exist.",
                    RESOURCE_DOES_NOT_EXIST,
                )
            return int(row.version)


def _page_size(asked: int | None) -> int:
    return min(asked or PAGE, LARGEST_PAGE)


def _version_row(
    name: str, number: int, new: NewVersion, *, owner: str, now_ms: int
) -> SqlModelVersion:
    return SqlModelVersion(
        workspace="default",
        name=name,
        version=number,
        creation_time=now_ms,
        last_updated_time=now_ms,
        description=new.description,
        user_id=owner,
        source=new.source,
        storage_location=f"dbfs:/Models/{name.replace('.', '/')}/{number}",
        run_id=new.run_id,
        status=PENDING,
    )
