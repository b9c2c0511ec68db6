"""The table of fields says what databricks-sdk's dataclasses say.

With `--update` the table is written anew.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import typing
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from laketop.bundle.fields import Field, table
from laketop.bundle.resources import SERVED, STATE_ONLY


class Tables:
    """Writes the table of the dataclasses that can be reached from some roots."""

    def __init__(self, modules: tuple[ModuleType, ...]) -> None:
        self.modules = {module.__name__.rpartition(".")[2]: module for module in modules}
        self.lines: dict[str, str] = {}
        self.owners: dict[str, type] = {}

    def add(self, name: str, source: Any) -> None:
        """Add a resource: the fields of a dataclass, or the parameters of a create call."""
        if inspect.isclass(source):
            self.lines[name] = self.fields_of(source)
            return
        hints = self.hints(source)
        parameters = [*inspect.signature(source).parameters.values()][1:]
        self.lines[name] = " ".join(
            self.one(p.name, hints[p.name], required=p.default is p.empty) for p in parameters
        )

    def fields_of(self, kind: Any) -> str:
        hints = self.hints(kind)
        return " ".join(
            self.one(f.name, hints[f.name], required=f.default is dataclasses.MISSING)
            for f in dataclasses.fields(kind)
        )

    def hints(self, source: Any) -> dict[str, Any]:
        known = {**vars(sys.modules[source.__module__]), **self.modules}
        return typing.get_type_hints(source, known, known)

    def one(self, name: str, hint: Any, *, required: bool) -> str:
        return f"{name}{'!' if required else ''}={self.type_of(hint)}"

    def type_of(self, hint: Any) -> str:
        origin = typing.get_origin(hint)
        inner = [one for one in typing.get_args(hint) if one is not type(None)]
        if origin is typing.Union:
            return self.type_of(inner[0])
        if origin is list:
            return f"[{self.type_of(inner[0])}]"
        if origin is dict:
            return f"{{{self.type_of(inner[1])}}}"
        if hint in {str, int, float, bool}:
            return str(hint.__name__)
        if inspect.isclass(hint) and issubclass(hint, enum.Enum):
            name = self.named(hint)
            self.lines[name] = "|".join(str(member.value) for member in hint)
            return name
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            name = self.named(hint)
            if name not in self.lines:
                self.lines[name] = ""
                self.lines[name] = self.fields_of(hint)
            return name
        return "any"

    def named(self, kind: type) -> str:
        """Return the name of a class, with its module's before it where another has the name."""
        if self.owners.setdefault(kind.__name__, kind) is kind:
            return kind.__name__
        return kind.__module__.rpartition(".")[2].capitalize() + kind.__name__

    def __str__(self) -> str:
        return "".join(f"{name}: {self.lines[name]}".strip() + "\n" for name in sorted(self.lines))


def sdk_table() -> str:
    from databricks.sdk.service import (
        apps,
        catalog,
        compute,
        dashboards,
        database,
        jobs,
        ml,
        pipelines,
        postgres,
        serving,
        sql,
        vectorsearch,
        workspace,
    )

    tables = Tables(
        (
            *(jobs, compute, catalog, ml, serving, workspace, pipelines, sql, dashboards, apps),
            *(database, postgres, vectorsearch),
        )
    )
    for name, source in {
        "jobs": jobs.JobSettings,
        "experiments": ml.ExperimentsAPI.create_experiment,
        "registered_models": catalog.RegisteredModelsAPI.create,
        "schemas": catalog.SchemasAPI.create,
        "volumes": catalog.VolumesAPI.create,
        "model_serving_endpoints": serving.ServingEndpointsAPI.create,
        "catalogs": catalog.CatalogsAPI.create,
        "secret_scopes": workspace.SecretsAPI.create_scope,
        "quality_monitors": catalog.QualityMonitorsAPI.create,
        "alerts": sql.AlertV2,
        "apps": apps.App,
        "clusters": compute.ClustersAPI.create,
        "dashboards": dashboards.Dashboard,
        "database_catalogs": database.DatabaseCatalog,
        "database_instances": database.DatabaseInstance,
        "external_locations": catalog.ExternalLocationsAPI.create,
        "genie_spaces": dashboards.GenieSpace,
        "instance_pools": compute.InstancePoolsAPI.create,
        "job_runs": jobs.JobsAPI.run_now,
        "models": ml.ModelRegistryAPI.create_model,
        "pipelines": pipelines.PipelinesAPI.create,
        "postgres_branches": postgres.BranchSpec,
        "postgres_endpoints": postgres.EndpointSpec,
        "postgres_projects": postgres.ProjectSpec,
        "secrets": workspace.SecretsAPI.put_secret,
        "sql_warehouses": sql.WarehousesAPI.create,
        "synced_database_tables": database.SyncedDatabaseTable,
        "vector_search_endpoints": vectorsearch.VectorSearchEndpointsAPI.create_endpoint,
        "vector_search_indexes": vectorsearch.VectorSearchIndexesAPI.create_index,
    }.items():
        tables.add(name, source)
    return str(tables)


def test_the_table_says_what_the_sdk_says(request: pytest.FixtureRequest) -> None:
    held = resources.files("laketop.bundle").joinpath("fields.txt")
    made = sdk_table()
    if request.config.getoption("--update"):
        Path(str(held)).write_text(made, encoding="utf-8")
    assert held.read_text(encoding="utf-8") == made


def test_every_type_that_a_field_names_is_in_the_table() -> None:
    known = table()
    scalars = {"str", "int", "float", "bool", "any"}
    named = {
        field.type.strip("[]{}") for block in known.blocks.values() for field in block.values()
    }
    assert named <= scalars | set(known.blocks) | set(known.values)


@pytest.mark.parametrize(
    ("block", "key", "field"),
    [
        ("resource.jobs", "tasks", Field("[Task]")),
        ("resource.jobs", "permissions", Field("[permission]")),
        ("resource.volumes", "volume_type", Field("VolumeType")),
        ("resource.registered_models", "schema_name", Field("str", required=True)),
        ("resource.secret_scopes", "name", Field("str", required=True)),
        ("target", "mode", Field("mode")),
        ("Task", "task_key", Field("str", required=True)),
    ],
)
def test_a_block_has_its_fields(block: str, key: str, field: Field) -> None:
    assert table().blocks[block][key] == field


def test_a_type_is_served_or_state_only() -> None:
    assert not set(SERVED) & set(STATE_ONLY)
    assert set(table().blocks["resources"]) == {*SERVED, *STATE_ONLY}
    assert list(SERVED) == sorted(SERVED)
    assert list(STATE_ONLY) == sorted(STATE_ONLY)
